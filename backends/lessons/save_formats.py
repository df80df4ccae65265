"""Each framework's own file, and what becomes of a file that carries code.

A network is written in the framework's native format and read back. Then comes a file that would run code while it is
loaded: by default every framework refuses it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

NOTE = (
    "A file of torch.save is a pickle, and unpickling runs whatever it says: torch.load(weights_only=True), the "
    "default since 2.6, accepts tensors and plain containers and refuses the rest. A .keras file holds the "
    "architecture too, and a Lambda layer in it is Python bytecode: load_model refuses it unless safe_mode=False; "
    ".weights.h5 holds weights only. flax's msgpack bytes hold arrays and containers only (Orbax, for large or sharded "
    "states, writes folders of arrays). NumPy's .npy can hold pickled objects, and np.load refuses them unless "
    "allow_pickle=True."
)
DIFFERS = {
    "native_file": "each framework's own file",
    "begins_with": "the first bytes of that file: a zip is PK",
    "native_bytes": "size of the native file",
}
SIZES = {"0_dense": (4, 10), "2_dense": (10, 10), "4_dense": (10, 3)}


class Code:
    """An object whose pickle calls a function when it is loaded: here a harmless one."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("the file ran this",)


def raises(error: type[Exception], function: Callable[[], object]) -> bool:
    """Whether the function raises the error."""
    try:
        function()
    except error:
        return True
    return False


def with_numpy(folder: Path) -> dict:
    """A .npy file holds one array; .npz is a zip of them."""
    import numpy as np

    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for name, (i, o) in SIZES.items():
        arrays[f"{name}.kernel"] = rng.normal(0, np.sqrt(2 / i), (i, o)).astype("f4")
        arrays[f"{name}.bias"] = np.zeros(o, np.float32)
    native = folder / "native.npz"
    np.savez(native, **arrays)
    with np.load(native) as file:
        arrays = dict(file)

    code = folder / "code.npy"
    np.save(code, np.array([Code()], dtype=object))
    return {
        "native_file": native.name,
        "begins_with": repr(native.read_bytes()[:4]),
        "native_bytes": native.stat().st_size,
        "code_refused": raises(ValueError, lambda: np.load(code, allow_pickle=False)),
    }


def with_pytorch(folder: Path) -> dict:
    """The state_dict holds a module's tensors by name."""
    import pickle

    import torch
    from torch import nn

    dense = [nn.Linear(i, o) for i, o in SIZES.values()]
    model = nn.Sequential(dense[0], nn.ReLU(), dense[1], nn.ReLU(), dense[2])
    native = folder / "native.pt"
    torch.save(model.state_dict(), native)
    model.load_state_dict(torch.load(native, weights_only=True))

    code = folder / "code.pt"
    torch.save(Code(), code)
    return {
        "native_file": native.name,
        "begins_with": repr(native.read_bytes()[:4]),
        "native_bytes": native.stat().st_size,
        "code_refused": raises(pickle.UnpicklingError, lambda: torch.load(code, weights_only=True)),
    }


def with_keras(folder: Path) -> dict:
    """Weights alone, or the whole model."""
    import keras
    from keras import layers

    dense = [layers.Dense(10, "relu"), layers.Dense(10, "relu"), layers.Dense(3)]
    model = keras.Sequential([keras.Input((4,)), *dense])
    native = folder / "native.weights.h5"
    model.save_weights(native)
    model.load_weights(native)

    code = folder / "code.keras"
    coded = layers.Lambda(lambda x: x, output_shape=(4,))
    keras.Sequential([keras.Input((4,)), coded]).save(code)
    return {
        "native_file": native.name,
        "begins_with": repr(native.read_bytes()[:4]),
        "native_bytes": native.stat().st_size,
        "code_refused": raises(ValueError, lambda: keras.models.load_model(code, safe_mode=True)),
    }


def with_jax(folder: Path) -> dict:
    """A tree of arrays, written as bytes by flax."""
    from flax import nnx, serialization

    rngs = nnx.Rngs(0)
    dense = [nnx.Linear(i, o, rngs=rngs) for i, o in SIZES.values()]
    model = nnx.Sequential(dense[0], nnx.relu, dense[1], nnx.relu, dense[2])
    native = folder / "native.msgpack"
    state = nnx.to_pure_dict(nnx.state(model))
    native.write_bytes(serialization.to_bytes(state))
    nnx.update(model, serialization.from_bytes(state, native.read_bytes()))
    return {
        "native_file": native.name,
        "begins_with": repr(native.read_bytes()[:4]),
        "native_bytes": native.stat().st_size,
        # msgpack cannot even write it.
        "code_refused": raises(TypeError, lambda: serialization.to_bytes({"code": Code()})),
    }
