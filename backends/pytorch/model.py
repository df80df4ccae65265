"""The network in torch.nn, its loss and its optimizer; parameters in and out."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from backends.base import Backend, Dtype, Mode, Model, Setting
from tasks.architecture import Architecture, Parameters
from tasks.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Shape, Sigmoid, Softmax, Tanh
from tasks.task import Recipe
from tasks.training import SGD, Loss, Optimizer

BuildLayer = Callable[[Any, Shape], nn.Module]


class PytorchBackend(Backend):
    name = "pytorch"
    distributions = ("torch", "torchvision")

    def configure(self, threads: int) -> dict[str, Setting]:
        torch.set_num_threads(threads)
        flushed = torch.set_flush_denormal(True)  # late in training, denormals slow a step down
        torch.set_float32_matmul_precision("highest")  # no TF32 in matrix products ...
        torch.backends.cudnn.allow_tf32 = False  # ... nor in convolutions, where it is on by default
        return {
            "matmul_precision": torch.get_float32_matmul_precision(),
            "threads": torch.get_num_threads(),
            "flush_denormals": bool(flushed),
        }

    def devices(self) -> tuple[str, ...]:
        return ("cpu", *(f"gpu:{index}" for index in range(torch.cuda.device_count())))

    def matrix_product(self, size: int, device: str) -> Callable[[], object]:
        normal = np.random.default_rng(0).standard_normal((size, size), np.float32)
        matrix = torch.from_numpy(normal).to(device.replace("gpu", "cuda"))
        return lambda: (matrix @ matrix)[0, 0].item()

    def peak_device_bytes(self, device: str) -> int | None:
        return None if device == "cpu" else torch.cuda.max_memory_allocated(device.replace("gpu", "cuda"))

    def model_class(self, mode: Mode) -> type[Model]:
        if mode == "tuned":
            from backends.pytorch.tuned import TunedModel

            return TunedModel
        from backends.pytorch.stock import StockModel

        return StockModel


def _convolution(layer: Conv2D, shape: Shape) -> nn.Module:
    (top, bottom), (left, right) = layer.pads(shape)
    if top == bottom and left == right:
        return nn.Conv2d(shape[2], layer.filters, layer.kernel_size, layer.strides, padding=(top, left))
    # torch pads both sides alike, and refuses padding="same" with a stride: the zeros are put there by hand.
    convolution = nn.Conv2d(shape[2], layer.filters, layer.kernel_size, layer.strides)
    return nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), convolution)


LAYERS: dict[type[Layer], BuildLayer] = {
    Dense: lambda layer, shape: nn.Linear(shape[0], layer.units),
    Conv2D: _convolution,
    MaxPool2D: lambda layer, shape: nn.MaxPool2d(layer.size),
    Flatten: lambda layer, shape: nn.Flatten(),
    ReLU: lambda layer, shape: nn.ReLU(),
    Tanh: lambda layer, shape: nn.Tanh(),
    Sigmoid: lambda layer, shape: nn.Sigmoid(),
    Softmax: lambda layer, shape: nn.Softmax(dim=1),
}


class Network(nn.Sequential):
    """The architecture's layers, one after the other, on NCHW images."""

    def __init__(self, architecture: Architecture, layers: dict[type[Layer], BuildLayer]) -> None:
        super().__init__(
            *(
                layers[type(layer)](layer, shape)
                for layer, shape in zip(architecture.layers, architecture.shapes, strict=False)
            )
        )


def loss_function(loss: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of a batch from the network's outputs (n, outputs) and the labels (n,)."""
    if loss == "cross_entropy":
        return functional.cross_entropy
    if loss == "negative_log_likelihood":
        return functional.nll_loss
    return lambda outputs, labels: functional.mse_loss(outputs, labels[:, None].to(outputs.dtype), reduction="sum")


def make_optimizer(optimizer: Optimizer, parameters: Any, **options: bool) -> torch.optim.Optimizer:
    """The task's rule: torch's SGD keeps the learning rate out of the momentum, its Adam adds epsilon last."""
    if isinstance(optimizer, SGD):
        return torch.optim.SGD(parameters, optimizer.learning_rate, momentum=optimizer.momentum, **options)
    betas = (optimizer.beta_1, optimizer.beta_2)
    return torch.optim.Adam(parameters, optimizer.learning_rate, betas, optimizer.epsilon, **options)


def channels_first(inputs: Tensor) -> Tensor:
    """Images from NHWC to torch's NCHW, as a view; anything else as it is."""
    return inputs.permute(0, 3, 1, 2) if inputs.ndim == 4 else inputs


class PytorchModel(Model):
    """What tuned and stock share: the network, its parameters, its answers."""

    layers = LAYERS
    network_class = Network
    flattens_channels_last = False
    """Whether ``layers`` flattens images in the canonical order."""

    def __init__(self, recipe: Recipe, parameters: Parameters, device: str, dtype: Dtype) -> None:
        super().__init__(recipe, parameters, device, dtype)
        self.torch_device = torch.device(device.replace("gpu", "cuda"))
        self.loss = loss_function(recipe.loss)
        self.network: nn.Module = self.network_class(recipe.architecture, self.layers).to(self.torch_device)
        self.load_parameters(parameters)

    def load_parameters(self, parameters: Parameters) -> None:
        with torch.no_grad():
            for key, parameter in self._variables().items():
                array = to_torch(self.recipe.architecture, key, parameters[key], self.flattens_channels_last)
                parameter.copy_(torch.from_numpy(array))
        self.start_optimizer()

    def start_optimizer(self) -> None:
        """Makes the optimizer with fresh state."""
        raise NotImplementedError

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
        with torch.inference_mode():
            return self.network(self._inputs(inputs)).cpu().numpy()

    def loss_and_gradients(self, inputs: NDArray[np.float32], labels: NDArray[np.int32]) -> tuple[float, Parameters]:
        loss = self.loss(self.network(self._inputs(inputs)), self._labels(labels))
        gradients = torch.autograd.grad(loss, list(self._variables().values()))
        return loss.item(), self._canonical(dict(zip(self._variables(), gradients, strict=True)))

    def parameters(self) -> Parameters:
        return self._canonical(self._variables())

    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.network.parameters())

    def parameter_devices(self) -> set[str]:
        return {str(parameter.device).replace("cuda", "gpu") for parameter in self.network.parameters()}

    def _variables(self) -> dict[str, nn.Parameter]:
        """Torch's parameters by canonical key: torch lists kernel, then bias, layer by layer, as the architecture."""
        return dict(zip(self.recipe.architecture.parameter_shapes, self.network.parameters(), strict=True))

    def _inputs(self, inputs: NDArray[np.float32]) -> Tensor:
        return channels_first(torch.from_numpy(inputs).to(self.torch_device))

    def _labels(self, labels: NDArray[np.int32]) -> Tensor:
        return torch.from_numpy(labels).to(self.torch_device, torch.int64)  # torch's losses take 64-bit labels alone

    def _canonical(self, tensors: Mapping[str, Tensor]) -> Parameters:
        return {
            key: to_canonical(self.recipe.architecture, key, tensor, self.flattens_channels_last)
            for key, tensor in tensors.items()
        }


def to_torch(architecture: Architecture, key: str, array: NDArray, channels_last: bool = False) -> NDArray:
    """From the canonical layout: dense (in, out) to (out, in), convolution (h, w, in, out) to (out, in, h, w)."""
    if array.ndim == 4:
        return array.transpose(3, 2, 0, 1).copy()
    if array.ndim == 2:
        return array[_rows(architecture, key, channels_last)].T.copy()
    return array


def to_canonical(architecture: Architecture, key: str, tensor: Tensor, channels_last: bool = False) -> NDArray:
    """From torch's layout to the canonical one."""
    array = tensor.detach().cpu().numpy()
    if array.ndim == 4:
        return array.transpose(2, 3, 1, 0).copy()
    if array.ndim == 2:
        canonical = np.empty(array.T.shape, array.dtype)
        canonical[_rows(architecture, key, channels_last)] = array.T
        return canonical
    return array.copy()


def _rows(architecture: Architecture, key: str, channels_last: bool) -> NDArray[np.intp]:
    """The canonical row of each of torch's inputs to a dense layer.

    ``nn.Flatten`` puts an image in the order channel, height, width; canonical is height, width, channel, in which
    ``channels_last`` says that the network flattens too.
    """
    index = int(key.partition("_")[0])
    rows = np.arange(architecture.parameter_shapes[key][0])
    for layer, shape in zip(architecture.layers[:index][::-1], architecture.shapes[:index][::-1], strict=True):
        if isinstance(layer, Dense):
            break
        if isinstance(layer, Flatten) and len(shape) == 3 and not channels_last:
            return rows.reshape(shape).transpose(2, 0, 1).ravel()
    return rows
