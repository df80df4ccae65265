"""A network of torch's layers, and its parameters in the canonical layout."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from backends.pytorch.layers import BuildLayer, Module, _ChannelsLastFlatten
from tasks.architecture import INPUT, Architecture, Parameter, Parameters
from tasks.layers import ConvTranspose2D, Dense, Flatten, Layer, LayerNorm

Network: TypeAlias = nn.Module


class _Graph(nn.Module):
    """Named layers, each of which takes the outputs of others."""

    def __init__(self, architecture: Architecture, layers: Mapping[str, Module]) -> None:
        super().__init__()
        self.graph = [(node.name, node.inputs) for node in architecture.nodes]
        self.layers = nn.ModuleDict(layers)

    def forward(self, inputs: Tensor) -> Tensor:
        values = {INPUT: inputs}
        for name, before in self.graph:
            values[name] = self.layers[name](*(values[other] for other in before))
        return values[name]


def build_network(architecture: Architecture, layers: Mapping[type[Layer], BuildLayer]) -> Network:
    """The architecture's layers: (n, *input_shape), images NCHW, to (n, outputs)."""
    nodes = architecture.nodes
    built = {node.name: layers[type(node.layer)](node.layer, architecture.shape_before(node)) for node in nodes}
    if architecture.is_sequence:
        return nn.Sequential(*built.values())
    for node in nodes:
        if isinstance(node.layer, Flatten):  # other branches may be added to it, which are in the canonical order
            built[node.name] = _ChannelsLastFlatten()
    return _Graph(architecture, built)


def get_parameters(network: Network, architecture: Architecture) -> Parameters:
    """Copies of the parameters by canonical key, in the canonical layout."""
    return to_canonical(network, architecture, variables(network, architecture))


def set_parameters(network: Network, architecture: Architecture, parameters: Parameters) -> None:
    """Copies parameters in the canonical layout into the network."""
    with torch.no_grad():
        of_torch = variables(network, architecture)
        for parameter in architecture.parameters:
            array: NDArray[Any] = parameters[parameter.key]
            if array.ndim == 4:
                array = array.transpose(_kernel_axes(parameter))
            elif array.ndim == 2 or isinstance(parameter.node.layer, LayerNorm):
                array = array[_rows(network, architecture, parameter)].T
            of_torch[parameter.key].copy_(torch.tensor(array))


def variables(network: Network, architecture: Architecture) -> dict[str, nn.Parameter]:
    """Torch's parameters by canonical key. Torch lists kernel, then bias, layer by layer, as the architecture does."""
    return dict(zip(architecture.parameter_shapes, network.parameters(), strict=True))


def to_canonical(network: Network, architecture: Architecture, tensors: Mapping[str, Tensor]) -> Parameters:
    """Copies of parameters, or of their gradients, in the canonical layout.

    Dense kernels go from (out, in) to (in, out), those of convolutions from (out, in, h, w) to (h, w, in, out), and
    those of transposed convolutions from (in, out, h, w).
    """
    canonical = {}
    for parameter in architecture.parameters:
        array = tensors[parameter.key].detach().cpu().numpy()
        if array.ndim == 4:
            array = array.transpose(np.argsort(_kernel_axes(parameter)))
        elif array.ndim == 2 or isinstance(parameter.node.layer, LayerNorm):
            array = array.T[np.argsort(_rows(network, architecture, parameter))]
        canonical[parameter.key] = array.copy()
    return canonical


def _kernel_axes(parameter: Parameter) -> tuple[int, int, int, int]:
    """The axes of a canonical kernel (h, w, in, out) in torch's order."""
    return (2, 3, 0, 1) if isinstance(parameter.node.layer, ConvTranspose2D) else (3, 2, 0, 1)


def _rows(network: Network, architecture: Architecture, parameter: Parameter) -> NDArray[np.intp]:
    """The canonical place of each of torch's inputs to a dense layer or to a layer normalization.

    After ``nn.Flatten`` an image is in the order channel, height, width; canonical is height, width, channel.
    """
    rows = np.arange(parameter.shape[0])
    if not any(isinstance(layer, nn.Flatten) for layer in network.children()):
        return rows
    for node in reversed(architecture.nodes[: architecture.nodes.index(parameter.node)]):
        shape = architecture.shape_before(node)
        if isinstance(node.layer, Dense):
            break
        if isinstance(node.layer, Flatten) and len(shape) == 3:
            return rows.reshape(shape).transpose(2, 0, 1).ravel()
    return rows


def _channels_first(inputs: Tensor) -> Tensor:
    """Images from NHWC to torch's NCHW, as a view; anything else as it is."""
    return inputs.permute(0, 3, 1, 2) if inputs.ndim == 4 else inputs
