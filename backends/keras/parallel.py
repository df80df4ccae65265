"""Data-parallel training in Keras on TensorFlow: ``tf.distribute.MirroredStrategy``, a replica on each device."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from backends.base import DeviceUnavailableError
from backends.devices import single_devices
from backends.keras.backend import compiled, device_of
from backends.keras.model import Model
from backends.keras.network import Network, variables
from backends.keras.stateful import _MaskedDropout
from backends.keras.training import _canonical_state, make_optimizer
from tasks.architecture import Parameters
from tasks.batches import Batches
from tasks.dataset import Dataset, Labels
from tasks.layers import BatchNorm
from tasks.task import Recipe
from tasks.training import OptimizerState


class ParallelModel(Model):
    """Trains a replica of the network on each device; the optimizer adds up their gradients in every step."""

    def __init__(
        self, recipe: Recipe, parameters: Parameters, device: str, dtype: str, formulation: str | None = None
    ) -> None:
        if any(isinstance(layer, BatchNorm) for layer in recipe.architecture.layers):
            raise DeviceUnavailableError(
                "keras loses digits of the variance when it normalizes a batch over several devices (it subtracts the"
                " square of the mean from the mean of squares): train a network with batch normalization on one device"
            )
        self.devices = single_devices(device)
        own = [device_of(name) for name in self.devices]
        # On GPUs the strategy's own choice is NCCL; the devices of a CPU add up on the first of them.
        adding = None if own[0].startswith("/gpu") else tf.distribute.ReductionToOneDevice()
        self.strategy = tf.distribute.MirroredStrategy(own, cross_device_ops=adding)
        super().__init__(recipe, parameters, self.devices[0], dtype)
        self.device = device

    def build(self) -> Network:
        """Builds the network, whose variables are mirrored on all devices, once."""
        with self.strategy.scope():
            return super().build()

    def parameter_devices(self) -> set[str]:
        """The devices on which TensorFlow holds the replicas' parameters."""
        mirrored = [variable.value for variable in self.network.trainable_variables]
        copies = [copy for variable in mirrored for copy in self.strategy.experimental_local_results(variable)]
        return {copy.device.rpartition("device:")[2].lower() for copy in copies}

    def place(self, dataset: Dataset) -> None:
        """Puts the inputs (n, *input_shape), images NHWC, and labels (n,) on every device."""
        self.data = []
        for name in self.devices:
            with tf.device(device_of(name)):
                self.data.append((tf.constant(dataset.train_inputs), tf.constant(dataset.train_labels)))

    def held_data(self) -> tuple[NDArray[np.float32], Labels]:
        """The inputs (n, *input_shape) and labels (n,), read back from the first device."""
        inputs, labels = self.data[0]
        return inputs.numpy(), labels.numpy()

    def held_batches(self, batches: Batches) -> Batches:
        """The batches as they are: every replica is told all of them, and takes its share."""
        return batches

    def start(self) -> None:
        """Makes Keras's optimizer with fresh state, and the function that trains by it."""
        self.settings = {
            "compiled": compiled("tf.function over all epochs of a call, without XLA"),
            "layout": "NHWC",
            "devices": len(self.devices),
        }
        with self.strategy.scope():
            self.optimizer = make_optimizer(self.recipe, variables(self.network, self.recipe.architecture))
            self.optimizer.build(self.network.trainable_variables)
        self._run = tf.function(self._train_epochs)

    def optimizer_state(self) -> OptimizerState:
        """The moments and the count of steps that Keras's optimizer keeps, in the canonical form."""
        return _canonical_state(self.optimizer, self.network, self.recipe)

    def train(self, batches: Batches) -> NDArray[np.float32]:
        """Trains in one call of the compiled function; returns the loss of every step, (epochs, steps)."""
        return self._run(tf.constant(batches.indices), tf.constant(batches.remainder)).numpy()

    def train_step(self, batch: tf.Tensor) -> tf.Tensor:
        """Forward, loss, backward of all replicas with a batch of indices (batch_size,), and one update; its loss."""
        parameters, others = self.network.trainable_variables, self.network.non_trainable_variables
        size = batch.shape[0]
        shares = np.array_split(np.arange(size), len(self.devices))
        dropouts = [layer for layer in self.network.layers if isinstance(layer, _MaskedDropout)]
        rows = {id(layer.next_row) for layer in dropouts}
        in_sum = self.recipe.loss == "sum_of_squared_errors"

        def replica_step() -> tuple[tf.Tensor, list[tf.Tensor]]:
            rank = int(tf.get_static_value(tf.distribute.get_replica_context().replica_id_in_sync_group))
            share, (inputs, labels) = shares[rank], self.data[rank]
            weight = len(share) / size if not in_sum else float(len(share) > 0)
            # A last batch may have fewer examples than there are devices: one is computed for nothing then.
            taken = tf.gather(batch, share if len(share) else [0])
            # The masks of dropout are by an example's place in the batch, the only state that is left.
            held = [variable + (share[0] if len(share) and id(variable) in rows else 0) for variable in others]
            with tf.GradientTape() as tape:
                outputs, _ = self.network.stateless_call(parameters, held, tf.gather(inputs, taken), training=True)
                loss = self.loss(outputs, tf.gather(labels, taken)) * weight
            return loss, tape.gradient(loss, [parameter.value for parameter in parameters])

        losses, gradients = self.strategy.run(replica_step)
        summed = [self.strategy.reduce("SUM", gradient, axis=None) for gradient in gradients]
        self.optimizer.apply_gradients(zip(summed, parameters, strict=True))
        for layer in dropouts:
            layer.next_row.assign((layer.next_row + size) % layer.table.shape[0])
        return self.strategy.reduce("SUM", losses, axis=None)

    def _train_epochs(self, indices: tf.Tensor, remainder: tf.Tensor) -> tf.Tensor:
        """One graph for all epochs; arguments as the batches', result as of ``train``."""
        (epochs, full_steps, _), rest = indices.shape, remainder.shape[1]
        losses = tf.TensorArray(tf.float32, size=epochs * (full_steps + (rest > 0)), element_shape=())
        written = 0
        for epoch in tf.range(epochs):
            for step in tf.range(full_steps):
                losses = losses.write(written, self.train_step(indices[epoch, step]))
                written += 1
            if rest:
                losses = losses.write(written, self.train_step(remainder[epoch]))
                written += 1
        return tf.reshape(losses.stack(), [epochs, -1])
