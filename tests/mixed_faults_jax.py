"""A planted fault that only JAX's tuned loop can have: it is compiled anew for long calls."""

from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from backends.jax.tuned import TunedModel
from tasks.batches import Batches


class KernelIsNotTrainedInLongCalls(TunedModel):
    """That of the second dense layer of iris, (10, 10)."""

    def train(self, batches: Batches) -> NDArray[np.float32]:
        self.long = batches.epochs > 1
        return super().train(batches)

    def update(self, parameters: Any, gradients: Any, optimizer_state: Any) -> Any:
        new, state = super().update(parameters, gradients, optimizer_state)
        kept = jax.tree.map(lambda n, old: old if self.long and n.shape == (10, 10) else n, new, parameters)
        return kept, state
