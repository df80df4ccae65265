"""The types of what the layers take and return."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
LayerParameters = dict[str, Array]
"""A layer's own parameters and state, or the gradients of its parameters, by name."""
Forward = Callable[[Any, Any, LayerParameters], tuple[Array, Any]]
Backward = Callable[[Any, Any, Array], tuple[Any, LayerParameters]]
