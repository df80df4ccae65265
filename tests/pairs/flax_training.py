"""The same as users of flax nnx write them, right and with one cause each."""

from typing import Any

import jax
import optax
from flax import nnx

Made = tuple[nnx.Module, Any, Any]


class Net(nnx.Module):
    def __init__(self, outputs: int = 4) -> None:
        rngs = nnx.Rngs(0)
        self.first, self.second = nnx.Linear(7, 12, rngs=rngs), nnx.Linear(12, outputs, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.second(jax.nn.relu(self.first(x)))


class Cnn(nnx.Module):
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.conv, self.norm = nnx.Conv(3, 4, (3, 3), rngs=rngs), nnx.BatchNorm(4, momentum=0.9, rngs=rngs)
        self.dropout, self.dense = nnx.Dropout(0.5, rngs=rngs), nnx.Linear(256, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.dropout(jax.nn.relu(self.norm(self.conv(x))))
        return self.dense(x.reshape(len(x), -1))


def _cross_entropy(outputs: jax.Array, labels: jax.Array) -> jax.Array:
    return optax.softmax_cross_entropy_with_integer_labels(outputs, labels).mean()


def sgd() -> Made:
    net = Net()
    return net, nnx.Optimizer(net, optax.sgd(0.1, 0.9), wrt=nnx.Param), _cross_entropy


def nesterov() -> Made:
    return Net(), optax.sgd(0.1, 0.9, nesterov=True), _cross_entropy


def rate() -> Made:
    return Net(), optax.sgd(0.2, 0.9), _cross_entropy


def adamw() -> Made:
    return Net(), optax.adamw(1e-3, weight_decay=0.01), _cross_entropy


def broadcast() -> Made:
    return Net(1), optax.sgd(0.1), lambda outputs, labels: ((outputs - labels) ** 2).mean()


def cnn() -> Made:
    return Cnn(), optax.sgd(0.1, 0.9), _cross_entropy
