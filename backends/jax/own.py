"""A user's own flax nnx module: its layers' calls, and its parameters."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from backends.own import Array, Call, OwnModelError, in_common_terms, one_array

_DENSE = {"kernel": ("kernel", None), "bias": ("bias", None)}
_NORM = {"scale": ("scale", None), "bias": ("bias", None)}
KINDS: dict[type, tuple[str, Mapping[str, tuple[str, tuple[int, ...] | None]]]] = {
    nnx.Linear: ("dense", _DENSE),
    nnx.Conv: ("conv2d", _DENSE),
    nnx.ConvTranspose: ("conv_transpose2d", _DENSE),
    nnx.BatchNorm: ("batch_norm", {**_NORM, "mean": ("mean", None), "variance": ("var", None)}),
    nnx.LayerNorm: ("layer_norm", _NORM),
    nnx.Embed: ("embedding", {"table": ("embedding", None)}),
    nnx.Dropout: ("dropout", {}),
}
"""The layers that are known: their kind, and where nnx has each parameter, in the common layout."""


def begin(dtype: str) -> None:
    """Lets arrays have 64 bits from now on, for ``"float64"``."""
    jax.config.update("jax_enable_x64", dtype == "float64")


class OwnModel:
    """A user's model.

    Args:
        model: what the user's function made.
        dtype: ``"float64"`` or ``"float32"``, of all parameters and inputs; for the former JAX must allow 64 bits.

    Raises:
        OwnModelError: it is no ``nnx.Module``.
    """

    def __init__(self, model: object, dtype: str) -> None:
        if not isinstance(model, nnx.Module):
            raise OwnModelError(f"it returns a {type(model).__name__}, which is no flax nnx.Module")
        self.number = jnp.float64 if dtype == "float64" else jnp.float32
        model.eval()
        nnx.update(model, jax.tree.map(self._cast, nnx.state(model)))
        self.model = model
        modules = {".".join(map(str, path)): module for path, module in nnx.iter_modules(model)}
        self.layers = {name: module for name, module in modules.items() if _is_layer(module)}

    def calls(self, inputs: Array) -> list[Call]:
        """The layers' calls in inference, for inputs (n, ...), images NHWC; the last output is the model's."""
        found: list[Call] = []
        names = {id(layer): name for name, layer in self.layers.items()}

        def recording(original: Any) -> Any:
            def call(layer: nnx.Module, *given: Any, **options: Any) -> Any:
                output = original(layer, *given, **options)
                if id(layer) in names:
                    arrays = tuple(np.asarray(value) for value in given if hasattr(value, "shape"))
                    name = names[id(layer)]
                    found.append(self._call(name, layer, arrays, np.asarray(one_array(output, name))))
                return output

            return call

        with ExitStack() as patches:
            for kind in {type(layer) for layer in self.layers.values()}:
                patches.enter_context(mock.patch.object(kind, "__call__", recording(kind.__call__)))
            output = one_array(self.model(self._given(inputs)), "the model")
        return [*found, Call("output", "output", {}, (), np.asarray(output), {})]

    def output_of(self, name: str, inputs: tuple[Array, ...]) -> Array:
        """What one layer makes of inputs, images NHWC."""
        return np.asarray(self.layers[name](*map(self._given, inputs)))

    def load(self, parameters: Mapping[str, Mapping[str, Array]]) -> None:
        """Copies parameters into layers, by the layers' names and in the common layouts."""
        for name, arrays in parameters.items():
            layer = self.layers[name]
            if type(layer) not in KINDS:
                continue  # where its parameters belong is not known
            _, places = KINDS[type(layer)]
            for key, array in arrays.items():
                own = array[::-1, ::-1] if _is_flipped(layer) and key == "kernel" else array
                variable = getattr(layer, places[key][0])
                variable[...] = jnp.asarray(own, self.number)

    def _cast(self, array: Any) -> Any:
        return array.astype(self.number) if jnp.issubdtype(array.dtype, jnp.floating) else array

    def _given(self, inputs: Array) -> jax.Array:
        return jnp.asarray(inputs, self.number if inputs.dtype.kind == "f" else None)

    def _call(self, name: str, layer: nnx.Module, inputs: tuple[Array, ...], output: Array) -> Call:
        if type(layer) not in KINDS:
            leaves = nnx.state(layer, nnx.Param).flat_state()
            own = {".".join(map(str, path)): np.asarray(value[...]) for path, value in leaves}
            return Call(name, type(layer).__name__, {}, inputs, output, own)
        kind, places = KINDS[type(layer)]
        parameters = {}
        for key, (own_name, _) in places.items():
            if (value := getattr(layer, own_name, None)) is not None and getattr(value, "shape", None) is not None:
                array = np.asarray(value[...])
                parameters[key] = array[::-1, ::-1] if _is_flipped(layer) and key == "kernel" else array
        return Call(name, kind, _settings(layer), inputs, output, parameters)


def _is_layer(module: nnx.Module) -> bool:
    inside = [other for _, other in nnx.iter_modules(module) if other is not module]
    return type(module) in KINDS or not [other for other in inside if not isinstance(other, nnx.Rngs)]


def _is_flipped(layer: nnx.Module) -> bool:
    """Whether the kernel of a transposed convolution is applied as a convolution's, which elsewhere is flipped."""
    return isinstance(layer, nnx.ConvTranspose) and not layer.transpose_kernel


def _settings(layer: nnx.Module) -> dict[str, Any]:
    """What the layer was made with, by the names that all frameworks share."""
    names = {"epsilon": "epsilon", "momentum": "momentum"}
    names |= {"strides": "strides", "padding": "padding", "feature_group_count": "groups"}
    found = {common: getattr(layer, own) for own, common in names.items() if hasattr(layer, own)}
    known = {name: value for name, value in found.items() if isinstance(value, int | float | str | tuple | list)}
    return {name: in_common_terms(name, value) for name, value in known.items()}
