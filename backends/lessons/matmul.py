"""A neuron is a matrix product.

One neuron on five features, by a sum of products and by a matrix product, and what a wrong shape looks like.
"""

import numpy as np

FEATURES = np.array([[-0.1468, 0.7861, 0.9468, -1.1143, 1.6908]], np.float32)
WEIGHTS = np.array([[-0.8948, -0.3556, 1.2324, 0.1382, -1.6822]], np.float32)
BIAS = 0.3177

NOTE = (
    "A matrix product needs equal inner sizes: features (1, 5) times weights (1, 5) is refused, and the weights must "
    "be turned into (5, 1), by .T in NumPy, PyTorch and JAX, and by ops.transpose in Keras, for TensorFlow's tensors "
    "have no .T. The product is @ in NumPy, PyTorch and JAX, and ops.matmul in Keras; * multiplies element by element "
    "and would broadcast silently. NumPy raises ValueError, PyTorch RuntimeError, and JAX TypeError, from shape "
    "inference, before anything is computed; Keras passes on what its engine raises, here TensorFlow's "
    "InvalidArgumentError from the kernel that runs. Sums are taken in different orders, so that results may differ in "
    "the last bit of float32."
)
DIFFERS = {"shape_error": "each framework has its own exception and words for the same mistake"}


def with_numpy() -> dict:
    """np.sum and @."""
    import numpy as np

    x, w = FEATURES, WEIGHTS
    by_sum = np.sum(x * w) + np.float32(BIAS)
    by_matmul = x @ w.T + np.float32(BIAS)
    output = 1 / (1 + np.exp(-by_matmul))
    try:
        x @ w
    except ValueError as error:
        shape_error = f"ValueError: {error}"
    return {
        "by_sum": by_sum,
        "by_matmul": by_matmul,
        "output": output,
        "shape_error": shape_error,
    }


def with_pytorch() -> dict:
    """torch.sum and @, which is torch.matmul."""
    import torch

    x, w = torch.tensor(FEATURES), torch.tensor(WEIGHTS)
    by_sum = torch.sum(x * w) + BIAS
    by_matmul = x @ w.T + BIAS
    output = torch.sigmoid(by_matmul)
    try:
        x @ w
    except RuntimeError as error:
        shape_error = f"RuntimeError: {error}"
    return {
        "by_sum": by_sum.item(),
        "by_matmul": by_matmul.numpy(),
        "output": output.numpy(),
        "shape_error": shape_error,
    }


def with_keras() -> dict:
    """ops.sum and ops.matmul, on whichever engine Keras has."""
    from keras import ops

    x, w = ops.convert_to_tensor(FEATURES), ops.convert_to_tensor(WEIGHTS)
    by_sum = ops.sum(x * w) + BIAS
    by_matmul = ops.matmul(x, ops.transpose(w)) + BIAS
    output = ops.sigmoid(by_matmul)
    try:
        ops.matmul(x, w)
    except Exception as error:  # the engine's own: TensorFlow's is no ValueError
        shape_error = f"{type(error).__name__}: {str(error).rpartition('}} ')[2].partition(' [Op')[0]}"
    return {
        "by_sum": float(by_sum),
        "by_matmul": ops.convert_to_numpy(by_matmul),
        "output": ops.convert_to_numpy(output),
        "shape_error": shape_error,
    }


def with_jax() -> dict:
    """jnp.sum and @, which is jnp.matmul."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    x, w = jnp.array(FEATURES), jnp.array(WEIGHTS)
    by_sum = jnp.sum(x * w) + BIAS
    by_matmul = x @ w.T + BIAS
    output = jax.nn.sigmoid(by_matmul)
    try:
        x @ w
    except TypeError as error:
        shape_error = f"TypeError: {error}"
    return {
        "by_sum": float(by_sum),
        "by_matmul": np.asarray(by_matmul),
        "output": np.asarray(output),
        "shape_error": shape_error,
    }
