"""Layers that bring their inputs to mean 0 and variance 1."""

from dataclasses import dataclass
from typing import ClassVar

from tasks.layers.base import Layer, Shape, need_above_zero


@dataclass(frozen=True)
class LayerNorm(Layer):
    """``(x - mean) / sqrt(variance + epsilon) * scale + bias`` over the last axis: the channels of each pixel.

    The variance is the biased one. The default is PyTorch's epsilon; Keras's is 1e-3, flax's 1e-6.
    """

    epsilon: float = 1e-5
    kind: ClassVar[str] = "layer_norm"

    def __post_init__(self) -> None:
        need_above_zero(self, epsilon=self.epsilon)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {"scale": shape[-1:], "bias": shape[-1:]}
