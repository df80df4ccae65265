"""The rewriting of architectures for the tuned loops."""

from backends.fusion import Identity, PooledConv2D, fuse
from tasks.architecture import Architecture
from tasks.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Tanh

POOLED = (Conv2D(4, (3, 2), (2, 1)), ReLU(), MaxPool2D((2, 1)))
LAYERS = (*POOLED, Conv2D(3), Tanh(), MaxPool2D(), *POOLED, Flatten(), Dense(5), ReLU())


def test_a_convolution_with_relu_and_pool_becomes_one_layer() -> None:
    fused = fuse(Architecture((40, 40, 2), LAYERS))
    one = [PooledConv2D(POOLED[0], POOLED[2]), Identity(), Identity()]
    assert list(fused.layers) == [*one, *LAYERS[3:6], *one, *LAYERS[9:]]


def test_fusing_keeps_parameters_and_operations() -> None:
    plain = Architecture((40, 40, 2), LAYERS)
    fused = fuse(plain)
    assert list(fused.parameter_shapes.items()) == list(plain.parameter_shapes.items())
    assert fused.output_shape == plain.output_shape
    assert fused.training_operations() == plain.training_operations()


def test_other_architectures_stay_as_they_are() -> None:
    plain = Architecture((8, 8, 1), (Conv2D(2), MaxPool2D(), ReLU(), Flatten(), Dense(3)))
    assert fuse(plain) == plain
