"""What several files of these tests use."""

from hypothesis import settings

TASKS = (
    "and-gate",
    "iris-mlp",
    "mnist-mlp",
    "mnist-dense",
    "mnist-cnn",
    "mnist-pytorch-example",
    "mnist-keras-example",
    "mnist-flax-example",
    "mnist-resnet",
)
drawn = settings(deadline=None, max_examples=60, database=None)
