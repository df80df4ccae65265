"""Which models are compared, and how they are measured and reported. Imports no framework."""

from compare.api import Comparison, compare

__all__ = ["Comparison", "compare"]
