"""A user's own Keras model: its layers' calls, and its parameters."""

from collections.abc import Mapping
from typing import Any
from unittest import mock

import keras
import numpy as np

from backends.own import Array, Call, OwnModelError, in_common_terms, one_array

_DENSE = {"kernel": ("kernel", None), "bias": ("bias", None)}
_NORM = {"scale": ("gamma", None), "bias": ("beta", None)}
KINDS: dict[type, tuple[str, Mapping[str, tuple[str, tuple[int, ...] | None]]]] = {
    keras.layers.Dense: ("dense", _DENSE),
    keras.layers.Conv2D: ("conv2d", _DENSE),
    keras.layers.Conv2DTranspose: ("conv_transpose2d", {"kernel": ("kernel", (0, 1, 3, 2)), "bias": ("bias", None)}),
    keras.layers.BatchNormalization: (
        "batch_norm",
        {**_NORM, "mean": ("moving_mean", None), "variance": ("moving_variance", None)},
    ),
    keras.layers.LayerNormalization: ("layer_norm", _NORM),
    keras.layers.Embedding: ("embedding", {"table": ("embeddings", None)}),
    keras.layers.MaxPooling2D: ("max_pool2d", {}),
    keras.layers.AveragePooling2D: ("average_pool2d", {}),
    keras.layers.ReLU: ("relu", {}),
    keras.layers.LeakyReLU: ("leaky_relu", {}),
    keras.layers.Softmax: ("softmax", {}),
    keras.layers.Flatten: ("flatten", {}),
    keras.layers.Dropout: ("dropout", {}),
}
"""The layers that are known: their kind, and where Keras has each parameter, with the axes in the common layout."""


def begin(dtype: str) -> None:
    """Has layers that are made from now on hold numbers of this type."""
    keras.config.set_floatx(dtype)


class OwnModel:
    """A user's model.

    Args:
        model: what the user's function made, after ``keras.config.set_floatx``.
        dtype: ``"float64"`` or ``"float32"``, of all parameters and inputs.

    Raises:
        OwnModelError: it is no Keras model.
    """

    def __init__(self, model: object, dtype: str) -> None:
        if not isinstance(model, keras.layers.Layer):
            raise OwnModelError(f"it returns a {type(model).__name__}, which is no Keras model")
        self.number = np.dtype(dtype)
        self.model = model
        self.layers: dict[str, keras.layers.Layer] = {}
        self.activations: dict[str, Any] = {}

    def calls(self, inputs: Array) -> list[Call]:
        """The layers' calls in inference, for inputs (n, ...), images NHWC; the last output is the model's."""
        found: list[Call] = []
        original = keras.layers.Layer.__call__

        def call(layer: keras.layers.Layer, *given: Any, **options: Any) -> Any:
            if not _is_layer(layer) or layer is self.model:
                return original(layer, *given, **options)
            after = getattr(layer, "activation", None) if type(layer) in KINDS else None
            if after is None or after is keras.activations.linear:
                output = original(layer, *given, **options)
                found.append(self._call(layer, given, output))
                return output
            # An activation inside of a layer is a layer of its own elsewhere: both outputs are recorded.
            layer.activation = keras.activations.linear
            try:
                output = original(layer, *given, **options)
            finally:
                layer.activation = after
            found.append(self._call(layer, given, output))
            activated = after(output)
            name = f"{found[-1].name} activation"
            self.activations[name] = after
            found.append(Call(name, _name(after), {}, (_read(output),), _read(activated), {}))
            return activated

        with mock.patch.object(keras.layers.Layer, "__call__", call):
            output = one_array(self.model(self._given(inputs), training=False), "the model")
        return [*found, Call("output", "output", {}, (), _read(output), {})]

    def output_of(self, name: str, inputs: tuple[Array, ...]) -> Array:
        """What one layer makes of inputs, images NHWC, without an activation inside of it."""
        if name in self.activations:
            return _read(self.activations[name](*map(self._given, inputs)))
        layer = self.layers[name]
        after = getattr(layer, "activation", None) if type(layer) in KINDS else None
        if after is not None:
            layer.activation = keras.activations.linear
        try:
            return _read(layer(*map(self._given, inputs)))
        finally:
            if after is not None:
                layer.activation = after

    def load(self, parameters: Mapping[str, Mapping[str, Array]]) -> None:
        """Copies parameters into layers, by the layers' names and in the common layouts; once they have been called."""
        for name, arrays in parameters.items():
            layer = self.layers[name]
            if type(layer) not in KINDS:
                continue  # where its parameters belong is not known
            _, places = KINDS[type(layer)]
            for key, array in arrays.items():
                own, axes = places[key]
                back = array if axes is None else array.transpose(np.argsort(axes))
                getattr(layer, own).assign(back)

    def _given(self, inputs: Array) -> Any:
        return keras.ops.convert_to_tensor(inputs.astype(self.number) if inputs.dtype.kind == "f" else inputs)

    def _call(self, layer: keras.layers.Layer, given: tuple[Any, ...], output: Any) -> Call:
        inputs = tuple(_read(value) for each in given for value in (each if isinstance(each, list | tuple) else [each]))
        result = _read(one_array(output, layer.name))
        name = layer.name
        if self.layers.setdefault(name, layer) is not layer:  # names need not differ
            name = f"{name} {sum(known.startswith(layer.name) for known in self.layers)}"
            self.layers[name] = layer
        if type(layer) is keras.layers.Activation:
            return Call(name, _name(layer.activation), {}, inputs, result, {})
        if type(layer) not in KINDS:
            own = {weight.name: _read(weight) for weight in layer.weights}
            return Call(name, type(layer).__name__, {}, inputs, result, own)
        kind, places = KINDS[type(layer)]
        parameters = {}
        for key, (own_name, axes) in places.items():
            if (value := getattr(layer, own_name, None)) is not None:
                parameters[key] = _read(value) if axes is None else _read(value).transpose(axes)
        return Call(name, kind, _settings(layer), inputs, result, parameters)


def _is_layer(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, keras.Model | keras.layers.InputLayer):
        return False
    return type(layer) in KINDS or not list(layer._flatten_layers(include_self=False))


def _name(activation: Any) -> str:
    return str(getattr(activation, "__name__", type(activation).__name__))


def _read(tensor: Any) -> Array:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def _settings(layer: keras.layers.Layer) -> dict[str, Any]:
    """What the layer was made with, by the names that all frameworks share."""
    names = {"epsilon": "epsilon", "momentum": "momentum", "negative_slope": "slope"}
    names |= {"strides": "strides", "padding": "padding", "groups": "groups", "pool_size": "size"}
    found = {common: getattr(layer, own) for own, common in names.items() if hasattr(layer, own)}
    known = {name: value for name, value in found.items() if isinstance(value, int | float | str | tuple | list)}
    return {name: in_common_terms(name, value) for name, value in known.items()}
