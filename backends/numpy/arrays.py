"""The types of what goes through the reference's layers."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
LayerParameters = dict[str, Array]
Forward = Callable[[Any, Any, LayerParameters], tuple[Array, Any]]
Backward = Callable[[Any, Any, Array], tuple[Any, LayerParameters]]
