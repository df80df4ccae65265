"""What is known of a backend before its framework is imported."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from backends.devices import single_devices

Mode = Literal["tuned", "stock"]
MODES: tuple[Mode, ...] = ("tuned", "stock")


@dataclass(frozen=True)
class About:
    """One backend, described without its framework.

    Attributes:
        name: as on the command line: ``pytorch``.
        label: as people write it: ``PyTorch``.
        modules: what Python must be able to import; looked for, not imported.
        distributions: the packages whose versions are recorded with every result.
        backend: the class of the backend, as ``package.module.Class``.
        models: the class of the model with the training loop of each mode.
        formulations: the names of the forms in which the tuned loop can be computed, by name what each is; see
            :class:`backends.base.Model`.
        environment: variables that a process of this framework needs, set before the framework is imported;
            ``{cache}`` stands for the folder where compiled code is kept.
        package: the package to install, for a backend of another one; by default an extra of this one.
        gpu: what to install besides for an NVIDIA GPU; nothing where the ordinary packages are built for one.
        parallel: the class of the model that several devices train together, the tuned loop there; empty without one.
    """

    name: str
    label: str
    modules: tuple[str, ...]
    distributions: tuple[str, ...]
    backend: str
    models: Mapping[Mode, str]
    formulations: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    package: str = ""
    gpu: tuple[str, ...] = ()
    parallel: str = ""

    @property
    def install(self) -> str:
        """The command that installs them: from this folder, where it is a copy of the sources, else from an index."""
        if self.package:
            return f"pip install {self.package}"
        sources = Path(__file__).parent.parent / "pyproject.toml"
        package = f'-e ".[{self.name}]"' if sources.is_file() else f'"sidebyside[{self.name}]"'
        return f"pip install {package}"

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The training loops that the backend has."""
        return tuple(self.models)

    def modes_on(self, device: str) -> tuple[Mode, ...]:
        """The training loops that the backend has for a device, or for several that train one model."""
        if len(single_devices(device)) == 1:
            return self.modes
        return ("tuned",) if self.parallel else ()

    def model(self, mode: Mode, device: str) -> str:
        """The class of the model, of one of the modes for the device."""
        return self.models[mode] if len(single_devices(device)) == 1 else self.parallel

    def versions(self) -> dict[str, str]:
        """The versions of the distributions; ``unknown`` where one is not installed as a package."""
        versions = {}
        for distribution in self.distributions:
            try:
                versions[distribution] = version(distribution)
            except PackageNotFoundError:
                versions[distribution] = "unknown"
        return versions


def load_class(name: str) -> Any:
    """Imports ``package.module`` and returns its class, for ``package.module.Class``."""
    module, _, class_name = name.rpartition(".")
    return getattr(importlib.import_module(module), class_name)
