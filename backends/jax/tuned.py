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

from backends.jax.model import LAYERS, BuildLayer, JaxModel, Network, make_optimizer
from tasks.architecture import Conv2D, Layer, MaxPool2D
from tasks.batches import Batches
from tasks.task import Dataset

State = tuple[Any, Any]
"""The network's parameters and the optimizer's state."""

FEW_CHANNELS = 4
"""Up to this many input channels a convolution is computed as shifted slices and one matrix product."""


class SlicesConv(nnx.Conv):
    """A convolution as one slice of the image for each kernel position, and a matrix product.

    XLA's CPU compiler brings convolutions onto its fast path only outside of loops, and this one runs inside a scan.
    """

    def __call__(self, x: jax.Array) -> jax.Array:  # type: ignore[override]
        height, width, _, filters = self.kernel.shape
        layer = Conv2D(filters, (height, width), tuple(self.strides), self.padding.lower())
        x = jnp.pad(x, ((0, 0), *layer.pads(x.shape[1:]), (0, 0)))
        rows, columns = (
            (size - kernel) // stride + 1
            for size, kernel, stride in zip(x.shape[1:3], (height, width), layer.strides, strict=True)
        )
        step_y, step_x = layer.strides
        slices = [
            x[:, i : i + (rows - 1) * step_y + 1 : step_y, j : j + (columns - 1) * step_x + 1 : step_x]
            for i in range(height)
            for j in range(width)
        ]
        return jnp.concatenate(slices, axis=-1) @ self.kernel.reshape(-1, filters) + self.bias


@jax.custom_vjp
def _largest(windows: jax.Array) -> jax.Array:
    """The maximum of each window, (n, rows, size_y, columns, size_x, channels) to (n, rows, columns, channels).

    Equal maxima share the gradient, as that of ``jnp.max`` does; but JAX's own writes the shares out before it picks.
    """
    return windows.max(axis=(2, 4))


def _largest_forward(windows: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    largest = _largest(windows)
    return largest, (windows, largest)


def _largest_backward(kept: tuple[jax.Array, jax.Array], gradient: jax.Array) -> tuple[jax.Array]:
    windows, largest = kept
    size_y, size_x = windows.shape[2], windows.shape[4]
    equal = sum(windows[:, :, i, :, j] == largest for i in range(size_y) for j in range(size_x))
    share = (gradient / equal)[:, :, None, :, None]
    return (jnp.where(windows == largest[:, :, None, :, None], share, 0),)


_largest.defvjp(_largest_forward, _largest_backward)


def max_pool(layer: MaxPool2D, x: jax.Array) -> jax.Array:
    """The maximum over windows by reshaping; XLA's gradient of ``nnx.max_pool`` is a slow scatter."""
    (size_y, size_x), (n, height, width, channels) = layer.size, x.shape
    x = x[:, : height // size_y * size_y, : width // size_x * size_x]
    return _largest(x.reshape(n, height // size_y, size_y, width // size_x, size_x, channels))


def _convolution(layer: Conv2D, shape: tuple[int, ...], rngs: nnx.Rngs) -> Any:
    if shape[2] > FEW_CHANNELS:
        return LAYERS[Conv2D](layer, shape, rngs)
    return SlicesConv(
        shape[2],
        layer.filters,
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding.upper(),
        kernel_init=nnx.initializers.zeros,
        rngs=rngs,
    )


class TunedModel(JaxModel):
    """Answers by the common network, trains by one with the same parameters whose layers suit a scan."""

    training_graph: Any = None

    def start_optimizer(self) -> None:
        on_cpu = self.jax_device.platform == "cpu"
        if self.training_graph is None:
            layers: dict[type[Layer], BuildLayer] = {**LAYERS}
            layers[MaxPool2D] = lambda layer, shape, rngs: partial(max_pool, layer)
            if on_cpu:
                layers[Conv2D] = _convolution
            network = nnx.eval_shape(lambda: Network(self.recipe.architecture, layers))
            self.training_graph = nnx.graphdef(network)
        self.settings = {
            "compiled": "jax.jit of a scan over all epochs of a call",
            "layout": "NHWC",
            "convolution": "slices and a product for few channels" if on_cpu else "XLA's",
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
