"""The loop of Keras's own tutorials: ``compile`` and ``fit``, called once for all epochs."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from backends.host_data import HostData
from backends.keras.backend import compiled
from backends.keras.model import Model
from backends.keras.network import variables
from backends.keras.training import _canonical_state, _loss_for_fit, make_optimizer
from tasks.batches import Batches
from tasks.training import OptimizerState


class StockModel(HostData, Model):
    """Trains as a newcomer is told to: ``fit`` has the loop."""

    def held_batches(self, batches: Batches) -> Batches:
        """The batches as the ``tf.data`` pipeline gives them."""
        steps = [batch.numpy() for batch in self._order(batches)]
        epochs = [steps[start : start + batches.steps] for start in range(0, len(steps), batches.steps)]
        full = np.array([epoch[: batches.full_steps] for epoch in epochs], np.int32)
        rest = [epoch[-1] if batches.rest else np.empty(0) for epoch in epochs]
        return Batches(full, np.array(rest, np.int32))

    def start(self) -> None:
        """Compiles the network for ``fit`` anew, with Keras's optimizer with fresh state."""
        self.settings = {
            "compiled": compiled("model.fit's tf.function of a step"),
            "layout": "NHWC",
            "input": "arrays prepared beforehand, of which tf.data gathers a batch",
        }
        with tf.device(self.own_device):
            optimizer = make_optimizer(self.recipe, variables(self.network, self.recipe.architecture))
            self.network.compile(optimizer=optimizer, loss=_loss_for_fit(self.recipe))

    def optimizer_state(self) -> OptimizerState:
        """The moments and the count of steps that Keras's optimizer keeps, in the canonical form."""
        return _canonical_state(self.network.optimizer, self.network, self.recipe)

    def train(self, batches: Batches) -> NDArray[np.float32]:
        """Trains in one call of ``fit``; returns the mean loss of every epoch, (epochs, 1)."""
        # What fit makes of arrays (slices gathered by a dataset of indices, prefetched), with the given order.
        with tf.device("/cpu:0"):
            inputs, labels = tf.constant(self.inputs), tf.constant(self.labels)
            data = self._order(batches).map(
                lambda batch: (tf.gather(inputs, batch), tf.gather(labels, batch)), num_parallel_calls=tf.data.AUTOTUNE
            )
        with tf.device(self.own_device):
            history = self.network.fit(
                data.prefetch(tf.data.AUTOTUNE), epochs=batches.epochs, steps_per_epoch=batches.steps, verbose=0
            )
        return np.array(history.history["loss"], np.float32)[:, None]

    @staticmethod
    def _order(batches: Batches) -> tf.data.Dataset:
        """The example indices of every step of all epochs."""
        order = np.concatenate([batches.indices.reshape(batches.epochs, -1), batches.remainder], axis=1)
        epochs = tf.data.Dataset.from_tensor_slices(order)
        return epochs.flat_map(lambda epoch: tf.data.Dataset.from_tensor_slices(epoch).batch(batches.batch_size))
