"""The network in Keras layers on TensorFlow, its loss and its optimizer; parameters in and out."""

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from backends.base import Backend, Dtype, Mode, Model, Setting
from tasks.architecture import Architecture, Parameters
from tasks.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Shape, Sigmoid, Softmax, Tanh
from tasks.task import Recipe
from tasks.training import SGD, Loss, Optimizer

BuildLayer = Callable[[Any, Shape], keras.layers.Layer]


class KerasBackend(Backend):
    name = "keras"
    distributions = ("keras", "tensorflow")

    def configure(self, threads: int) -> dict[str, Setting]:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.config.experimental.enable_tensor_float_32_execution(False)  # on by default
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
        keras.config.set_floatx("float32")  # a user's keras.json may say otherwise
        keras.config.set_image_data_format("channels_last")
        return {
            "matmul_precision": "highest",
            "threads": tf.config.threading.get_intra_op_parallelism_threads(),
            "flush_denormals": True,
        }

    def devices(self) -> tuple[str, ...]:
        return ("cpu", *(f"gpu:{index}" for index in range(len(tf.config.list_physical_devices("GPU")))))

    def matrix_product(self, size: int, device: str) -> Callable[[], object]:
        normal = np.random.default_rng(0).standard_normal((size, size), np.float32)
        with tf.device(f"/{device}"):
            matrix = tf.constant(normal)
        return lambda: tf.matmul(matrix, matrix)[0, 0].numpy()

    def peak_device_bytes(self, device: str) -> int | None:
        return None if device == "cpu" else tf.config.experimental.get_memory_info(device.upper())["peak"]

    def model_class(self, mode: Mode) -> type[Model]:
        if mode == "tuned":
            from backends.keras.tuned import TunedModel

            return TunedModel
        from backends.keras.stock import StockModel

        return StockModel


# Keras layers take the canonical layout as it is: NHWC, kernels (in, out) and (height, width, in, out).
LAYERS: dict[type[Layer], BuildLayer] = {
    Dense: lambda layer, shape: keras.layers.Dense(layer.units),
    Conv2D: lambda layer, shape: keras.layers.Conv2D(
        layer.filters, layer.kernel_size, strides=layer.strides, padding=layer.padding
    ),
    MaxPool2D: lambda layer, shape: keras.layers.MaxPooling2D(layer.size),
    Flatten: lambda layer, shape: keras.layers.Flatten(),
    ReLU: lambda layer, shape: keras.layers.ReLU(),
    Tanh: lambda layer, shape: keras.layers.Activation("tanh"),
    Sigmoid: lambda layer, shape: keras.layers.Activation("sigmoid"),
    Softmax: lambda layer, shape: keras.layers.Softmax(),
}


def build_network(architecture: Architecture, layers: dict[type[Layer], BuildLayer]) -> keras.Sequential:
    """The architecture's layers, one after the other."""
    return keras.Sequential(
        [
            keras.Input(architecture.input_shape),
            *(
                layers[type(layer)](layer, shape)
                for layer, shape in zip(architecture.layers, architecture.shapes, strict=False)
            ),
        ]
    )


def loss_function(loss: Loss) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """The loss of a batch from the labels (n,) and the network's outputs (n, outputs), in Keras's order."""
    if loss == "cross_entropy":
        # Not keras.losses' function of probabilities, nor Keras's own guess: it looks for a softmax that made its
        # input and, finding one, takes the logits before it, so that the as-written recipe would come out right.
        return lambda labels, outputs: tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=_indices(labels), logits=outputs)
        )
    if loss == "negative_log_likelihood":
        return lambda labels, outputs: -tf.reduce_mean(tf.gather(outputs, _indices(labels), batch_dims=1))
    return lambda labels, outputs: tf.reduce_sum(
        tf.square(outputs - tf.cast(tf.reshape(labels, [-1, 1]), outputs.dtype))
    )


def _indices(labels: tf.Tensor) -> tf.Tensor:
    """Labels as integers (n,): ``fit`` hands them to the loss as floats."""
    return tf.reshape(tf.cast(labels, tf.int32), [-1])


class PaperAdam(keras.optimizers.Adam):
    """Adam with epsilon added to the bias-corrected root; Keras's own adds it before the correction."""

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        step = tf.cast(self.iterations + 1, variable.dtype)
        m, v = (moments[self._get_variable_index(variable)] for moments in (self._momentums, self._velocities))
        m.assign(self.beta_1 * m + (1 - self.beta_1) * gradient)
        v.assign(self.beta_2 * v + (1 - self.beta_2) * tf.square(gradient))
        m_hat = m / (1 - tf.pow(tf.cast(self.beta_1, variable.dtype), step))
        v_hat = v / (1 - tf.pow(tf.cast(self.beta_2, variable.dtype), step))
        variable.assign_sub(learning_rate * m_hat / (tf.sqrt(v_hat) + self.epsilon))


def make_optimizer(
    optimizer: Optimizer, sgd: type[keras.optimizers.SGD] = keras.optimizers.SGD
) -> keras.optimizers.Optimizer:
    """The task's rule. Keras's SGD has the learning rate inside the momentum: the same while the rate is constant."""
    if isinstance(optimizer, SGD):
        return sgd(optimizer.learning_rate, momentum=optimizer.momentum)
    return PaperAdam(optimizer.learning_rate, optimizer.beta_1, optimizer.beta_2, optimizer.epsilon)


class KerasModel(Model):
    """What tuned and stock share: the network, its parameters, its answers."""

    layers = LAYERS

    def __init__(self, recipe: Recipe, parameters: Parameters, device: str, dtype: Dtype) -> None:
        super().__init__(recipe, parameters, device, dtype)
        self.loss = loss_function(recipe.loss)
        with tf.device(f"/{device}"):
            self.network = build_network(recipe.architecture, self.layers)
            self.forward = tf.function(lambda inputs: self.network(inputs, training=False), reduce_retracing=True)
        self.load_parameters(parameters)

    def load_parameters(self, parameters: Parameters) -> None:
        for key, variable in self._variables().items():
            variable.assign(parameters[key])
        self.start_optimizer()

    def start_optimizer(self) -> None:
        """Makes the optimizer with fresh state."""
        raise NotImplementedError

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
        with tf.device(f"/{self.device}"):
            outputs: NDArray[np.floating] = self.forward(tf.convert_to_tensor(inputs)).numpy()
        return outputs

    def loss_and_gradients(self, inputs: NDArray[np.float32], labels: NDArray[np.int32]) -> tuple[float, Parameters]:
        variables = self._variables()
        with tf.device(f"/{self.device}"), tf.GradientTape() as tape:
            loss = self.loss(tf.convert_to_tensor(labels), self.network(tf.convert_to_tensor(inputs), training=True))
        gradients = tape.gradient(loss, [variable.value for variable in variables.values()])
        return float(loss), {key: gradient.numpy() for key, gradient in zip(variables, gradients, strict=True)}

    def parameters(self) -> Parameters:
        return {key: np.array(variable) for key, variable in self._variables().items()}

    def parameter_count(self) -> int:
        return int(self.network.count_params())

    def parameter_devices(self) -> set[str]:
        names = {variable.value.device.rpartition("device:")[2].lower() for variable in self._variables().values()}
        return {"cpu" if name.startswith("cpu") else name for name in names}

    def _variables(self) -> dict[str, Any]:
        """Keras's variables by canonical key: Keras lists kernel, then bias, layer by layer, as the architecture."""
        shapes = self.recipe.architecture.parameter_shapes
        return dict(zip(shapes, self.network.trainable_variables, strict=True))
