"""Train in one framework, save, load in another.

Each trains its own network on iris and saves it as safetensors, in one layout that all can read: names such as
0_dense/kernel, kernels (in, out). Then, in a new process, each loads every file and must give the same answers.
"""

from collections.abc import Callable
from pathlib import Path

from numpy.typing import NDArray

from tasks import load_task

RATE, MOMENTUM, STEPS = 0.05, 0.9, 300
# Of 4-10-10-3; the ReLUs between the dense layers have no parameters.
NAMES = [f"{layer}/{kind}" for layer in ("0_dense", "2_dense", "4_dense") for kind in ("kernel", "bias")]

NOTE = (
    "safetensors holds a JSON header and raw numbers, and nothing in it can run; what it does not fix is names and "
    "layouts, so that PyTorch's (out, in) weights are transposed on the way out and in. Each network starts from its "
    "framework's own random weights, so the four files differ; what must agree is each file's answers, whoever loads "
    "it."
)
DIFFERS = {"saved_accuracy": "each trains from its own initial weights"}
# Logits reach 70 here. They are sums of terms that partly cancel, and float32 rounds each term by its own size.
TOLERANCES = {f"{name}_logits": 1e-4 for name in ("numpy", "pytorch", "keras", "jax")}


def iris() -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Iris as the iris-mlp task splits it: 90 flowers to train on and 60 to test on."""
    data = load_task("iris-mlp").source.load(None)
    return data.train_inputs, data.train_labels, data.test_inputs, data.test_labels


def accuracy(logits: NDArray, labels: NDArray) -> float:
    return float((logits.argmax(axis=1) == labels).mean())


def answer(folder: Path, logits_of: Callable[[Path, NDArray], NDArray]) -> dict:
    """The accuracy of each file in the folder, and its logits for three flowers."""
    _, _, x_test, y_test = iris()
    outputs: dict = {}
    for file in sorted(folder.glob("*.safetensors")):
        logits = logits_of(file, x_test)
        outputs[f"{file.stem}_accuracy"] = accuracy(logits, y_test)
        outputs[f"{file.stem}_logits"] = logits[:3]
    return outputs


def with_numpy(folder: Path) -> dict:
    """Training by hand."""
    import numpy as np
    from safetensors.numpy import save_file

    x_train, y_train, x_test, y_test = iris()
    rng = np.random.default_rng(0)
    parameters: list[NDArray] = []
    for i, o in ((4, 10), (10, 10), (10, 3)):
        kernel = rng.normal(0, np.sqrt(2 / i), (i, o)).astype("f4")
        parameters += [kernel, np.zeros(o, np.float32)]
    velocities = [np.zeros_like(p) for p in parameters]

    def forward(x: NDArray) -> list[NDArray]:
        """The input of each layer, and last the logits."""
        k0, b0, k2, b2, k4, b4 = parameters
        first = np.maximum(x @ k0 + b0, 0)
        second = np.maximum(first @ k2 + b2, 0)
        return [x, first, second, second @ k4 + b4]

    for _ in range(STEPS):
        *inputs, z = forward(x_train)
        d_z = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        d_z[np.arange(len(y_train)), y_train] -= 1
        d_z /= np.float32(len(y_train))
        gradients: list[NDArray] = []
        for x, kernel in zip(inputs[::-1], parameters[-2::-2], strict=True):
            gradients = [x.T @ d_z, d_z.sum(axis=0), *gradients]
            d_z = (d_z @ kernel.T) * (x > 0)
        for p, v, g in zip(parameters, velocities, gradients, strict=True):
            v[...] = MOMENTUM * v + g
            p -= RATE * v
    tensors = dict(zip(NAMES, parameters, strict=True))
    save_file(tensors, folder / "numpy.safetensors")
    return {"saved_accuracy": accuracy(forward(x_test)[-1], y_test)}


def then_with_numpy(folder: Path) -> dict:
    """Loads every file."""
    import numpy as np
    from safetensors.numpy import load_file

    def logits(file: Path, x: NDArray) -> NDArray:
        tensors = load_file(file)
        k0, b0, k2, b2, k4, b4 = (tensors[name] for name in NAMES)
        first = np.maximum(x @ k0 + b0, 0)
        return np.maximum(first @ k2 + b2, 0) @ k4 + b4

    return answer(folder, logits)


def with_pytorch(folder: Path) -> dict:
    """Linear weights are (out, in): transposed for the file."""
    import torch
    from safetensors.torch import save_file
    from torch import nn

    x_train, y_train, x_test, y_test = iris()
    torch.manual_seed(0)
    dense = [nn.Linear(4, 10), nn.Linear(10, 10), nn.Linear(10, 3)]
    model = nn.Sequential(dense[0], nn.ReLU(), dense[1], nn.ReLU(), dense[2])
    optimizer = torch.optim.SGD(model.parameters(), RATE, MOMENTUM)
    x, y = torch.tensor(x_train), torch.tensor(y_train).long()
    for _ in range(STEPS):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    tensors = [p.detach().t().contiguous() for p in model.parameters()]
    save_file(dict(zip(NAMES, tensors, strict=True)), folder / "pytorch.safetensors")
    return {"saved_accuracy": accuracy(model(torch.tensor(x_test)).detach().numpy(), y_test)}


def then_with_pytorch(folder: Path) -> dict:
    """Loads every file, transposing kernels into weights."""
    import torch
    from safetensors.torch import load_file
    from torch import nn

    dense = [nn.Linear(4, 10), nn.Linear(10, 10), nn.Linear(10, 3)]
    model = nn.Sequential(dense[0], nn.ReLU(), dense[1], nn.ReLU(), dense[2])

    @torch.no_grad()
    def logits(file: Path, x: NDArray) -> NDArray:
        tensors = load_file(file)
        for name, parameter in zip(NAMES, model.parameters(), strict=True):
            parameter.copy_(tensors[name].t())
        return model(torch.tensor(x)).numpy()

    return answer(folder, logits)


def with_keras(folder: Path) -> dict:
    """get_weights() is (in, out) already."""
    import keras
    from keras import layers
    from safetensors.numpy import save_file

    x_train, y_train, x_test, y_test = iris()
    keras.utils.set_random_seed(0)
    dense = [layers.Dense(10, "relu"), layers.Dense(10, "relu"), layers.Dense(3)]
    model = keras.Sequential([keras.Input((4,)), *dense])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(RATE, MOMENTUM), loss)
    for _ in range(STEPS):
        model.train_on_batch(x_train, y_train)
    tensors = dict(zip(NAMES, model.get_weights(), strict=True))
    save_file(tensors, folder / "keras.safetensors")
    return {"saved_accuracy": accuracy(model(x_test).numpy(), y_test)}


def then_with_keras(folder: Path) -> dict:
    """Loads every file by set_weights()."""
    import keras
    from keras import layers
    from safetensors.numpy import load_file

    dense = [layers.Dense(10, "relu"), layers.Dense(10, "relu"), layers.Dense(3)]
    model = keras.Sequential([keras.Input((4,)), *dense])

    def logits(file: Path, x: NDArray) -> NDArray:
        tensors = load_file(file)
        model.set_weights([tensors[name] for name in NAMES])
        return model(x).numpy()

    return answer(folder, logits)


def with_jax(folder: Path) -> dict:
    """The kernels of nnx are (in, out) already."""
    import jax
    import numpy as np
    import optax
    from flax import nnx
    from safetensors.flax import save_file

    x_train, y_train, x_test, y_test = iris()
    rngs = nnx.Rngs(0)
    dense = [nnx.Linear(i, o, rngs=rngs) for i, o in ((4, 10), (10, 10), (10, 3))]
    model = nnx.Sequential(dense[0], nnx.relu, dense[1], nnx.relu, dense[2])
    optimizer = nnx.Optimizer(model, optax.sgd(RATE, MOMENTUM), wrt=nnx.Param)

    def loss_fn(model: nnx.Module) -> jax.Array:
        losses = optax.softmax_cross_entropy_with_integer_labels(model(x_train), y_train)
        return losses.mean()

    @nnx.jit
    def step(model: nnx.Module, optimizer: nnx.Optimizer) -> None:
        optimizer.update(model, nnx.grad(loss_fn)(model))

    for _ in range(STEPS):
        step(model, optimizer)
    tensors = [p[...] for layer in dense for p in (layer.kernel, layer.bias)]
    save_file(dict(zip(NAMES, tensors, strict=True)), folder / "jax.safetensors")
    return {"saved_accuracy": accuracy(np.asarray(model(x_test)), y_test)}


def then_with_jax(folder: Path) -> dict:
    """Loads every file into an nnx model."""
    import numpy as np
    from flax import nnx
    from safetensors.flax import load_file

    rngs = nnx.Rngs(0)
    dense = [nnx.Linear(i, o, rngs=rngs) for i, o in ((4, 10), (10, 10), (10, 3))]
    model = nnx.Sequential(dense[0], nnx.relu, dense[1], nnx.relu, dense[2])

    def logits(file: Path, x: NDArray) -> NDArray:
        tensors = iter(load_file(file)[name] for name in NAMES)
        for layer in dense:
            layer.kernel[...], layer.bias[...] = next(tensors), next(tensors)
        return np.asarray(model(x))

    return answer(folder, logits)
