"""The fastest correct loop in Keras on TensorFlow: every epoch of a call in one ``tf.function``, the data resident."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from backends.keras.model import KerasModel, make_optimizer
from tasks.batches import Batches
from tasks.dataset import Dataset
from tasks.layers import Conv2D


class FusedSGD(keras.optimizers.SGD):
    """Keras's rule by TensorFlow's own kernel for it: one call, where Keras's is one for each operation."""

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        if not self.momentum:
            return super().update_step(gradient, variable, learning_rate)
        velocity = self.momentums[self._get_variable_index(variable)]
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=velocity.value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=gradient,
            momentum=tf.constant(self.momentum, variable.dtype),
        )


class TunedModel(KerasModel):
    @cached_property
    def in_turn(self) -> list[Callable[[tf.Tensor], tf.Tensor]]:
        """The network's layers, but where a ReLU and a pool follow a convolution, the pool comes first."""
        layers = list(self.network.layers)
        for index in reversed(self.recipe.architecture.pooled_convolutions):
            layers[index : index + 3] = [partial(pool_first, *layers[index : index + 3])]
        return layers

    def start_optimizer(self) -> None:
        # XLA is the faster way for dense networks and, on a CPU, the slower one for convolutions.
        convolutional = any(isinstance(layer, Conv2D) for layer in self.recipe.architecture.layers)
        xla = self.device != "cpu" or not convolutional
        self.settings = {
            "compiled": f"tf.function over all epochs of a call, {'with' if xla else 'without'} XLA",
            "layout": "NHWC",
        }
        with tf.device(f"/{self.device}"):
            self.optimizer = make_optimizer(self.recipe.optimizer, sgd=FusedSGD)
            self.optimizer.build(self.network.trainable_variables)
        self.run = tf.function(self._run, jit_compile=xla)

    def place(self, dataset: Dataset) -> None:
        with tf.device(f"/{self.device}"):
            self.data = tf.constant(dataset.train_inputs), tf.constant(dataset.train_labels)

    def held_data(self) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        inputs, labels = self.data
        return inputs.numpy(), labels.numpy()

    def held_batches(self, batches: Batches) -> Batches:
        return Batches(*(tensor.numpy().astype(np.int32) for tensor in self._on_device(batches)))

    def train(self, batches: Batches) -> NDArray[np.float32]:
        with tf.device(f"/{self.device}"):
            losses: NDArray[np.float32] = self.run(*self.data, *self._on_device(batches)).numpy()
        return losses

    def train_step(self, inputs: tf.Tensor, labels: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
        """Gather, forward, loss, backward, update."""
        with tf.GradientTape() as tape:
            x = tf.gather(inputs, batch)
            for layer in self.in_turn:
                x = layer(x)
            loss = self.loss(tf.gather(labels, batch), x)
        variables = self.network.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    def _run(self, inputs: tf.Tensor, labels: tf.Tensor, indices: tf.Tensor, remainder: tf.Tensor) -> tf.Tensor:
        (epochs, full_steps, _), rest = indices.shape, remainder.shape[1]
        losses = tf.TensorArray(tf.float32, size=epochs * (full_steps + (rest > 0)), element_shape=())
        written = 0
        for epoch in tf.range(epochs):
            for step in tf.range(full_steps):
                losses = losses.write(written, self.train_step(inputs, labels, indices[epoch, step]))
                written += 1
            if rest:
                losses = losses.write(written, self.train_step(inputs, labels, remainder[epoch]))
                written += 1
        return tf.reshape(losses.stack(), [epochs, -1])

    def _on_device(self, batches: Batches) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.device(f"/{self.device}"):
            # TensorFlow keeps int32 in host memory even on a GPU: indices travel as int64.
            return tf.constant(batches.indices, tf.int64), tf.constant(batches.remainder, tf.int64)


def pool_first(
    convolution: keras.layers.Conv2D, relu: keras.layers.Layer, pool: keras.layers.Layer, x: tf.Tensor
) -> tf.Tensor:
    """Convolution, pool, bias, ReLU: bias and ReLU keep the order of numbers, and of pooled ones there are fewer."""
    x = convolution.convolution_op(x, convolution.kernel)
    return relu(pool(x) + convolution.bias)
