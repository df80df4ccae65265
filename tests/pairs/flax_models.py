"""The same models as users of flax nnx write them, right and with one cause each."""

import jax
from flax import nnx


class Cnn(nnx.Module):
    def __init__(self, padding: object, rngs: nnx.Rngs) -> None:
        self.conv1 = nnx.Conv(3, 8, (3, 3), strides=2, padding=padding, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.conv2 = nnx.Conv(8, 6, (3, 3), rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.dense1 = nnx.Linear(96, 10, rngs=rngs)
        self.dense2 = nnx.Linear(10, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = jax.nn.relu(self.norm(self.conv1(x)))
        x = nnx.max_pool(jax.nn.relu(self.conv2(x)), (2, 2), (2, 2))
        x = self.dropout(jax.nn.relu(self.dense1(x.reshape(len(x), -1))))
        return self.dense2(x)


def cnn() -> nnx.Module:
    return Cnn(((1, 1), (1, 1)), nnx.Rngs(0))


def same_padding() -> nnx.Module:
    return Cnn("SAME", nnx.Rngs(0))


class Mlp(nnx.Module):
    def __init__(self, epsilon: float, approximate: bool, rngs: nnx.Rngs) -> None:
        self.approximate = approximate
        self.dense1 = nnx.Linear(7, 12, rngs=rngs)
        self.norm = nnx.LayerNorm(12, epsilon=epsilon, rngs=rngs)
        self.dense2 = nnx.Linear(12, 9, rngs=rngs)
        self.dense3 = nnx.Linear(9, 4, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = jax.nn.gelu(self.norm(self.dense1(x)), approximate=self.approximate)
        return self.dense3(jax.nn.leaky_relu(self.dense2(x)))


def mlp() -> nnx.Module:
    return Mlp(1e-5, False, nnx.Rngs(0))


def epsilon_of_layer_norm() -> nnx.Module:
    return Mlp(1e-6, False, nnx.Rngs(0))


def approximate_gelu() -> nnx.Module:
    return Mlp(1e-5, True, nnx.Rngs(0))


class Autoencoder(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.down = nnx.Conv(3, 8, (3, 3), rngs=rngs)
        self.up = nnx.ConvTranspose(8, 4, (2, 2), strides=(2, 2), padding="VALID", rngs=rngs)
        self.last = nnx.Conv(4, 3, (3, 3), rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = nnx.max_pool(jax.nn.relu(self.down(x)), (2, 2), (2, 2))
        return self.last(jax.nn.relu(self.up(x)))


def autoencoder() -> nnx.Module:
    return Autoencoder(nnx.Rngs(0))
