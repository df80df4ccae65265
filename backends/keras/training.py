"""The losses and optimizers of tasks/training.py in Keras."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tasks.training import SGD, Loss, Optimizer


def loss_function(loss: Loss) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """The loss of a batch, from outputs (n, outputs) and labels (n,). Keras's own order is labels, outputs.

    They are TensorFlow's functions, because Keras's cross-entropy looks for a softmax that made its input and, finding
    one, takes the logits before it: the ``as-written`` recipe would come out right.
    """
    if loss == "cross_entropy":
        return lambda outputs, labels: tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=outputs)
        )
    if loss == "negative_log_likelihood":
        return lambda outputs, labels: -tf.reduce_mean(tf.gather(outputs, labels, batch_dims=1))
    return lambda outputs, labels: tf.reduce_sum(tf.square(outputs - tf.cast(labels[:, None], outputs.dtype)))


def make_optimizer(optimizer: Optimizer) -> keras.optimizers.Optimizer:
    """Keras's optimizer, which is told its variables later.

    Keras's SGD has the learning rate inside the momentum: the same while the rate is constant.
    """
    if isinstance(optimizer, SGD):
        return keras.optimizers.SGD(optimizer.learning_rate, momentum=optimizer.momentum)
    betas = (optimizer.beta_1, optimizer.beta_2)
    return _PaperAdam(optimizer.learning_rate, *betas, optimizer.epsilon, name="paper_adam")


class _PaperAdam(keras.optimizers.Adam):
    """Adam with epsilon added to the bias-corrected root; Keras's own adds it before the correction."""

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        step = tf.cast(self.iterations + 1, variable.dtype)
        m, v = (moments[self._get_variable_index(variable)] for moments in (self._momentums, self._velocities))
        m.assign(self.beta_1 * m + (1 - self.beta_1) * gradient)
        v.assign(self.beta_2 * v + (1 - self.beta_2) * tf.square(gradient))
        m_hat = m / (1 - tf.pow(tf.cast(self.beta_1, variable.dtype), step))
        v_hat = v / (1 - tf.pow(tf.cast(self.beta_2, variable.dtype), step))
        variable.assign_sub(learning_rate * m_hat / (tf.sqrt(v_hat) + self.epsilon))
