"""A network of torch's layers, and its parameters in the canonical layout."""

from collections.abc import Mapping
from math import prod
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from backends.pytorch.layers import BuildLayer, Module, _ChannelsLastFlatten
from backends.pytorch.stateful import _MaskedDropout
from tasks.architecture import INPUT, Architecture, Parameters, Variable
from tasks.layers import ConvTranspose2D, Dense, Dropout, Flatten, Layer, Reshape
from tasks.masks import mask_table

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
    kinds = {type(node.layer) for node in nodes}
    in_torchs_order = architecture.is_sequence and Dense in kinds and Reshape not in kinds
    for node in nodes:
        # What is added to it, or compared as the output, is in the canonical order; a dense layer's rows can follow.
        if isinstance(node.layer, Flatten) and not in_torchs_order:
            built[node.name] = _ChannelsLastFlatten()
    return nn.Sequential(*built.values()) if architecture.is_sequence else _Graph(architecture, built)


def layer_outputs(network: Network, architecture: Architecture, inputs: Tensor) -> dict[str, NDArray[Any]]:
    """The output of every layer by its node's name, in the canonical layout; torch's hooks hear of them."""
    outputs: dict[str, Tensor] = {}
    layers = network.layers.values() if isinstance(network, _Graph) else network.children()
    hooks = [
        layer.register_forward_hook(lambda _, inputs, output, name=node.name: outputs.update({name: output}))
        for node, layer in zip(architecture.nodes, layers, strict=True)
    ]
    network(inputs)
    for hook in hooks:
        hook.remove()
    canonical = {}
    for count, node in enumerate(architecture.nodes, start=1):
        array = outputs[node.name].float().cpu().numpy()
        array = array.transpose(0, 2, 3, 1) if array.ndim == 4 else array
        order = _order(network, architecture, count)
        canonical[node.name] = array if order is None else array[:, np.argsort(order)]
    return canonical


def get_parameters(network: Network, architecture: Architecture) -> Parameters:
    """Copies of the parameters and the state by canonical key, in the canonical layout."""
    return to_canonical(network, architecture, {**variables(network, architecture), **state(network, architecture)})


def set_parameters(network: Network, architecture: Architecture, parameters: Parameters) -> None:
    """Copies parameters and state in the canonical layout into the network."""
    of_torch = {**variables(network, architecture), **state(network, architecture)}
    with torch.no_grad():
        for variable in architecture.variables:
            array: NDArray[Any] = parameters[variable.key]
            if array.ndim == 4:
                array = array.transpose(_kernel_axes(variable))
            if (order := _order_of(network, architecture, variable)) is not None:
                array = array[order]
            of_torch[variable.key].copy_(torch.tensor(array.T if array.ndim == 2 else array))
    layers = [layer for layer in network.modules() if isinstance(layer, _MaskedDropout)]
    nodes = [node for node in architecture.nodes if isinstance(node.layer, Dropout)]
    for node, layer in zip(nodes, layers, strict=True):
        masks = mask_table(node.layer, architecture.shape_before(node), int(layer.seed))
        order = _order(network, architecture, architecture.nodes.index(node))
        masks = masks.transpose(0, 3, 1, 2) if masks.ndim == 4 else masks if order is None else masks[:, order]
        layer.table.copy_(torch.tensor(masks))


def variables(network: Network, architecture: Architecture) -> dict[str, nn.Parameter]:
    """Torch's parameters by canonical key. Torch lists kernel, then bias, layer by layer, as the architecture does."""
    return dict(zip(architecture.parameter_shapes, _trained(network).values(), strict=True))


def _trained(network: Network) -> dict[str, nn.Parameter]:
    """The parameters that are trained, by torch's own names; the second bias of an LSTM is not."""
    return {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}


def state(network: Network, architecture: Architecture) -> dict[str, Tensor]:
    """Torch's buffers, which hold the layers' state, by canonical key; they too are in the architecture's order."""
    buffers = [buffer for name, buffer in network.named_buffers() if not name.endswith(".table")]
    return dict(zip((variable.key for variable in architecture.state), buffers, strict=True))


def to_canonical(network: Network, architecture: Architecture, tensors: Mapping[str, Tensor]) -> Parameters:
    """Copies of parameters and state, or of gradients, in the canonical layout.

    Dense kernels go from (out, in) to (in, out), those of convolutions from (out, in, h, w) to (h, w, in, out), and
    those of transposed convolutions from (in, out, h, w).
    """
    canonical = {}
    for variable in architecture.variables:
        if variable.key not in tensors:
            continue
        array = tensors[variable.key].detach().cpu().numpy()
        array = array.transpose(np.argsort(_kernel_axes(variable))) if array.ndim == 4 else array.T
        if (order := _order_of(network, architecture, variable)) is not None:
            array = array[np.argsort(order)]
        canonical[variable.key] = array.copy()
    return canonical


def _kernel_axes(variable: Variable) -> tuple[int, int, int, int]:
    """The axes of a canonical kernel (h, w, in, out) in torch's order."""
    return (2, 3, 0, 1) if isinstance(variable.node.layer, ConvTranspose2D) else (3, 2, 0, 1)


def _order_of(network: Network, architecture: Architecture, variable: Variable) -> NDArray[np.intp] | None:
    """The canonical place along a variable's first axis of each number in torch; None where both have one order."""
    of_inputs = variable.name == "kernel" or not isinstance(variable.node.layer, Dense)
    before = architecture.nodes.index(variable.node)
    return _order(network, architecture, before) if variable.shape and of_inputs else None


def _order(network: Network, architecture: Architecture, count: int) -> NDArray[np.intp] | None:
    """The canonical place of each number of a vector behind ``count`` layers; None where torch has the same order.

    After ``nn.Flatten`` an image is in the order channel, height, width; canonical is height, width, channel.
    """
    if not any(isinstance(layer, nn.Flatten) for layer in network.children()):
        return None
    for before in reversed(architecture.nodes[:count]):
        shape = architecture.shape_before(before)
        if isinstance(before.layer, Dense):
            return None
        if isinstance(before.layer, Flatten) and len(shape) == 3:
            return np.arange(prod(shape)).reshape(shape).transpose(2, 0, 1).ravel()
    return None


def _channels_first(inputs: Tensor) -> Tensor:
    """Images from NHWC to torch's NCHW, as a view; anything else as it is."""
    return inputs.permute(0, 3, 1, 2) if inputs.ndim == 4 else inputs
