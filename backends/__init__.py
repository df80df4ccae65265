"""How a framework does it. The only place that imports a framework, and only when a backend is loaded."""

from backends.registry import (
    REFERENCE,
    available_backends,
    framework_backends,
    load_backend,
    missing,
    modes,
    native,
)

__all__ = ["REFERENCE", "available_backends", "framework_backends", "load_backend", "missing", "modes", "native"]
