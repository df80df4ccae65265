"""The fastest correct loop in Keras on TensorFlow: every epoch of a call in one ``tf.function``, the data resident."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from backends.fusion import fuse, fused_names
from backends.keras.backend import compiled
from backends.keras.model import Model
from backends.keras.network import Network, build_network, layer_outputs, state, variables
from backends.keras.training import _SGD, _canonical_state, _learning_rate, make_optimizer
from backends.keras.tuned_layers import TUNED_LAYERS
from tasks.batches import Batches
from tasks.dataset import Dataset, Labels
from tasks.layers import Conv2D, ConvTranspose2D
from tasks.task import Recipe
from tasks.training import SGD, OptimizerState


class TunedModel(Model):
    """Answers by the common network, and trains the same parameters in a network of the tuned layers."""

    @classmethod
    def formulations(cls, recipe: Recipe, device: str) -> tuple[str, ...]:
        """With XLA or without; convolutions on a CPU without, where XLA takes several times as long."""
        if device != "cpu":
            return ("xla",)
        convolutional = any(isinstance(layer, Conv2D | ConvTranspose2D) for layer in recipe.architecture.layers)
        return ("graph",) if convolutional else ("xla", "graph")

    def build(self) -> Network:
        """Builds both networks on the device, once."""
        with tf.device(self.own_device):
            self.training_network = build_network(fuse(self.recipe.architecture), TUNED_LAYERS)
        return super().build()

    def layer_outputs(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.floating]]:
        """Of the network that is trained; layers that are fused have one output, under the names of all."""
        names, architecture = fused_names(self.recipe.architecture), fuse(self.recipe.architecture)
        for variable, held in zip(self.training_network.variables, self.network.variables, strict=True):
            variable.assign(held)  # it has none of its own: a training step is given the common network's
        with tf.device(self.own_device):
            outputs = layer_outputs(self.training_network, architecture, tf.convert_to_tensor(inputs))
        return {names[name]: output for name, output in outputs.items()}

    def place(self, dataset: Dataset) -> None:
        """Puts the inputs (n, *input_shape), images NHWC, and labels (n,) on the device."""
        with tf.device(self.own_device):
            self.data = tf.constant(dataset.train_inputs), tf.constant(dataset.train_labels)

    def held_data(self) -> tuple[NDArray[np.float32], Labels]:
        """The inputs (n, *input_shape) and labels (n,), read back from the device."""
        inputs, labels = self.data
        return inputs.numpy(), labels.numpy()

    def held_batches(self, batches: Batches) -> Batches:
        """The batches, read back from the device."""
        return Batches(*(tensor.numpy().astype(np.int32) for tensor in self.on_device(batches)))

    def start(self) -> None:
        """Makes Keras's optimizer with fresh state, and the function that trains by it."""
        xla = self.formulation == "xla"
        self.settings = {
            "compiled": compiled(f"tf.function over all epochs of a call, {'with' if xla else 'without'} XLA"),
            "layout": "NHWC",
        }
        rule, by_key = self.recipe.optimizer, variables(self.network, self.recipe.architecture)
        with tf.device(self.own_device):
            if isinstance(rule, SGD) and rule.momentum and not rule.convention:
                self.optimizer = _FusedSGD(rule, _learning_rate(self.recipe), self.recipe.clip_norm)
                if rule.weight_decay:
                    self.optimizer.decay_kernels(self.recipe, by_key)
            else:
                self.optimizer = make_optimizer(self.recipe, by_key)
            self.optimizer.build(self.network.trainable_variables)
        self._run = tf.function(self._train_epochs, jit_compile=xla)

    def optimizer_state(self) -> OptimizerState:
        """The moments and the count of steps that Keras's optimizer keeps, in the canonical form."""
        return _canonical_state(self.optimizer, self.network, self.recipe)

    def train(self, batches: Batches) -> NDArray[np.float32]:
        """Trains in one call of the compiled function; returns the loss of every step, (epochs, steps)."""
        with tf.device(self.own_device):
            return self._run(*self.data, *self.on_device(batches)).numpy()

    def train_step(self, inputs: tf.Tensor, labels: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
        """Gather, forward, loss, backward, update; returns the loss of the batch of indices (batch_size,)."""
        parameters, others = self.network.trainable_variables, self.network.non_trainable_variables
        x, y = tf.gather(inputs, batch), tf.gather(labels, batch)
        with tf.GradientTape() as tape:
            outputs, moved = self.training_network.stateless_call(parameters, others, x, training=True)
            loss = self.loss(outputs, y)
        self.update(parameters, tape.gradient(loss, parameters))
        held = {id(variable) for variable in state(self.network, self.recipe.architecture).values()}
        for variable, value in zip(others, moved, strict=True):
            if id(variable) in held:
                variable.assign(value)
        return loss

    def update(self, parameters: Sequence[Any], gradients: Sequence[tf.Tensor]) -> None:
        """The task's optimizer, in place."""
        self.optimizer.apply_gradients(zip(gradients, parameters, strict=True))

    def on_device(self, batches: Batches) -> tuple[tf.Tensor, tf.Tensor]:
        """The indices (epochs, steps, batch_size) and the remainder (epochs, rest) of the batches, on the device."""
        with tf.device(self.own_device):
            # TensorFlow keeps int32 in host memory even on a GPU: indices travel as int64.
            return tf.constant(batches.indices, tf.int64), tf.constant(batches.remainder, tf.int64)

    def _train_epochs(
        self, inputs: tf.Tensor, labels: tf.Tensor, indices: tf.Tensor, remainder: tf.Tensor
    ) -> tf.Tensor:
        """One graph for all epochs; arguments and result as in ``on_device`` and ``train``."""
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


class _FusedSGD(_SGD):
    """SGD by TensorFlow's own kernel for it: one call, where Keras's is one for each operation.

    Of its two, the one that keeps the learning rate out of the momentum.
    """

    def __init__(self, rule: SGD, rate: Any, clip_norm: float | None) -> None:
        super().__init__(rate, rule.momentum, rule.nesterov, global_clipnorm=clip_norm, name="fused_sgd")

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        tf.raw_ops.ResourceApplyMomentum(
            var=variable.handle,
            accum=self.momentums[self._get_variable_index(variable)].value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=self.decayed(gradient, variable),
            momentum=tf.constant(self.momentum, variable.dtype),
            use_nesterov=self.nesterov,
        )
