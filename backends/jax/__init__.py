"""JAX: networks in flax nnx, optimizers in optax."""
