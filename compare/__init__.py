"""Which models are compared, and how they are measured and reported. Imports no framework."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compare.api import compare
    from compare.comparison import Comparison
    from tasks.variation import sweep

__all__ = ["Comparison", "compare", "sweep"]


def __getattr__(name: str) -> Any:
    """Imports the Python API where it is asked for: a worker, which imports this package too, needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from compare import api, comparison
    from tasks import variation

    return getattr({"compare": api, "Comparison": comparison, "sweep": variation}[name], name)
