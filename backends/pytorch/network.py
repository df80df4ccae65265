"""A network of torch's layers, and its parameters in the canonical layout."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from backends.pytorch.layers import BuildLayer
from tasks.architecture import Architecture, Parameters
from tasks.layers import Dense, Flatten, Layer

Network: TypeAlias = nn.Sequential


def build_network(architecture: Architecture, layers: Mapping[type[Layer], BuildLayer]) -> Network:
    """The architecture's layers, one after the other: (n, *input_shape), images NCHW, to (n, outputs)."""
    pairs = zip(architecture.layers, architecture.shapes, strict=False)
    return nn.Sequential(*(layers[type(layer)](layer, shape) for layer, shape in pairs))


def get_parameters(network: Network, architecture: Architecture) -> Parameters:
    """Copies of the parameters by canonical key, in the canonical layout."""
    return to_canonical(network, architecture, variables(network, architecture))


def set_parameters(network: Network, architecture: Architecture, parameters: Parameters) -> None:
    """Copies parameters in the canonical layout into the network."""
    with torch.no_grad():
        for key, variable in variables(network, architecture).items():
            array: NDArray[Any] = parameters[key]
            if array.ndim == 4:
                array = array.transpose(3, 2, 0, 1)
            if array.ndim == 2:
                array = array[_rows(network, architecture, key)].T
            variable.copy_(torch.tensor(array))


def variables(network: Network, architecture: Architecture) -> dict[str, nn.Parameter]:
    """Torch's parameters by canonical key. Torch lists kernel, then bias, layer by layer, as the architecture does."""
    return dict(zip(architecture.parameter_shapes, network.parameters(), strict=True))


def to_canonical(network: Network, architecture: Architecture, tensors: Mapping[str, Tensor]) -> Parameters:
    """Copies of parameters, or of their gradients, in the canonical layout.

    Dense kernels go from (out, in) to (in, out), those of convolutions from (out, in, h, w) to (h, w, in, out).
    """
    canonical = {}
    for key, tensor in tensors.items():
        array = tensor.detach().cpu().numpy()
        if array.ndim == 4:
            array = array.transpose(2, 3, 1, 0)
        if array.ndim == 2:
            array = array.T[np.argsort(_rows(network, architecture, key))]
        canonical[key] = array.copy()
    return canonical


def _rows(network: Network, architecture: Architecture, key: str) -> NDArray[np.intp]:
    """The canonical row of each of torch's inputs to a dense layer.

    After ``nn.Flatten`` an image is in the order channel, height, width; canonical is height, width, channel, as the
    tuned loop's layer flattens too.
    """
    index = int(key.partition("_")[0])
    rows = np.arange(architecture.parameter_shapes[key][0])
    for before in reversed(range(index)):
        layer, shape = architecture.layers[before], architecture.shapes[before]
        if isinstance(layer, Dense):
            break
        if isinstance(layer, Flatten) and len(shape) == 3 and isinstance(network[before], nn.Flatten):
            return rows.reshape(shape).transpose(2, 0, 1).ravel()
    return rows


def _channels_first(inputs: Tensor) -> Tensor:
    """Images from NHWC to torch's NCHW, as a view; anything else as it is."""
    return inputs.permute(0, 3, 1, 2) if inputs.ndim == 4 else inputs
