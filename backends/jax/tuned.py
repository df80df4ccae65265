"""The fastest correct loop in JAX: every epoch of a call in one compiled scan, the data resident on the device."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import lax
from numpy.typing import NDArray

from backends.jax.model import JaxModel, Network, make_optimizer
from backends.jax.tuned_layers import tuned_layers
from tasks.batches import Batches
from tasks.dataset import Dataset

State = tuple[Any, Any]
"""The network's parameters and the optimizer's state."""


class TunedModel(JaxModel):
    """Answers by the common network, trains by one with the same parameters whose layers suit a scan."""

    training_graph: Any = None

    def start_optimizer(self) -> None:
        on_cpu = self.jax_device.platform == "cpu"
        if self.training_graph is None:
            network = nnx.eval_shape(lambda: Network(self.recipe.architecture, tuned_layers(on_cpu)))
            self.training_graph = nnx.graphdef(network)
        self.settings = {
            "compiled": "jax.jit of a scan over all epochs of a call",
            "layout": "NHWC",
            "convolution": "a sum of shifted images, where an output has few inputs" if on_cpu else "XLA's",
        }
        self.optimizer = make_optimizer(self.recipe.optimizer)
        self.optimizer_state = jax.device_put(self.optimizer.init(nnx.state(self.network)), self.jax_device)

    def place(self, dataset: Dataset) -> None:
        self.data = jax.device_put((dataset.train_inputs, dataset.train_labels), self.jax_device)

    def held_data(self) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        inputs, labels = self.data
        return np.asarray(inputs), np.asarray(labels)

    def held_batches(self, batches: Batches) -> Batches:
        return Batches(*map(np.asarray, self._on_device(batches)))

    def train(self, batches: Batches) -> NDArray[np.float32]:
        state = (nnx.state(self.network), self.optimizer_state)
        (parameters, self.optimizer_state), losses = self._run(state, *self.data, *self._on_device(batches))
        nnx.update(self.network, parameters)
        return np.asarray(losses)

    # The state is donated: its memory is written over instead of copied.
    @partial(jax.jit, static_argnums=0, donate_argnums=1)
    def _run(
        self, state: State, inputs: jax.Array, labels: jax.Array, indices: jax.Array, remainder: jax.Array
    ) -> tuple[State, jax.Array]:
        def step(state: State, batch: jax.Array) -> tuple[State, jax.Array]:
            # Dispatching an nnx.jit costs about 1 ms: the module is split outside and merged while tracing.
            def loss_of(parameters: Any) -> jax.Array:
                network: Network = nnx.merge(self.training_graph, parameters)
                return self.loss(network(inputs[batch]), labels[batch])

            parameters, optimizer_state = state
            loss, gradients = jax.value_and_grad(loss_of)(parameters)
            updates, optimizer_state = self.optimizer.update(gradients, optimizer_state, parameters)
            return (optax.apply_updates(parameters, updates), optimizer_state), loss

        def epoch(state: State, batches: tuple[jax.Array, jax.Array]) -> tuple[State, jax.Array]:
            full, rest = batches
            state, losses = lax.scan(step, state, full)
            if rest.shape[0]:
                state, loss = step(state, rest)
                losses = jnp.append(losses, loss)
            return state, losses

        return lax.scan(epoch, state, (indices, remainder))

    def _on_device(self, batches: Batches) -> tuple[jax.Array, jax.Array]:
        placed: tuple[jax.Array, jax.Array] = jax.device_put((batches.indices, batches.remainder), self.jax_device)
        return placed
