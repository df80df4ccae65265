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

from backends.jax.backend import compiled
from backends.jax.layers import LAYERS
from backends.jax.model import Model, _canonical_state
from backends.jax.network import Network, _compute_in, build_network
from backends.jax.training import make_optimizer
from backends.jax.tuned_layers import TUNED_LAYERS, _conv2d_by_image, _has_few_inputs
from tasks.batches import Batches
from tasks.dataset import Dataset, Labels
from tasks.layers import Conv2D
from tasks.task import Recipe
from tasks.training import OptimizerState

_MANY_IMAGES = 100
"""From this batch size on, a product for each image, which the processor's cache holds, is likely to be faster."""
_COMMAND_BUFFERS: dict[str, str | bool] = {
    "xla_gpu_enable_command_buffer": "FUSION,CUBLAS,CUBLASLT,CUDNN,WHILE",
    "xla_gpu_command_buffer_unroll_loops": True,
}
"""What XLA is told, for a GPU to be given the kernels of many steps at once; by default those of one step at most."""
_State = tuple[Any, Any, Any]
"""The network's parameters, the state of its layers, and the optimizer's state."""


class TunedModel(Model):
    """Answers by the common network, and trains the same parameters in a network of the tuned layers."""

    @classmethod
    def formulations(cls, recipe: Recipe, device: str) -> tuple[str, ...]:
        """How the gradient of kernels of few inputs is computed, where there are any; how a GPU is given its work."""
        if not device.startswith("cpu"):
            return "library", "command-buffers"
        few = any(_has_few_inputs(recipe.architecture, node) for node in recipe.architecture.nodes)
        if not few or recipe.arithmetic != "float32":
            return ()
        forms = "one-product", "product-for-each-image"
        return forms if recipe.batch_size < _MANY_IMAGES else forms[::-1]

    def build(self) -> Network:
        """Builds both networks on the device, once; of the one that trains the structure alone, without parameters."""
        # The architecture is not fused: XLA makes slower code of a convolution whose bias and ReLU follow the pool.
        layers = dict(TUNED_LAYERS)
        if not self.device.startswith("cpu"):
            layers[Conv2D] = LAYERS[Conv2D]  # the convolution as a sum is for a CPU alone
        elif self.formulation == "product-for-each-image":
            layers[Conv2D] = _conv2d_by_image
        options = _COMMAND_BUFFERS if self.formulation == "command-buffers" else None
        # The state is donated: its memory is written over instead of copied.
        self._run = jax.jit(self._train_epochs, donate_argnums=0, compiler_options=options)
        network = nnx.eval_shape(lambda: build_network(self.recipe.architecture, layers))
        network = _compute_in(self.recipe.arithmetic, network)
        network.train()
        self.training_network = nnx.graphdef(network)
        return super().build()

    def layer_outputs(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.floating]]:
        """Of the network that is trained, with the common one's parameters and state."""
        _, parameters, layers = nnx.split(self.network, nnx.Param, ...)
        return self._outputs_in(nnx.merge(self.training_network, parameters, layers, copy=True), inputs)

    def place(self, dataset: Dataset) -> None:
        """Puts the inputs (n, *input_shape), images NHWC, and labels (n,) on the device."""
        self.data = jax.device_put((dataset.train_inputs, dataset.train_labels), self.own_device)

    def held_data(self) -> tuple[NDArray[np.float32], Labels]:
        """The inputs (n, *input_shape) and labels (n,), read back from the device."""
        inputs, labels = self.data
        return np.asarray(inputs), np.asarray(labels)

    def held_batches(self, batches: Batches) -> Batches:
        """The batches, read back from the device."""
        return Batches(*map(np.asarray, self.on_device(batches)))

    def start(self) -> None:
        """Makes optax's optimizer with fresh state."""
        convolution = (
            "a sum of shifted images where an output has few inputs, else of matrix products"
            if self.device.startswith("cpu")
            else "XLA's"
        )
        self.settings = {
            "compiled": compiled("jax.jit of a scan over all epochs of a call"),
            "layout": "NHWC",
            "convolution": convolution,
        }
        self.optimizer = make_optimizer(self.recipe)
        self.state = jax.device_put(self.optimizer.init(nnx.state(self.network, nnx.Param)), self.own_device)

    def optimizer_state(self) -> OptimizerState:
        """The moments and the count of steps in optax's state, in the canonical form."""
        return _canonical_state(self.state, self.network, self.recipe)

    def train(self, batches: Batches) -> NDArray[np.float32]:
        """Trains in one call of the compiled scan; returns the loss of every step, (epochs, steps)."""
        _, parameters, layers = nnx.split(self.network, nnx.Param, ...)
        state = (parameters, layers, self.state)
        (parameters, layers, self.state), losses = self._run(state, *self.data, *self.on_device(batches))
        nnx.update(self.network, parameters, layers)
        return np.asarray(losses)

    def train_step(
        self, inputs: jax.Array, labels: jax.Array, state: _State, batch: jax.Array
    ) -> tuple[_State, jax.Array]:
        """Gather, forward, loss, backward, update; returns the loss of the batch of indices (batch_size,).

        JAX's functions change nothing: the parameters and the optimizer's state go in, and new ones come out.
        """
        parameters, layers, optimizer_state = state
        x, y = inputs[batch], labels[batch]

        # Dispatching an nnx.jit costs about 1 ms: the module is split outside and merged while tracing.
        def loss_of(parameters: Any) -> tuple[jax.Array, Any]:
            network = nnx.merge(self.training_network, parameters, layers, copy=True)
            loss = self.loss(network(x), y)
            return loss, nnx.state(network, nnx.Not(nnx.Param))

        (loss, layers), gradients = jax.value_and_grad(loss_of, has_aux=True)(parameters)
        parameters, optimizer_state = self.update(parameters, gradients, optimizer_state)
        return (parameters, layers, optimizer_state), loss

    def update(self, parameters: Any, gradients: Any, optimizer_state: Any) -> tuple[Any, Any]:
        """The task's optimizer; returns the new parameters and the optimizer's new state."""
        updates, optimizer_state = self.optimizer.update(gradients, optimizer_state, parameters)
        return optax.apply_updates(parameters, updates), optimizer_state

    def on_device(self, batches: Batches) -> tuple[jax.Array, jax.Array]:
        """The indices (epochs, steps, batch_size) and the remainder (epochs, rest) of the batches, on the device."""
        return jax.device_put((batches.indices, batches.remainder), self.own_device)

    def _train_epochs(
        self, state: _State, inputs: jax.Array, labels: jax.Array, indices: jax.Array, remainder: jax.Array
    ) -> tuple[_State, jax.Array]:
        """One graph for all epochs; arguments and result as in ``on_device`` and ``train``."""
        step = partial(self.train_step, inputs, labels)

        def epoch(state: _State, batches: tuple[jax.Array, jax.Array]) -> tuple[_State, jax.Array]:
            full, rest = batches
            state, losses = lax.scan(step, state, full)
            if rest.shape[0]:
                state, loss = step(state, rest)
                losses = jnp.append(losses, loss)
            return state, losses

        return lax.scan(epoch, state, (indices, remainder))
