"""In which order the features of dense layers are, in each of two models."""

from collections.abc import Sequence

import numpy as np

from backends.own import Array, Call, flatten_order


class Orders:
    """In which order the features of dense layers are, where they are of an image that was flattened."""

    def __init__(self, first: Sequence[Call], second: Sequence[Call]) -> None:
        self.first, self.second = first, second

    def between(self, one_at: int, at: int) -> Array | None:
        """Of each feature of the second's layer, the place that it has in the first's; None where they are the same."""
        one, other = self.first[one_at], self.second[at]
        if one.kind != "dense" or one.inputs[0].shape != other.inputs[0].shape:
            return None
        of_first, of_second = flatten_order(one, self.first[:one_at]), flatten_order(other, self.second[:at])
        if (of_first is None) == (of_second is None):
            return None
        return of_second if of_first is None else np.argsort(of_first)

    def input_of(self, one_at: int, at: int, array: Array) -> Array:
        """The first's input in the second's order."""
        order = self.between(one_at, at)
        return array if order is None else array[:, order]
