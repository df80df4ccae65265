"""Batch normalization."""

from dataclasses import dataclass
from typing import ClassVar

from tasks.layers.base import Layer, Shape, need_above_zero, need_between


@dataclass(frozen=True)
class BatchNorm(Layer):
    """``y = (x - mean) / sqrt(variance + epsilon) * scale + bias`` over the last axis, the channels of images.

    Training takes mean and variance over all other axes of the batch (the variance that divides by their number N), and
    moves the running ones: ``running = momentum * running + (1 - momentum) * batch``. Inference takes the running ones.

    Attributes:
        momentum: the share of the running values that a step keeps (PyTorch's momentum is 1 minus this).
        epsilon: added to the variance.
        unbiased: whether the running variance is moved towards the batch's variance times N / (N - 1), as PyTorch's is.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    unbiased: bool = False
    kind: ClassVar[str] = "batch_norm"

    def __post_init__(self) -> None:
        need_between(self, 0, 1, momentum=self.momentum)
        need_above_zero(self, epsilon=self.epsilon)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) not in (1, 3):
            raise ValueError(f"batch_norm needs an input of 1 or 3 axes, not one of shape {shape}")
        return shape

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {"scale": shape[-1:], "bias": shape[-1:]}

    def state_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {"mean": shape[-1:], "variance": shape[-1:]}
