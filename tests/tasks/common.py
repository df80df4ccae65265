"""What several files of these tests use."""

from hypothesis import settings

TASKS = ("and-gate", "iris-mlp", "mnist-mlp", "mnist-dense", "mnist-cnn")
drawn = settings(deadline=None, max_examples=60, database=None)
