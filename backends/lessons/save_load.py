"""Train in one framework, save, load in another.

Each trains its own network on iris and saves it as safetensors, in one layout that all can read: names such as
0_dense/kernel, kernels (in, out). Then, in a new process, each loads every file and must give the same answers. Beside
it, each one's native format, and what becomes of a file that carries code.
"""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from backends.lessons import Outputs
from tasks import load_task

RATE, MOMENTUM, STEPS = 0.05, 0.9, 300
NAMES = ("0_dense", "2_dense", "4_dense")  # of 4-10-10-3; the ReLUs between them have no parameters

NOTE = (
    "safetensors holds a JSON header and raw numbers, and nothing in it can run; what it does not fix is names and "
    "layouts, so that PyTorch's (out, in) weights are transposed on the way out and in. A file of torch.save is a "
    "pickle, and unpickling runs whatever it says: torch.load(weights_only=True), the default since 2.6, accepts "
    "tensors and plain containers and refuses the rest. A .keras file holds the architecture too, and a Lambda layer "
    "in it is Python bytecode: load_model refuses it unless safe_mode=False; .weights.h5 holds weights only. flax's "
    "msgpack bytes hold arrays and containers only (Orbax, for large or sharded states, writes folders of arrays). "
    "NumPy's .npy can hold pickled objects, and np.load refuses them unless allow_pickle=True. Each network starts "
    "from its framework's own random weights, so the four files differ; what must agree is each file's answers, "
    "whoever loads it."
)
DIFFERS = {
    "saved_accuracy": "each trains from its own initial weights",
    "native_format": "each framework's own file",
    "native_bytes": "size of the native file",
}
# Logits reach 70 here, sums of terms that partly cancel: what float32 rounds is measured by the terms.
TOLERANCES = {f"{name}_logits": 1e-4 for name in ("numpy", "pytorch", "keras", "jax")}


class Code:
    """An object whose pickle calls a function when it is loaded: here a harmless one."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("the file ran this",)


def iris() -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Iris as the iris-mlp task splits it: 90 flowers to train on and 60 to test on."""
    data = load_task("iris-mlp").load(None)
    return data.train_inputs, data.train_labels, data.test_inputs, data.test_labels


def with_numpy(folder: Path) -> Outputs:
    """Training by hand; .npy is the native format."""
    import numpy as np
    from safetensors.numpy import save_file

    x_train, y_train, x_test, y_test = iris()
    rng = np.random.default_rng(0)
    sizes = [(4, 10), (10, 10), (10, 3)]
    kernels = [rng.normal(0, np.sqrt(2 / i), (i, o)).astype("f4") for i, o in sizes]
    biases = [np.zeros(o, np.float32) for _, o in sizes]
    velocities = [np.zeros_like(p) for p in kernels + biases]
    for _ in range(STEPS):
        inputs = [x_train]
        for kernel, bias in zip(kernels[:-1], biases[:-1], strict=True):
            inputs.append(np.maximum(inputs[-1] @ kernel + bias, 0))
        z = inputs[-1] @ kernels[-1] + biases[-1]
        d_z = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        d_z[np.arange(len(y_train)), y_train] -= 1
        d_z /= np.float32(len(y_train))
        d_kernels: list[np.ndarray] = []
        d_biases: list[np.ndarray] = []
        for x, kernel in zip(inputs[::-1], kernels[::-1], strict=True):
            d_kernels.insert(0, x.T @ d_z)
            d_biases.insert(0, d_z.sum(axis=0))
            d_z = (d_z @ kernel.T) * (x > 0)
        gradients = d_kernels + d_biases
        for p, v, g in zip(kernels + biases, velocities, gradients, strict=True):
            v[...] = MOMENTUM * v + g
            p -= RATE * v

    tensors: dict[str, Any] = {}
    for name, kernel, bias in zip(NAMES, kernels, biases, strict=True):
        tensors |= {f"{name}/kernel": kernel, f"{name}/bias": bias}
    save_file(tensors, folder / "numpy.safetensors")

    native = folder / "native.npz"
    np.savez(native, **{k.replace("/", "."): v for k, v in tensors.items()})
    np.save(folder / "code.npy", np.array([Code()], dtype=object))
    try:
        np.load(folder / "code.npy", allow_pickle=False)
        refused = False
    except ValueError:
        refused = True
    x = x_test
    for kernel, bias in zip(kernels[:-1], biases[:-1], strict=True):
        x = np.maximum(x @ kernel + bias, 0)
    answers = (x @ kernels[-1] + biases[-1]).argmax(axis=1)
    return {
        "saved_accuracy": float((answers == y_test).mean()),
        "native_format": ".npz: a zip of .npy arrays",
        "native_bytes": native.stat().st_size,
        "code_refused": refused,
    }


def then_with_numpy(folder: Path) -> Outputs:
    """Loads every file."""
    import numpy as np
    from safetensors.numpy import load_file

    _, _, x_test, y_test = iris()
    outputs: Outputs = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors = load_file(file)
        x = x_test
        for name in NAMES:
            x = x @ tensors[f"{name}/kernel"] + tensors[f"{name}/bias"]
            x = x if name == NAMES[-1] else np.maximum(x, 0)
        right = x.argmax(axis=1) == y_test
        outputs[f"{file.stem}_accuracy"] = float(right.mean())
        outputs[f"{file.stem}_logits"] = x[:3]
    return outputs


def with_pytorch(folder: Path) -> Outputs:
    """Linear weights are (out, in): transposed for the file."""
    import pickle

    import torch
    from safetensors.torch import save_file
    from torch import nn

    x_train, y_train, x_test, y_test = iris()
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(4, 10),
        nn.ReLU(),
        nn.Linear(10, 10),
        nn.ReLU(),
        nn.Linear(10, 3),
    )
    optimizer = torch.optim.SGD(model.parameters(), RATE, MOMENTUM)
    x, y = torch.tensor(x_train), torch.tensor(y_train).long()
    for _ in range(STEPS):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    tensors: dict[str, Any] = {}
    for name, layer in zip(NAMES, model[::2], strict=True):
        tensors[f"{name}/kernel"] = layer.weight.detach().T.contiguous()
        tensors[f"{name}/bias"] = layer.bias.detach()
    save_file(tensors, folder / "pytorch.safetensors")

    native = folder / "native.pt"
    torch.save(model.state_dict(), native)
    model.load_state_dict(torch.load(native, weights_only=True))
    torch.save(Code(), folder / "code.pt")
    try:
        torch.load(folder / "code.pt", weights_only=True)
        refused = False
    except pickle.UnpicklingError:
        refused = True
    with torch.no_grad():
        answers = model(torch.tensor(x_test)).argmax(dim=1).numpy()
    return {
        "saved_accuracy": float((answers == y_test).mean()),
        "native_format": ".pt: a zip with a pickle of the state_dict",
        "native_bytes": native.stat().st_size,
        "code_refused": refused,
    }


def then_with_pytorch(folder: Path) -> Outputs:
    """Loads every file, transposing kernels into weights."""
    import torch
    from safetensors.torch import load_file
    from torch import nn

    _, _, x_test, y_test = iris()
    outputs: Outputs = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors = load_file(file)
        model = nn.Sequential(
            nn.Linear(4, 10),
            nn.ReLU(),
            nn.Linear(10, 10),
            nn.ReLU(),
            nn.Linear(10, 3),
        )
        with torch.no_grad():
            for name, layer in zip(NAMES, model[::2], strict=True):
                layer.weight.copy_(tensors[f"{name}/kernel"].T)
                layer.bias.copy_(tensors[f"{name}/bias"])
            logits = model(torch.tensor(x_test)).numpy()
        right = logits.argmax(axis=1) == y_test
        outputs[f"{file.stem}_accuracy"] = float(right.mean())
        outputs[f"{file.stem}_logits"] = logits[:3]
    return outputs


def with_keras(folder: Path) -> Outputs:
    """get_weights() is (in, out) already."""
    import keras
    from keras import layers
    from safetensors.numpy import save_file

    x_train, y_train, x_test, y_test = iris()
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(10, "relu"),
            layers.Dense(10, "relu"),
            layers.Dense(3),
        ]
    )
    model.compile(
        keras.optimizers.SGD(RATE, MOMENTUM),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    for _ in range(STEPS):
        model.train_on_batch(x_train, y_train)

    tensors: dict[str, Any] = {}
    for name, layer in zip(NAMES, model.layers, strict=True):
        kernel, bias = layer.get_weights()
        tensors |= {f"{name}/kernel": kernel, f"{name}/bias": bias}
    save_file(tensors, folder / "keras.safetensors")

    native = folder / "native.weights.h5"
    model.save_weights(native)
    model.load_weights(native)
    code = layers.Lambda(lambda x: x, output_shape=(4,))
    keras.Sequential([keras.Input((4,)), code]).save(folder / "code.keras")
    try:
        keras.models.load_model(folder / "code.keras", safe_mode=True)
        refused = False
    except ValueError:
        refused = True
    answers = model(x_test).numpy().argmax(axis=1)
    return {
        "saved_accuracy": float((answers == y_test).mean()),
        "native_format": ".weights.h5: HDF5; .keras adds the architecture",
        "native_bytes": native.stat().st_size,
        "code_refused": refused,
    }


def then_with_keras(folder: Path) -> Outputs:
    """Loads every file by set_weights()."""
    import keras
    from keras import layers
    from safetensors.numpy import load_file

    _, _, x_test, y_test = iris()
    outputs: Outputs = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors = load_file(file)
        model = keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(10, "relu"),
                layers.Dense(10, "relu"),
                layers.Dense(3),
            ]
        )
        for name, layer in zip(NAMES, model.layers, strict=True):
            kernel, bias = tensors[f"{name}/kernel"], tensors[f"{name}/bias"]
            layer.set_weights([kernel, bias])
        logits = model(x_test).numpy()
        right = logits.argmax(axis=1) == y_test
        outputs[f"{file.stem}_accuracy"] = float(right.mean())
        outputs[f"{file.stem}_logits"] = logits[:3]
    return outputs


def with_jax(folder: Path) -> Outputs:
    """The kernels of nnx are (in, out) already."""
    import jax
    import numpy as np
    import optax
    from flax import nnx, serialization
    from safetensors.flax import save_file

    x_train, y_train, x_test, y_test = iris()
    rngs = nnx.Rngs(0)
    model = nnx.Sequential(
        nnx.Linear(4, 10, rngs=rngs),
        nnx.relu,
        nnx.Linear(10, 10, rngs=rngs),
        nnx.relu,
        nnx.Linear(10, 3, rngs=rngs),
    )
    sgd = optax.sgd(RATE, MOMENTUM)
    optimizer = nnx.Optimizer(model, sgd, wrt=nnx.Param)

    def loss_fn(model: nnx.Module) -> jax.Array:
        losses = optax.softmax_cross_entropy_with_integer_labels(model(x_train), y_train)
        return losses.mean()

    @nnx.jit
    def step(model: nnx.Module, optimizer: nnx.Optimizer) -> None:
        optimizer.update(model, nnx.grad(loss_fn)(model))

    for _ in range(STEPS):
        step(model, optimizer)

    tensors: dict[str, Any] = {}
    for name, layer in zip(NAMES, model.layers[::2], strict=True):
        tensors[f"{name}/kernel"] = layer.kernel[...]
        tensors[f"{name}/bias"] = layer.bias[...]
    save_file(tensors, folder / "jax.safetensors")

    native = folder / "native.msgpack"
    state = nnx.to_pure_dict(nnx.state(model))
    native.write_bytes(serialization.to_bytes(state))
    serialization.from_bytes(state, native.read_bytes())
    try:
        serialization.to_bytes({"code": Code()})
        refused = False
    except TypeError:  # msgpack cannot even write it
        refused = True
    answers = np.asarray(model(x_test)).argmax(axis=1)
    return {
        "saved_accuracy": float((answers == y_test).mean()),
        "native_format": "msgpack of the state (flax.serialization)",
        "native_bytes": native.stat().st_size,
        "code_refused": refused,
    }


def then_with_jax(folder: Path) -> Outputs:
    """Loads every file into an nnx model."""
    import numpy as np
    from flax import nnx
    from safetensors.flax import load_file

    _, _, x_test, y_test = iris()
    outputs: Outputs = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors = load_file(file)
        rngs = nnx.Rngs(0)
        model = nnx.Sequential(
            nnx.Linear(4, 10, rngs=rngs),
            nnx.relu,
            nnx.Linear(10, 10, rngs=rngs),
            nnx.relu,
            nnx.Linear(10, 3, rngs=rngs),
        )
        for name, layer in zip(NAMES, model.layers[::2], strict=True):
            layer.kernel[...] = tensors[f"{name}/kernel"]
            layer.bias[...] = tensors[f"{name}/bias"]
        logits = np.asarray(model(x_test))
        right = logits.argmax(axis=1) == y_test
        outputs[f"{file.stem}_accuracy"] = float(right.mean())
        outputs[f"{file.stem}_logits"] = logits[:3]
    return outputs
