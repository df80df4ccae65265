"""The layers of a network as data."""

from tasks.layers.activations import ReLU, Sigmoid, Softmax, Tanh
from tasks.layers.base import Layer, Merge, Shape
from tasks.layers.convolution import Conv2D
from tasks.layers.dense import Dense, Flatten
from tasks.layers.merging import Add, Concatenate
from tasks.layers.pooling import MaxPool2D

__all__ = [
    "Add",
    "Concatenate",
    "Conv2D",
    "Dense",
    "Flatten",
    "Layer",
    "MaxPool2D",
    "Merge",
    "ReLU",
    "Shape",
    "Sigmoid",
    "Softmax",
    "Tanh",
]
