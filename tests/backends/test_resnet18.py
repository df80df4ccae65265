"""ResNet-18 as an architecture: torchvision's parameters, and its answers, in every framework."""

from dataclasses import replace

import numpy as np
import pytest

from backends import load_backend
from tasks.architecture import INPUT, Architecture, Node, Parameters
from tasks.initial import draw_parameters
from tasks.layers import Add, BatchNorm, Conv2D, Dense, GlobalAveragePool2D, Layer, MaxPool2D, ReLU
from tests.remote import RemoteBackend, task_of
from tests.samples import sample_of

ONE, THREE = ((1, 1), (1, 1)), ((3, 3), (3, 3))


def resnet18(size: int = 224) -> Architecture:
    """As ``torchvision.models.resnet18``, whose paddings are explicit, for images of this size."""
    nodes: list[Node] = []

    def add(name: str, layer: Layer, *inputs: str) -> str:
        nodes.append(Node(name, layer, inputs))
        return name

    def norm(name: str, before: str) -> str:
        return add(name, BatchNorm(0.9, 1e-5, unbiased=True), before)

    x = add("conv1", Conv2D(64, (7, 7), (2, 2), THREE, bias=False), INPUT)
    x = add("relu", ReLU(), norm("bn1", x))
    x = add("maxpool", MaxPool2D((3, 3), (2, 2), ONE), x)
    for stage, width in enumerate((64, 128, 256, 512), 1):
        for block in range(2):
            name, stride = f"layer{stage}_{block}", (2, 2) if stage > 1 and block == 0 else (1, 1)
            y = add(f"{name}_conv1", Conv2D(width, (3, 3), stride, ONE, bias=False), x)
            y = add(f"{name}_relu1", ReLU(), norm(f"{name}_bn1", y))
            y = norm(f"{name}_bn2", add(f"{name}_conv2", Conv2D(width, (3, 3), (1, 1), ONE, bias=False), y))
            if stride != (1, 1):
                conv = add(f"{name}_down0", Conv2D(width, (1, 1), stride, "valid", bias=False), x)
                x = norm(f"{name}_down1", conv)
            x = add(f"{name}_relu2", ReLU(), add(f"{name}_add", Add(), y, x))
    add("fc", Dense(1000), add("avgpool", GlobalAveragePool2D(), x))
    return Architecture((size, size, 3), tuple(nodes))


def drawn(architecture: Architecture) -> Parameters:
    """Random parameters, and a random state: all that torchvision's network would have after some training."""
    random = np.random.RandomState(0)
    parameters = draw_parameters(architecture, "he", 1)
    for variable in architecture.variables:
        if variable.name in ("mean", "bias"):
            parameters[variable.key] = random.normal(0, 0.1, variable.shape).astype(np.float32)
        if variable.name in ("variance", "scale"):
            parameters[variable.key] = random.uniform(0.5, 1.5, variable.shape).astype(np.float32)
    return parameters


def torchvision_logits(model: object, parameters: Parameters, inputs: np.ndarray) -> np.ndarray:
    """In PyTorch's process: what torchvision's own network answers with these parameters."""
    import torch
    from torchvision.models import resnet18 as theirs

    network = theirs().eval()
    own = {"kernel": "weight", "scale": "weight", "mean": "running_mean", "variance": "running_var"}
    state = {}
    for key, array in parameters.items():
        node, name = key.split("/")
        place = node.replace("_down", "_downsample.").replace("_", ".")
        array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
        state[f"{place}.{own.get(name, name)}"] = torch.tensor(np.ascontiguousarray(array))
    missing, unexpected = network.load_state_dict(state, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    with torch.inference_mode():
        answer: np.ndarray = network(torch.tensor(inputs.transpose(0, 3, 1, 2))).numpy()
    return answer


def test_the_parameters_are_torchvisions() -> None:
    assert resnet18().parameter_count == 11_689_512
    assert resnet18().shapes["layer4_1_relu2"] == (7, 7, 512)


@pytest.fixture(scope="module")
def expected(every_remote: dict[str, RemoteBackend]) -> np.ndarray:
    architecture = resnet18(64)
    remote, inputs = every_remote["pytorch"], np.random.RandomState(2).standard_normal((3, 64, 64, 3))
    small = sample_of(Architecture((2,), (Node("a", Dense(1), (INPUT,)),)))
    remote.build(task_of(small.recipe), draw_parameters(small.recipe.architecture, "pytorch", 0))
    arguments = ("tests.backends.test_resnet18", "torchvision_logits", drawn(architecture), inputs.astype(np.float32))
    answer: np.ndarray = remote.call("apply", *arguments)
    return answer


@pytest.mark.parametrize("name", ["numpy", "pytorch", "keras", "jax"])
def test_the_answers_are_torchvisions(name: str, every_remote: dict[str, RemoteBackend], expected: np.ndarray) -> None:
    architecture = resnet18(64)
    recipe = replace(sample_of(Architecture((2,), (Node("a", Dense(1), (INPUT,)),))).recipe, architecture=architecture)
    inputs = np.random.RandomState(2).standard_normal((3, 64, 64, 3)).astype(np.float32)
    if name == "numpy":
        answer = load_backend("numpy").build(task_of(recipe), drawn(architecture)).logits(inputs)
    else:
        answer = every_remote[name].build(task_of(recipe), drawn(architecture), mode="stock").logits(inputs)
    assert np.abs(expected).max() > 0.1
    assert np.abs(answer - expected).max() < 1e-4 * np.abs(expected).max()
