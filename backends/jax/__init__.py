"""JAX: networks of flax nnx modules, optimizers of optax. This file imports no framework."""

from backends.about import About

ABOUT = About(
    name="jax",
    label="JAX",
    modules=("jax", "flax", "optax"),
    distributions=("jax", "jaxlib", "flax", "optax"),
    backend="backends.jax.backend.Backend",
    models={"tuned": "backends.jax.tuned.TunedModel", "stock": "backends.jax.stock.StockModel"},
    parallel="backends.jax.parallel.ParallelModel",
    formulations={
        "one-product": "the gradient of a kernel of few inputs is one matrix product",
        "product-for-each-image": "it is a product for each image, added up",
        "library": "convolutions are XLA's own",
        "command-buffers": "the same, and a GPU is given the kernels of many steps at once",
    },
    environment={
        "JAX_COMPILATION_CACHE_DIR": "{cache}/jax",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    },
    gpu=("jax[cuda13]",),
)
_IN_A_CELL = {
    "kernel": ("cell", "dense_i", "kernel"),
    "recurrent_kernel": ("cell", "dense_h", "kernel"),
    "bias": ("cell", "dense_h", "bias"),
}
"""Where nnx keeps what the canonical form has in an LSTM."""
