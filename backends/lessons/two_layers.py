"""Two layers by matrix products.

Three features, two hidden neurons, one output; a sigmoid after each layer. Forward only, nothing hidden in a class.
"""

import numpy as np

FEATURES = np.array([[-0.1468, 0.7861, 0.9468]], np.float32)
W1 = np.array([[-1.1143, 1.6908], [-0.8948, -0.3556], [1.2324, 0.1382]], np.float32)
B1 = np.array([0.1328, 0.1373], np.float32)
W2 = np.array([[-1.6822], [0.3177]], np.float32)
B2 = np.array([0.2405], np.float32)

NOTE = (
    "Here, with bare matrices, the four columns are the same line: sigmoid(x @ W + B), with x as a row. This is the "
    "layout (in, out) of the kernels of Keras and flax layers. torch.nn.Linear stores its weight as (out, in) and "
    "computes x @ weight.T + bias, which is why weights that move between the frameworks are transposed. The bias has "
    "one axis and is broadcast over the rows of a batch in all four."
)
DIFFERS: dict[str, str] = {}


def with_numpy() -> dict:
    """The sigmoid written out."""
    import numpy as np

    hidden = 1 / (1 + np.exp(-(FEATURES @ W1 + B1)))
    output = 1 / (1 + np.exp(-(hidden @ W2 + B2)))
    return {"hidden": hidden, "output": output}


def with_pytorch() -> dict:
    """from_numpy shares the arrays' memory: nothing is copied."""
    import torch

    x, w1, b1, w2, b2 = map(torch.from_numpy, (FEATURES, W1, B1, W2, B2))
    hidden = torch.sigmoid(x @ w1 + b1)
    output = torch.sigmoid(hidden @ w2 + b2)
    return {"hidden": hidden.numpy(), "output": output.numpy()}


def with_keras() -> dict:
    """keras.ops converts the NumPy operands by itself, and runs on any engine of Keras."""
    from keras import ops

    hidden = ops.sigmoid(ops.matmul(FEATURES, W1) + B1)
    output = ops.sigmoid(ops.matmul(hidden, W2) + B2)
    return {"hidden": ops.convert_to_numpy(hidden), "output": ops.convert_to_numpy(output)}


def with_jax() -> dict:
    """JAX arrays are converted first: NumPy @ NumPy would stay NumPy."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    x, w1, b1, w2, b2 = map(jnp.array, (FEATURES, W1, B1, W2, B2))
    hidden = jax.nn.sigmoid(x @ w1 + b1)
    output = jax.nn.sigmoid(hidden @ w2 + b2)
    return {"hidden": np.asarray(hidden), "output": np.asarray(output)}
