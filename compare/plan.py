"""Which cells are run: task x backend x mode x device x seed x round, in which order."""

import random
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from tasks import available_recipes, load_task
from tasks.errors import UnknownNameError
from tasks.task import Preset

PresetName = Literal["quick", "full"]
DEFAULT_TASKS = ("iris-mlp", "mnist-mlp", "mnist-cnn")


@dataclass(frozen=True)
class Cell:
    """One task on one backend, mode, device and seed, in one round.

    Attributes:
        epochs: passes over the data.
        examples: training examples an epoch; None for all.
        batch_size: in place of the recipe's; None for the recipe's own.
    """

    task: str
    recipe: str
    backend: str
    mode: str
    device: str
    seed: int
    round: int
    epochs: int
    examples: int | None
    batch_size: int | None = None

    @property
    def subject(self) -> tuple[str, ...]:
        """What a certificate is about: everything but seed and round."""
        return (self.task, self.recipe, self.backend, self.mode, self.device)

    @property
    def name(self) -> str:
        """A name that is safe as a file name."""
        words = [*self.subject, f"seed{self.seed}", f"round{self.round}"]
        return ".".join(re.sub(r"[^A-Za-z0-9_-]+", "-", word) for word in words)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Cell":
        """The cell among the fields of a run."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})


def list_cells(
    tasks: Sequence[str],
    backends: Sequence[str],
    *,
    modes: Sequence[str] = ("tuned",),
    devices: Sequence[str] = ("cpu",),
    seeds: int = 1,
    rounds: int = 1,
    preset: PresetName = "quick",
    epochs: int | None = None,
    recipe: str = "standard",
    batch_size: int | None = None,
    order_seed: int = 0,
) -> list[Cell]:
    """The cells of a comparison in the order in which they are run.

    With one round the order is task by task, as it was asked for. With several, the cells of a task and seed are
    shuffled anew in each round (from ``order_seed``), so that a drift of the machine hits all of them alike.
    """
    shuffler = random.Random(order_seed)
    cells = []
    for task in tasks:
        chosen = load_task(task, _recipe(task, recipe))
        length = chosen.quick if preset == "quick" else Preset(chosen.recipe.epochs)
        for seed in range(seeds):
            for round_ in range(rounds):
                block = [
                    Cell(
                        task, _recipe(task, recipe), backend, mode, device, seed, round_,
                        epochs or length.epochs, length.examples, batch_size,
                    )
                    for device in devices
                    for mode in modes
                    for backend in backends
                ]  # fmt: skip
                if rounds > 1:
                    shuffler.shuffle(block)
                cells.extend(block)
    return cells


def device_names(names: Sequence[str]) -> tuple[str, ...]:
    """The devices that were named, each once, ``gpu`` as ``gpu:0``. Raises UnknownNameError."""
    found = tuple(dict.fromkeys("gpu:0" if name == "gpu" else name for name in names))
    for name in found:
        kind, _, index = name.partition(":")
        if name != "cpu" and not (kind == "gpu" and index.isdecimal()):
            raise UnknownNameError("device", name, ("cpu", "gpu", "gpu:<index>"))
    return found


def _recipe(task: str, recipe: str) -> str:
    """``as-written`` is for the tasks that have such a recipe; the others keep their standard one."""
    return recipe if recipe in available_recipes(task) else "standard"
