"""The backends by name."""

import importlib
import importlib.util
import re
from dataclasses import replace
from types import ModuleType

from backends import jax, keras, keras_engines, numpy, pytorch
from backends.about import About, Mode, load_class
from backends.base import Backend, BackendUnavailableError
from backends.default import Default
from tasks.errors import SideBySideError, UnknownNameError, one_line
from tasks.plugins import BACKENDS, load_plugin, plugins, wrong_plugin

REFERENCE = numpy.ABOUT.name
"""The backend that the others are compared with; it runs only where it is named."""
_FRAMEWORKS = (pytorch.ABOUT, keras.ABOUT, jax.ABOUT)
_ON_REQUEST = (keras_engines.KERAS_JAX, keras_engines.KERAS_TORCH)
_BACKENDS = {known.name: known for known in (numpy.ABOUT, *_FRAMEWORKS, *_ON_REQUEST)}
_BUILT_IN = tuple(_BACKENDS)
_VARIANT = re.compile(r"(?=.{1,20}$)[A-Za-z0-9]+(\.[A-Za-z0-9]+)*")
"""What stands after the ``@`` of a backend in another environment, ``2.13`` of ``pytorch@2.13``."""


def available_backends() -> tuple[str, ...]:
    """The names of the backends of this package, whether their frameworks are installed or not."""
    return _BUILT_IN


def framework_backends() -> tuple[str, ...]:
    """The backends that are compared unless others are named: one a framework, without the reference."""
    return tuple(known.name for known in _FRAMEWORKS)


def about(name: str) -> About:
    """What is known of a backend without its framework: one of this package, or of an entry point of another.

    Args:
        name: of the backend; ``name@variant`` is the same backend in an environment of its own.

    Raises:
        UnknownNameError: there is no such backend.
        SideBySideError: what stands after the ``@`` cannot be there.
        PluginError: the other package's cannot be loaded.
    """
    base, at, variant = name.partition("@")
    if at:
        if not _VARIANT.fullmatch(variant):
            raise SideBySideError(f"{name}: write up to 20 letters, digits and dots after the @, as pytorch@2.13")
        known = about(base)
        return replace(known, name=name, label=f"{known.label} {variant}")
    if name not in _BACKENDS:
        if name not in plugins(BACKENDS):
            raise UnknownNameError("backend", name, (*available_backends(), *plugins(BACKENDS)))
        loaded = load_plugin(BACKENDS, name)
        if not isinstance(loaded, About) or loaded.name != name:
            raise wrong_plugin(BACKENDS, name, f"leads to no About of the name {name}")
        _BACKENDS[name] = loaded
    return _BACKENDS[name]


def modes(name: str) -> tuple[Mode, ...]:
    """The training loops that a backend has."""
    return about(name).modes


def missing(name: str) -> str | None:
    """One line that says how to install a framework that is not installed; None where it is. Imports no framework."""
    known = about(name)
    if "@" in name:
        return f"{name} is in another environment, which only run and parity know, by --python {name}=ENV/bin/python"
    for module in known.modules:
        if not _is_there(name, module):
            return f"{name} needs the package {module}: {known.install}"
    return None


def _is_there(name: str, module: str) -> bool:
    """Whether a module can be found. Of ``package.module`` Python imports the package, which may raise anything."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
    except (Exception, SystemExit) as error:
        if name in _BUILT_IN:
            raise
        raise wrong_plugin(BACKENDS, name, f"needs {module}, which cannot be imported ({one_line(error)})") from error


def load_backend(name: str) -> Backend:
    """Imports a framework and returns its backend; of ``name@variant`` that of the environment this process is in.

    Raises:
        UnknownNameError: there is no such backend.
        BackendUnavailableError: a package it needs is not installed. One that is broken raises its own error.
    """
    base, _, _ = name.partition("@")
    if message := missing(base):
        raise BackendUnavailableError(message)
    backend: Backend = load_class(about(base).backend)()
    return backend


def defaults(name: str) -> tuple[Default, ...]:
    """A framework's own defaults, each a change of a recipe. Imports no framework.

    Raises:
        UnknownNameError: there is no such framework; the reference has no defaults of its own.
    """
    if name not in framework_backends():
        raise UnknownNameError("framework", name, framework_backends())
    found: tuple[Default, ...] = importlib.import_module(f"backends.{name}.defaults").DEFAULTS
    return found


def native(name: str) -> ModuleType:
    """The module that reads and writes a framework's own file of weights. Importing it imports no framework.

    Raises:
        UnknownNameError: there is no such framework; the reference has no file of its own.
    """
    if name not in framework_backends():
        raise UnknownNameError("framework", name, framework_backends())
    return importlib.import_module(f"backends.{name}.native")
