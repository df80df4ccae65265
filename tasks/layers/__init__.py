"""The layers of a network as data."""

from tasks.layers.activations import GELU, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from tasks.layers.base import Layer, Merge, Shape
from tasks.layers.batch_norm import BatchNorm
from tasks.layers.convolution import Conv2D, ConvTranspose2D
from tasks.layers.dense import Dense, Flatten, Reshape
from tasks.layers.dropout import Dropout, OwnDropout
from tasks.layers.merging import Add, Concatenate
from tasks.layers.normalization import LayerNorm
from tasks.layers.padding import Padding, Pads
from tasks.layers.pooling import AveragePool2D, GlobalAveragePool2D, MaxPool2D
from tasks.layers.recurrent import LSTM

__all__ = [
    "GELU",
    "LSTM",
    "Add",
    "AveragePool2D",
    "BatchNorm",
    "Concatenate",
    "Conv2D",
    "ConvTranspose2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePool2D",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "MaxPool2D",
    "Merge",
    "OwnDropout",
    "Padding",
    "Pads",
    "ReLU",
    "Reshape",
    "Shape",
    "Sigmoid",
    "Softmax",
    "Tanh",
]
