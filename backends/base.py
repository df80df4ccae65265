"""The interface that every framework implements: a Backend builds Models, a Model trains and answers.

The calls are coarse on purpose: one call of ``train`` runs one or more whole epochs, so that the interface costs
nothing, and every call returns NumPy arrays, so that nothing asynchronous leaks out of a timed region.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from backends.about import About, Mode, load_class
from backends.arithmetic import refusal
from backends.devices import single_devices
from backends.files import read_parameters, write_parameters
from backends.host_data import HostData as HostData  # backends of other packages have it from here
from backends.kernels import Kernel
from tasks.architecture import Parameters, check_parameters
from tasks.arithmetic import Arithmetic
from tasks.batches import Batches
from tasks.dataset import Dataset, Labels
from tasks.errors import SideBySideError, UnknownNameError
from tasks.task import Recipe, Task
from tasks.training import OptimizerState

Dtype = Literal["float32", "float64"]
Setting = str | int | float | bool
EAGER = "no: eager, for "
"""How the setting ``compiled`` of a loop begins that is meant to be compiled and was not; the reason follows."""


class BackendUnavailableError(SideBySideError):
    """The framework is not installed; the message names the install command."""


class DeviceUnavailableError(SideBySideError):
    """The device asked for is not there; never answered with another device."""


class Model(ABC):
    """A network on a device, with its optimizer and its training loop, started from given parameters.

    Args:
        recipe: architecture, loss and optimizer.
        parameters: float32 arrays in the canonical layout; see :func:`tasks.initial.draw_parameters`.
        device: ``"cpu"`` or ``"gpu:<index>"``; several, as ``"gpu:0-3"``, for a model that they train together.
        dtype: of parameters and arithmetic.
        formulation: one of :meth:`formulations`; the first of them unless given.
    """

    def __init__(
        self, recipe: Recipe, parameters: Parameters, device: str, dtype: str, formulation: str | None = None
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.dtype = dtype
        self.formulation = formulation or next(iter(self.formulations(recipe, device)), "")
        self.settings: dict[str, Setting] = {}
        """What this model chose that bears on speed (layout, compilation, ...); recorded with the results."""

    @classmethod
    def formulations(cls, recipe: Recipe, device: str) -> tuple[str, ...]:
        """The forms in which this loop can compute the recipe on a device, with the same results.

        Which is the fastest depends on the machine. The first is taken where nobody measured; none where there is but
        one form.
        """
        return ()

    @abstractmethod
    def load_parameters(self, parameters: Parameters) -> None:
        """Replaces the parameters and starts the optimizer afresh."""

    @abstractmethod
    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.floating]:
        """The outputs of the last layer, ``(n, outputs)``, for inputs ``(n, *input_shape)``."""

    @abstractmethod
    def layer_outputs(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.floating]]:
        """The output of every layer by its node's name, for inputs ``(n, *input_shape)``, in the canonical layout.

        In inference, and of the network that ``train`` trains. Where that computes several layers as one, there is the
        output of the last of them alone, under the names of all: ``"conv, relu, pool"``.
        """

    @abstractmethod
    def loss_and_gradients(self, inputs: NDArray[np.float32], labels: Labels) -> tuple[float, Parameters]:
        """The loss of one batch and its gradient for every parameter, in the canonical layout. Changes nothing."""

    @abstractmethod
    def parameters(self) -> Parameters:
        """The parameters as they are now, copied into the canonical layout."""

    @abstractmethod
    def parameter_count(self) -> int:
        """The number of trained parameters, as the framework itself counts them."""

    @abstractmethod
    def parameter_devices(self) -> set[str]:
        """Where the parameters really are: ``"cpu"``, ``"gpu:0"``."""

    @abstractmethod
    def place(self, dataset: Dataset) -> None:
        """Puts the training data where ``train`` takes them from, once and outside the timed region."""

    @abstractmethod
    def held_data(self) -> tuple[NDArray[np.float32], Labels]:
        """Reads back the training inputs ``(n, *input_shape)`` and labels ``(n,)`` as the training step gets them."""

    @abstractmethod
    def held_batches(self, batches: Batches) -> Batches:
        """Reads back the batches from the framework's own integers, in the order in which ``train`` takes them."""

    @abstractmethod
    def start(self) -> None:
        """Gives the optimizer fresh state; ``load_parameters`` ends with it."""

    @abstractmethod
    def optimizer_state(self) -> OptimizerState:
        """What the optimizer carries from step to step, as it is now; see :data:`tasks.training.OptimizerState`."""

    @abstractmethod
    def train(self, batches: Batches) -> NDArray[np.float32]:
        """Trains on the placed data, batch by batch, and returns when the work is done.

        Returns:
            ``(epochs, steps)``: the loss of every step, before its update; or ``(epochs, 1)``, the mean over each
            epoch's examples, from a framework whose own loop keeps no more.
        """

    def save(self, path: Path, metadata: Mapping[str, str] | None = None) -> None:
        """Writes the parameters as float32 safetensors; see :func:`backends.files.write_parameters`."""
        write_parameters(path, self.parameters(), metadata)

    def load(self, path: Path) -> None:
        """Reads what ``save`` wrote, by this backend or another. Raises ModelFileError, naming what is wrong."""
        self.load_parameters(read_parameters(path, self.recipe.architecture))


class Backend(ABC):
    """One framework. Making one imports the framework; ``backends.load_backend`` does so by name."""

    about: ClassVar[About]
    dtypes: ClassVar[tuple[Dtype, ...]] = ("float32",)
    arithmetics: ClassVar[tuple[Arithmetic, ...]] = ("float32",)
    """In which the loops can train; see :data:`tasks.arithmetic.Arithmetic`."""

    @abstractmethod
    def configure(self, threads: int) -> dict[str, Setting]:
        """Sets threads, precision and memory for the whole process, before anything is built.

        Full float32 everywhere (no TF32) and denormals flushed to zero, which XLA and TensorFlow do by themselves.

        Returns:
            what was set; recorded with the results.
        """

    def set_tf32(self, *, allowed: bool) -> None:
        """Lets the framework round the factors of products to TF32 on a GPU, or not, as ``configure`` has it."""
        if allowed:
            os.environ.pop("NVIDIA_TF32_OVERRIDE", None)  # the libraries look at it before their first product

    def divide_cpu(self, count: int) -> None:
        """Has the framework see so many devices in the CPU, before it computes; nothing where it needs no telling."""
        return

    @abstractmethod
    def devices(self) -> tuple[str, ...]:
        """The devices of this machine that the framework can use: ``("cpu", "gpu:0")``."""

    @abstractmethod
    def matrix_product(self, size: int, device: str) -> Callable[[], object]:
        """A call that multiplies two float32 matrices ``(size, size)`` on the device and waits for the product."""

    def peak_bytes(self, device: str) -> int | None:
        """The most memory that the framework held on a device of its own; None for the CPU, or where it is unknown."""
        return None

    def prepare_profile(self) -> None:
        """Is called before a model is built whose kernels :meth:`kernels_of` is to see."""
        return

    def kernels_of(self, call: Callable[[], object]) -> list[Kernel]:
        """Makes a call, and returns the kernels that the framework's own profiler saw; empty where it has none."""
        return []

    def formulations(self, task: Task, device: str, mode: Mode) -> tuple[str, ...]:
        """Those of the loop of a mode, for a task on a device; see :meth:`Model.formulations`."""
        kind: type[Model] = load_class(self.about.model(mode, device))
        return kind.formulations(task.recipe, device)

    def build(
        self,
        task: Task,
        parameters: Parameters,
        *,
        device: str = "cpu",
        mode: Mode | None = None,
        dtype: Dtype = "float32",
        formulation: str | None = None,
    ) -> Model:
        """Builds the task's network on a device, with the given parameters and the task's optimizer.

        The mode is the first that the backend has, unless one is given.

        Raises:
            DeviceUnavailableError: the framework does not have the device.
            RuntimeError: it put the parameters elsewhere.
            UnknownNameError: the backend has no such mode or dtype, or its loop no such formulation for this task.
            ValueError: the parameters are not the architecture's.
        """
        name = self.about.name
        mode = mode or self.about.modes[0]
        if mode not in (modes := self.about.modes_on(device)):
            raise UnknownNameError(f"mode of {name} on {device}", mode, modes)
        if dtype not in self.dtypes:
            raise UnknownNameError(f"dtype of {name}", dtype, self.dtypes)
        device = "gpu:0" if device == "gpu" else device
        needed = {"cpu" if name.startswith("cpu:") else name for name in single_devices(device)}
        if not needed <= set(self.devices()):
            raise DeviceUnavailableError(
                f"{name} has no device {device} here (it has {', '.join(self.devices())}):"
                " choose another with --device, or install the framework's build for it"
            )
        convention = task.recipe.optimizer.convention
        if convention and name not in {*convention, "numpy"}:
            rule, whose = type(task.recipe.optimizer).__name__, " and ".join(sorted(convention))
            raise SideBySideError(f"{name} has no {rule}, which is the convention of {whose}")
        if reason := refusal(name, self.arithmetics, task.recipe.arithmetic, device):
            raise DeviceUnavailableError(reason)
        if not device.startswith("cpu"):
            self.set_tf32(allowed=task.recipe.arithmetic == "tf32")
        check_parameters(task.architecture, parameters)
        kind: type[Model] = load_class(self.about.model(mode, device))
        if formulation is not None and formulation not in (known := kind.formulations(task.recipe, device)):
            raise UnknownNameError(f"formulation of {name}'s {mode} loop for this task", formulation, known)
        chosen = {} if formulation is None else {"formulation": formulation}
        model = kind(task.recipe, parameters, device, dtype, **chosen)
        if model.parameter_devices() != set(single_devices(device)):
            raise RuntimeError(
                f"{name} was asked for {device} but put parameters on {', '.join(model.parameter_devices())}"
            )
        return model
