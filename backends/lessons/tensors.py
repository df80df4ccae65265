"""Tensors: into the framework and back.

Tensors made from NumPy arrays and turned back: which of them share memory, which dtypes they get by default, and
whether a reshaped tensor is a view or a copy.
"""

NOTE = (
    "torch.from_numpy and Tensor.numpy() share memory: a change in place on one side shows on the other; torch.tensor "
    "copies. TensorFlow's tensors cannot be changed, so tf.constant and .numpy() copy (memoryview(t) is the view "
    "without a copy); what can be changed is a tf.Variable. JAX arrays cannot be changed either; jnp.array copies, and "
    "as of JAX 0.10 so does jnp.asarray of a NumPy array; jax.device_put and jax.dlpack.from_dlpack share memory on "
    "the CPU where it is aligned, so do not write to an array that you gave them; np.asarray gives a read-only array "
    "back. Python floats become float32 in all but NumPy; float64 arrays stay float64 in PyTorch and TensorFlow and "
    "become float32 in JAX unless jax_enable_x64 is set; Python integers become int64 in NumPy and PyTorch, int32 in "
    "TensorFlow and JAX. A reshape is a view in NumPy and, where strides allow, in PyTorch (view() insists on it); "
    "if nothing can be changed in place, a program cannot see the difference."
)
DIFFERS = {
    "follows_numpy": "does the tensor show a later change of the array that it was made from?",
    "numpy_follows": "does the array that came back show a later change of the tensor, and may it be written at all?",
    "change_in_place": "is x[1] = 20 allowed?",
    "reshape_is_view": "does a change of the original show in the reshaped tensor, where it can be changed?",
    "float_dtype": "what a Python float becomes",
    "float64_array_dtype": "what a NumPy array of float64 becomes",
    "int_dtype": "what a Python integer becomes",
}


def with_numpy() -> dict:
    """Mutable arrays, and views of them."""
    import numpy as np

    array = np.array([1, 2, 3, 4, 5, 6], np.float32)
    x = np.asarray(array)
    copy = np.array(array)
    array[0] = 10.0
    follows = bool(x[0] == 10.0)
    copy_follows = bool(copy[0] == 10.0)

    x = copy
    back = np.asarray(x)
    table = x.reshape(2, 3)
    x[1] = 20.0
    return {
        "follows_numpy": follows,
        "copy_follows_numpy": copy_follows,
        "numpy_follows": str(bool(back[1] == 20.0)),
        "change_in_place": "allowed" if x[1] == 20.0 else "without effect",
        "reshape_is_view": str(bool(table[0, 1] == 20.0)),
        "float_dtype": str(np.array([1.0]).dtype),
        "float64_array_dtype": str(np.array(np.zeros(1)).dtype),
        "int_dtype": str(np.array([1]).dtype),
        "reshaped": np.array([1, 2, 3, 4, 5, 6], np.float32).reshape(2, 3),
    }


def with_pytorch() -> dict:
    """Mutable tensors; from_numpy shares, tensor copies."""
    import numpy as np
    import torch

    array = np.array([1, 2, 3, 4, 5, 6], np.float32)
    x = torch.from_numpy(array)
    copy = torch.tensor(array)
    array[0] = 10.0
    follows = bool(x[0] == 10.0)
    copy_follows = bool(copy[0] == 10.0)

    x = copy
    back = x.numpy()
    table = x.view(2, 3)
    x[1] = 20.0
    return {
        "follows_numpy": follows,
        "copy_follows_numpy": copy_follows,
        "numpy_follows": str(bool(back[1] == 20.0)),
        "change_in_place": "allowed" if x[1] == 20.0 else "without effect",
        "reshape_is_view": str(bool(table[0, 1] == 20.0)),
        "float_dtype": str(torch.tensor([1.0]).dtype),
        "float64_array_dtype": str(torch.tensor(np.zeros(1)).dtype),
        "int_dtype": str(torch.tensor([1]).dtype),
        "reshaped": torch.arange(1.0, 7.0).reshape(2, 3).numpy(),
    }


def with_keras() -> dict:
    """Immutable tensors; a tf.Variable is what can change."""
    import numpy as np
    import tensorflow as tf

    array = np.array([1, 2, 3, 4, 5, 6], np.float32)
    x = tf.convert_to_tensor(array)
    copy = tf.identity(tf.constant(array))
    array[0] = 10.0
    follows = bool(x[0] == 10.0)
    copy_follows = bool(copy[0] == 10.0)

    try:
        x[1] = 20.0
    except TypeError as error:
        change = f"TypeError: {error}"
    variable = tf.Variable([1.0, 2.0])
    back = variable.numpy()
    variable[1].assign(20.0)
    return {
        "follows_numpy": follows,
        "copy_follows_numpy": copy_follows,
        "numpy_follows": str(bool(back[1] == 20.0)),
        "change_in_place": change,
        "float_dtype": tf.constant([1.0]).dtype.name,
        "float64_array_dtype": tf.constant(np.zeros(1)).dtype.name,
        "int_dtype": tf.constant([1]).dtype.name,
        "reshaped": tf.reshape(tf.range(1.0, 7.0), (2, 3)).numpy(),
    }


def with_jax() -> dict:
    """Immutable arrays; x.at[0].set(v) returns a new one."""
    import jax.numpy as jnp
    import numpy as np

    array = np.array([1, 2, 3, 4, 5, 6], np.float32)
    x = jnp.asarray(array)
    copy = jnp.array(array)
    array[0] = 10.0
    follows = bool(x[0] == 10.0)
    copy_follows = bool(copy[0] == 10.0)

    try:
        x[1] = 20.0
    except TypeError as error:
        change = f"TypeError: {str(error).partition(':')[0]}"
    back = np.asarray(copy)
    return {
        "follows_numpy": follows,
        "copy_follows_numpy": copy_follows,
        "numpy_follows": "writable" if back.flags.writeable else "read-only",
        "change_in_place": change,
        "float_dtype": str(jnp.array([1.0]).dtype),
        "float64_array_dtype": str(jnp.array(np.zeros(1)).dtype),
        "int_dtype": str(jnp.array([1]).dtype),
        "reshaped": np.asarray(jnp.arange(1.0, 7.0).reshape(2, 3)),
    }
