"""How a framework does it. The only place that imports a framework, and only when a backend is loaded."""

import importlib
import importlib.util
from types import ModuleType
from typing import NamedTuple

from backends.base import MODES, Backend, BackendUnavailableError, Mode
from tasks.errors import UnknownNameError


class _Entry(NamedTuple):
    module: str
    backend_class: str
    needs: tuple[str, ...]
    """The modules of the framework, found without importing them."""
    install: str
    modes: tuple[Mode, ...] = MODES


_BACKENDS = {
    "numpy": _Entry("backends.numpy.model", "NumpyBackend", ("numpy",), "pip install numpy", ("tuned",)),
    "pytorch": _Entry(
        "backends.pytorch.model", "PytorchBackend", ("torch", "torchvision"), 'pip install -e ".[pytorch]"'
    ),
    "keras": _Entry("backends.keras.model", "KerasBackend", ("tensorflow", "keras"), 'pip install -e ".[keras]"'),
    "jax": _Entry("backends.jax.model", "JaxBackend", ("jax", "flax", "optax"), 'pip install -e ".[jax]"'),
}
REFERENCE = "numpy"
"""The backend that the others are held against; it is run when it is named, not by default."""


def available_backends() -> tuple[str, ...]:
    """The names of the backends, installed or not."""
    return tuple(_BACKENDS)


def framework_backends() -> tuple[str, ...]:
    """The backends that are compared unless others are named: all but the reference."""
    return tuple(name for name in _BACKENDS if name != REFERENCE)


def modes(name: str) -> tuple[Mode, ...]:
    """The training loops that a backend has."""
    return _entry(name).modes


def missing(name: str) -> str | None:
    """What to do about a framework that is not installed, in one line; None where it is. Imports no framework."""
    entry = _entry(name)
    for module in entry.needs:
        if importlib.util.find_spec(module) is None:
            return f"{name} needs the package {module}: {entry.install}"
    return None


def load_backend(name: str) -> Backend:
    """Imports a framework and returns its backend.

    Raises:
        UnknownNameError: there is no such backend.
        BackendUnavailableError: a package it needs is not installed. One that is broken raises its own error.
    """
    entry = _entry(name)
    if message := missing(name):
        raise BackendUnavailableError(message)
    backend: Backend = getattr(importlib.import_module(entry.module), entry.backend_class)()
    return backend


def load_native(name: str) -> ModuleType:
    """What reads and writes a framework's own file of parameters: ``backends/<name>/native.py``. Imports no framework.

    Raises:
        UnknownNameError: there is no such framework; the reference has no file of its own.
    """
    if name not in framework_backends():
        raise UnknownNameError("framework", name, framework_backends())
    return importlib.import_module(f"backends.{name}.native")


def _entry(name: str) -> _Entry:
    if name not in _BACKENDS:
        raise UnknownNameError("backend", name, available_backends())
    return _BACKENDS[name]
