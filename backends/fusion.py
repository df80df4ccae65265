"""Rewrites an architecture for the tuned loops: the same parameters and results, from fewer operations.

A tuned loop trains ``build_network(fuse(architecture), TUNED_LAYERS)``.
"""

from dataclasses import dataclass
from typing import ClassVar

from tasks.architecture import Architecture
from tasks.layers import Conv2D, Layer, MaxPool2D, ReLU, Shape


@dataclass(frozen=True)
class PooledConv2D(Layer):
    """A convolution, ReLU and max pool in one layer, computed as convolution, pool, bias, ReLU.

    ``max(relu(x + bias)) = relu(max(x) + bias)``, because neither a bias nor ReLU changes which number is the largest.
    After the pool, bias and ReLU have fewer numbers to go through: a quarter of them where windows are 2x2.
    """

    convolution: Conv2D
    pool: MaxPool2D
    kind: ClassVar[str] = Conv2D.kind

    def output_shape(self, shape: Shape) -> Shape:
        return self.pool.output_shape(self.convolution.output_shape(shape))

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return self.convolution.parameter_shapes(shape)

    def operations(self, shape: Shape) -> int:
        return self.convolution.operations(shape)


@dataclass(frozen=True)
class Identity(Layer):
    """``x``: stands where a layer was that went into another one."""

    kind: ClassVar[str] = "identity"

    def output_shape(self, shape: Shape) -> Shape:
        return shape


def fuse(architecture: Architecture) -> Architecture:
    """The architecture with each convolution, ReLU and max pool that follow one another as one layer.

    The ReLU and the pool leave an :class:`Identity` each, so that every parameter keeps its canonical key, which begins
    with the index of its layer.
    """
    layers = list(architecture.layers)
    for index in range(len(layers) - 2):
        match layers[index : index + 3]:
            case [Conv2D() as convolution, ReLU(), MaxPool2D() as pool]:
                layers[index : index + 3] = [PooledConv2D(convolution, pool), Identity(), Identity()]
    return Architecture(architecture.input_shape, tuple(layers))
