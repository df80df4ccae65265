"""A user's own ``torch.nn.Module``: its layers' calls, by torch's hooks; and its parameters."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from backends.own import IMAGE_AXES, Array, Call, OwnModelError, in_common_terms, one_array

_DENSE = {"kernel": ("weight", (1, 0)), "bias": ("bias", None)}
_NORM = {"scale": ("weight", None), "bias": ("bias", None)}
_BATCH_NORM = {**_NORM, "mean": ("running_mean", None), "variance": ("running_var", None)}
KINDS: dict[type, tuple[str, Mapping[str, tuple[str, tuple[int, ...] | None]]]] = {
    nn.Linear: ("dense", _DENSE),
    nn.Conv2d: ("conv2d", {"kernel": ("weight", (2, 3, 1, 0)), "bias": ("bias", None)}),
    nn.ConvTranspose2d: ("conv_transpose2d", {"kernel": ("weight", (2, 3, 0, 1)), "bias": ("bias", None)}),
    nn.BatchNorm1d: ("batch_norm", _BATCH_NORM),
    nn.BatchNorm2d: ("batch_norm", _BATCH_NORM),
    nn.LayerNorm: ("layer_norm", _NORM),
    nn.Embedding: ("embedding", {"table": ("weight", None)}),
    nn.MaxPool2d: ("max_pool2d", {}),
    nn.AvgPool2d: ("average_pool2d", {}),
    nn.ReLU: ("relu", {}),
    nn.GELU: ("gelu", {}),
    nn.LeakyReLU: ("leaky_relu", {}),
    nn.Sigmoid: ("sigmoid", {}),
    nn.Tanh: ("tanh", {}),
    nn.Softmax: ("softmax", {}),
    nn.Flatten: ("flatten", {}),
    nn.Dropout: ("dropout", {}),
}
"""The layers that are known: their kind, and where torch has each parameter, with the axes in the common layout."""


def begin(dtype: str) -> None:
    """Does nothing: a module of torch is converted when it is made."""


class OwnModel:
    """A user's model.

    Args:
        model: what the user's function made.
        dtype: ``"float64"`` or ``"float32"``, of all parameters and inputs.

    Raises:
        OwnModelError: it is no ``torch.nn.Module``.
    """

    def __init__(self, model: object, dtype: str) -> None:
        if not isinstance(model, nn.Module):
            raise OwnModelError(f"it returns a {type(model).__name__}, which is no torch.nn.Module")
        self.number = torch.float64 if dtype == "float64" else torch.float32
        self.model = model.to(self.number).eval()
        self.layers = {name: layer for name, layer in model.named_modules() if _is_layer(layer)}

    def calls(self, inputs: Array) -> list[Call]:
        """The layers' calls in inference, for inputs (n, ...), images NHWC; the last output is the model's."""
        found: list[Call] = []
        names = {id(layer): name for name, layer in self.layers.items()}

        def record(layer: nn.Module, given: tuple[Any, ...], output: Any) -> None:
            tensors = tuple(_canonical(value) for value in given if isinstance(value, Tensor))
            name = names[id(layer)]
            found.append(self._call(name, layer, tensors, _canonical(one_array(output, name))))

        hooks = [layer.register_forward_hook(record) for layer in self.layers.values()]
        try:
            with torch.no_grad():
                output = one_array(self.model(self._given(inputs)), "the model")
        finally:
            for hook in hooks:
                hook.remove()
        return [*found, Call("output", "output", {}, (), _canonical(output), {})]

    def output_of(self, name: str, inputs: tuple[Array, ...]) -> Array:
        """What one layer makes of inputs, images NHWC."""
        with torch.no_grad():
            return _canonical(self.layers[name](*map(self._given, inputs)))

    def load(self, parameters: Mapping[str, Mapping[str, Array]]) -> None:
        """Copies parameters into layers, by the layers' names and in the common layouts."""
        for name, arrays in parameters.items():
            layer = self.layers[name]
            if type(layer) not in KINDS:
                continue  # where its parameters belong is not known
            _, places = KINDS[type(layer)]
            for key, array in arrays.items():
                own, axes = places[key]
                back = array if axes is None else array.transpose(np.argsort(axes))
                with torch.no_grad():
                    getattr(layer, own).copy_(torch.tensor(back))

    def _given(self, inputs: Array) -> Tensor:
        tensor = torch.from_numpy(inputs)
        tensor = tensor.to(self.number) if tensor.is_floating_point() else tensor.long()
        return tensor.permute(0, 3, 1, 2) if tensor.ndim == IMAGE_AXES else tensor

    def _call(self, name: str, layer: nn.Module, inputs: tuple[Array, ...], output: Array) -> Call:
        if type(layer) not in KINDS:
            own = {key: value.detach().numpy() for key, value in layer.named_parameters(recurse=False)}
            return Call(name, type(layer).__name__, {}, inputs, output, own)
        kind, places = KINDS[type(layer)]
        parameters = {}
        for key, (own_name, axes) in places.items():
            if (value := getattr(layer, own_name)) is not None:
                array = value.detach().numpy()
                parameters[key] = array if axes is None else array.transpose(axes)
        return Call(name, kind, _settings(layer), inputs, output, parameters)


def _is_layer(module: nn.Module) -> bool:
    return type(module) in KINDS or not list(module.children())


def _canonical(tensor: Tensor) -> Array:
    array = tensor.detach()
    # A copy: layers that work in place, such as nn.ReLU(inplace=True), would change it.
    return np.ascontiguousarray((array.permute(0, 2, 3, 1) if array.ndim == IMAGE_AXES else array).numpy()).copy()


def _settings(layer: nn.Module) -> dict[str, Any]:
    """What the layer was made with, by the names that all frameworks share."""
    names = {"eps": "epsilon", "momentum": "momentum", "negative_slope": "slope", "approximate": "approximation"}
    names |= {"stride": "strides", "padding": "padding", "groups": "groups", "count_include_pad": "counts the padding"}
    names |= {"kernel_size": "size"}
    found = {common: getattr(layer, own) for own, common in names.items() if hasattr(layer, own)}
    if found.get("momentum") is not None:
        found["momentum"] = round(1 - found["momentum"], 12)  # torch's is the weight of the new values
    known = {name: value for name, value in found.items() if isinstance(value, int | float | str | tuple | list)}
    return {name: in_common_terms(name, value) for name, value in known.items()}
