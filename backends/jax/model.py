"""The network in flax nnx, its loss and its optimizer in optax; parameters in and out."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from numpy.typing import NDArray

from backends.base import Backend, Dtype, Mode, Model, Setting, usable_cores
from tasks.architecture import Architecture, Parameters
from tasks.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Shape, Sigmoid, Softmax, Tanh
from tasks.task import Recipe
from tasks.training import SGD, Loss, Optimizer

BuildLayer = Callable[[Any, Shape, nnx.Rngs], Callable[[jax.Array], jax.Array]]


class JaxBackend(Backend):
    name = "jax"
    distributions = ("jax", "jaxlib", "flax", "optax")

    def configure(self, threads: int) -> dict[str, Setting]:
        # JAX has no thread setting: XLA's pool has one thread for each core of the process's affinity.
        jax.config.update("jax_default_matmul_precision", "highest")  # no TF32; without effect on a CPU
        return {"matmul_precision": "highest", "threads": usable_cores(), "flush_denormals": True}

    def devices(self) -> tuple[str, ...]:
        try:
            gpus = jax.devices("gpu")
        except RuntimeError:  # how JAX says that there are none
            gpus = []
        return ("cpu", *(f"gpu:{index}" for index in range(len(gpus))))

    def matrix_product(self, size: int, device: str) -> Callable[[], object]:
        platform, _, index = device.partition(":")
        normal = np.random.default_rng(0).standard_normal((size, size), np.float32)
        matrix = jax.device_put(normal, jax.devices(platform)[int(index or 0)])
        product = jax.jit(jnp.matmul)
        return lambda: product(matrix, matrix).block_until_ready()

    def peak_device_bytes(self, device: str) -> int | None:
        platform, _, index = device.partition(":")
        statistics = jax.devices(platform)[int(index or 0)].memory_stats() if platform != "cpu" else None
        return statistics["peak_bytes_in_use"] if statistics else None

    def model_class(self, mode: Mode) -> type[Model]:
        if mode == "tuned":
            from backends.jax.tuned import TunedModel

            return TunedModel
        from backends.jax.stock import StockModel

        return StockModel


def convolution(kind: type[nnx.Conv]) -> BuildLayer:
    """Builds convolutions of the class that is given."""
    return lambda layer, shape, rngs: kind(
        shape[2],
        layer.filters,
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding.upper(),
        kernel_init=nnx.initializers.zeros,
        rngs=rngs,
    )


# nnx layers take the canonical layout as it is: NHWC, kernels (in, out) and (height, width, in, out).
LAYERS: dict[type[Layer], BuildLayer] = {
    Dense: lambda layer, shape, rngs: nnx.Linear(shape[0], layer.units, kernel_init=nnx.initializers.zeros, rngs=rngs),
    Conv2D: convolution(nnx.Conv),
    MaxPool2D: lambda layer, shape, rngs: lambda x: nnx.max_pool(x, layer.size, strides=layer.size),
    Flatten: lambda layer, shape, rngs: lambda x: x.reshape(x.shape[0], -1),
    ReLU: lambda layer, shape, rngs: nnx.relu,
    Tanh: lambda layer, shape, rngs: nnx.tanh,
    Sigmoid: lambda layer, shape, rngs: nnx.sigmoid,
    Softmax: lambda layer, shape, rngs: nnx.softmax,
}


class Network(nnx.Module):
    """The architecture's layers, one after the other."""

    def __init__(self, architecture: Architecture, layers: dict[type[Layer], BuildLayer]) -> None:
        rngs = nnx.Rngs(0)  # nnx asks for a source of initial parameters; zeros need none, and are replaced anyway
        self.layers = nnx.List(
            layers[type(layer)](layer, shape, rngs)
            for layer, shape in zip(architecture.layers, architecture.shapes, strict=False)
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer in self.layers:
            x = layer(x)
        return x


def loss_function(loss: Loss) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """The loss of a batch from the network's outputs (n, outputs) and the labels (n,)."""
    if loss == "cross_entropy":
        return lambda outputs, labels: optax.softmax_cross_entropy_with_integer_labels(outputs, labels).mean()
    if loss == "negative_log_likelihood":
        return lambda outputs, labels: -jnp.take_along_axis(outputs, labels[:, None], axis=1).mean()
    return lambda outputs, labels: jnp.sum((outputs - labels[:, None]) ** 2)


def make_optimizer(optimizer: Optimizer) -> optax.GradientTransformation:
    """The task's rule: optax's SGD keeps the learning rate out of the momentum, its Adam adds epsilon last."""
    if isinstance(optimizer, SGD):
        return optax.sgd(optimizer.learning_rate, momentum=optimizer.momentum or None)
    return optax.adam(optimizer.learning_rate, optimizer.beta_1, optimizer.beta_2, optimizer.epsilon)


class JaxModel(Model):
    """What tuned and stock share: the network, its parameters, its answers."""

    def __init__(self, recipe: Recipe, parameters: Parameters, device: str, dtype: Dtype) -> None:
        super().__init__(recipe, parameters, device, dtype)
        platform, _, index = device.partition(":")
        self.jax_device = jax.devices(platform)[int(index or 0)]
        self.loss = loss_function(recipe.loss)
        with jax.default_device(self.jax_device):
            self.network = Network(recipe.architecture, LAYERS)
        self.load_parameters(parameters)

    def load_parameters(self, parameters: Parameters) -> None:
        for key, variable in self._variables().items():
            # A copy: on a CPU, JAX may take over the memory of a NumPy array, and training donates it.
            variable[...] = jax.device_put(jnp.array(parameters[key], self.dtype, copy=True), self.jax_device)
        self.start_optimizer()

    def start_optimizer(self) -> None:
        """Makes the optimizer with fresh state."""
        raise NotImplementedError

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
        return np.asarray(_forward(self.network, jax.device_put(inputs, self.jax_device)))

    def loss_and_gradients(self, inputs: NDArray[np.float32], labels: NDArray[np.int32]) -> tuple[float, Parameters]:
        def loss_of(network: Network, inputs: jax.Array, labels: jax.Array) -> jax.Array:
            return self.loss(network(inputs), labels)

        batch = jax.device_put((inputs, labels), self.jax_device)
        loss, gradients = nnx.jit(nnx.value_and_grad(loss_of))(self.network, *batch)
        return float(loss), _arrays(gradients.layers, self.recipe.architecture)

    def parameters(self) -> Parameters:
        return {key: np.array(variable[...]) for key, variable in self._variables().items()}

    def parameter_count(self) -> int:
        return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(self.network, nnx.Param)))

    def parameter_devices(self) -> set[str]:
        devices = {device for leaf in jax.tree.leaves(nnx.state(self.network)) for device in leaf.devices()}
        return {"cpu" if device.platform == "cpu" else f"gpu:{device.id}" for device in devices}

    def _variables(self) -> dict[str, Any]:
        return by_key(self.network.layers, self.recipe.architecture)


@nnx.jit
def _forward(network: Network, inputs: jax.Array) -> jax.Array:
    return network(inputs)


def by_key(layers: Any, architecture: Architecture) -> dict[str, Any]:
    """Nnx's variables, or their gradients, by canonical key."""
    found = {}
    for key in architecture.parameter_shapes:
        layer, _, parameter = key.partition("/")
        found[key] = getattr(layers[int(layer.partition("_")[0])], parameter)
    return found


def _arrays(layers: Any, architecture: Architecture) -> Parameters:
    return {key: np.array(variable[...]) for key, variable in by_key(layers, architecture).items()}
