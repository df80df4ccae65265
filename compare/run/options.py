"""The options of a run, each defined once: type, default, bounds and one sentence of help.

From here come the command line of ``sidebyside run``, the arguments of ``compare()``, the keys of a plan file, and the
settings that are kept with its results.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from cyclopts import Parameter
from pydantic import BeforeValidator, ValidationError

import backends as registry
from backends.base import Setting
from backends.cores import usable_cores
from compare.analysis.statistics import MINIMUM_ROUNDS
from compare.records.base import Record
from compare.run.checks import (
    DEFAULT_TASKS,
    check_arithmetics,
    check_backends,
    check_count,
    check_devices,
    check_environments,
    check_formulation,
    check_interpreters,
    check_modes,
    check_own_randomness,
    check_scheduler,
    check_share,
    check_tasks,
    check_trackers,
    choice,
    flag,
    path,
    positive,
    whole,
)
from compare.run.reading import FILE_NAME, HEAD, read_results
from tasks.errors import SideBySideError, UnknownNameError
from tasks.task import RecipeName

PRESETS = ("quick", "full")
RECIPES = get_args(RecipeName)
ORDER_SEED = 0
"""Seed that shuffles the cells of each round; recorded with the results."""
PATHS = ("output", "resume", "data")
NOT_KEPT = ("output", "resume", "scheduler", "insecure", "log_to")
"""Options that no repetition of a run takes over: with the same folder it would be refused or continued; addresses name
machines."""


AnyPath = str | Path
Count = Annotated[int, whole(1_000_000)]
OptionalCount = Annotated[int | None, whole(1_000_000, optional=True)]


class Selection(Record):
    """Which models are trained."""

    tasks: Annotated[Sequence[str], BeforeValidator(check_tasks), Parameter(parse=False)] = DEFAULT_TASKS
    """Tasks to train."""
    backends: Annotated[Sequence[str] | None, BeforeValidator(check_backends), flag("--backend", several=True)] = None
    """Backends to compare; every framework that is installed, unless named."""
    modes: Annotated[Sequence[str], BeforeValidator(check_modes), flag("--mode", several=True)] = ("tuned",)
    """Training loops: tuned, stock, or both."""
    devices: Annotated[Sequence[str], BeforeValidator(check_devices), flag("--device", several=True)] = ("cpu",)
    """Devices: cpu, gpu, gpu:1 and so on; gpu:0-3 or cpu:0-1 for several that train one model together."""
    arithmetics: Annotated[Sequence[str], BeforeValidator(check_arithmetics), flag("--arithmetic", several=True)] = (
        "float32",
    )
    """Of matrix products and convolutions: float32, tf32 (on a GPU), or bfloat16 with parameters in float32; those of
    one are ranked with each other alone."""
    python: Annotated[Sequence[str], BeforeValidator(check_interpreters), flag("--python", several=True)] = ()
    """Run a backend in another environment: pytorch=ENV/bin/python, where this package is installed too."""

    @property
    def backend_names(self) -> tuple[str, ...]:
        """The backends that were named, else every framework, installed or not."""
        return registry.framework_backends() if self.backends is None else tuple(self.backends)

    @property
    def interpreters(self) -> dict[str, Path]:
        """The interpreters of other environments, by backend."""
        return {name: Path(path) for name, _, path in (word.partition("=") for word in self.python)}


class RunOptions(Selection):
    """The options of a run."""

    seeds: Count = 1
    """Number of seeds, 0 to N-1; accuracies are compared from two seeds on."""
    rounds: Count = 1
    """How often every cell is run, in random order; speeds are compared from three rounds on."""
    precision: Annotated[float | None, BeforeValidator(check_share)] = None
    """Further rounds until the ratios of the speeds are known to within this share, say 5%; the budget ends them."""
    budget: Annotated[float, positive("seconds")] = 1800.0
    """With a precision: begin no further round that would end more seconds than this after the start."""
    self_check: bool = False
    """Compare each backend with itself, in three rounds or more: how noisy is the machine?"""
    preset: Annotated[Literal["quick", "full"], choice(PRESETS)] = "quick"
    """quick trains a few epochs and, for MNIST, part of the data at a higher learning rate; full trains each recipe as
    it stands."""
    epochs: OptionalCount = None
    """Epochs to train; overrides the preset."""
    examples: Annotated[int | None, whole(1_000_000_000, optional=True)] = None
    """Training examples in each epoch; overrides the preset."""
    batch_size: OptionalCount = None
    """Examples in each training step; overrides the preset and the recipe."""
    learning_rate: Annotated[float | None, positive("a number")] = None
    """Learning rate of the optimizer; overrides the preset and the recipe."""
    recipe: Annotated[RecipeName, choice(RECIPES)] = "standard"
    """as-written trains the tasks whose source has a mistake with that mistake; as-published trains the frameworks' own
    examples to the letter."""
    own_randomness: bool = False
    """Let the stock loop of each framework draw the masks of dropout for itself; its rows cannot be certified."""
    formulation: str | None = None
    """The form of the tuned loop, for the backends that have it, in place of the fastest on this machine."""
    probe: bool = True
    """Find the fastest form of each tuned loop on this machine, in a race of seconds whose outcome is kept."""
    profile: bool = False
    """Afterwards, and off the clock, look with each framework's own profiler where the time of a step goes."""
    timeout: Annotated[float | None, positive("seconds")] = None
    """Limit for each cell, in seconds."""
    threads: Annotated[int | None, whole(4096, optional=True)] = None
    """Threads of each worker; as many as there are cores, unless given."""
    scheduler: str | None = None
    """Run on the machines of a Dask cluster: the address of its scheduler, as tcp://127.0.0.1:8786."""
    insecure: bool = False
    """Accept a scheduler without TLS on another machine; whoever reaches it can run code."""
    output: Annotated[AnyPath | None, path("a folder")] = None
    """Folder to write, new or empty; runs/<time>, unless given."""
    resume: Annotated[AnyPath | None, path("a run's folder")] = None
    """Folder of an earlier run to continue: the cells that it lacks are run."""
    data: Annotated[AnyPath | None, path("an .npz file")] = None
    """An .npz file with MNIST's keys and shapes, in place of MNIST."""
    certify: bool = True
    """Certify every model; without certificates all rows are unverified."""
    save_models: bool = False
    """Keep the trained parameters, in the folder's models."""
    log_to: Annotated[Sequence[str], BeforeValidator(check_trackers), flag("--log-to", several=True)] = ()
    """Log the results to a tracker too: mlflow:sqlite:///runs.db, or tensorboard:FOLDER."""
    include_host: bool = False
    """Keep the machine's name with the results, to tell machines apart."""

    @property
    def all_rounds(self) -> int:
        """How often every cell is run: in a self-check twice, the rounds of the one half against those of the other."""
        return self.rounds * (2 if self.self_check else 1)

    def counts(self) -> dict[str, int]:
        """How many there are of what the cells differ in: their product is the number of cells."""
        return {
            "tasks": len(self.tasks),
            "backends": len(self.backend_names),
            "modes": len(self.modes),
            "devices": len(self.devices),
            "arithmetics": len(self.arithmetics),
            "seeds": self.seeds,
            "rounds": self.all_rounds,
        }

    @property
    def worker_threads(self) -> int:
        """The threads of each worker."""
        return self.threads or usable_cores()

    @property
    def data_file(self) -> Path | None:
        """The data file, as an absolute path."""
        return None if self.data is None else Path(self.data).absolute()

    def settings(self) -> dict[str, Setting]:
        """What is kept with the results."""
        kept: dict[str, Setting] = {
            "preset": self.preset,
            "certified": self.certify,
            "rounds": self.rounds,
            "order_seed": ORDER_SEED,
            "self_check": self.self_check,
            "threads": self.worker_threads,
        }
        return kept | ({"own_randomness": True} if self.own_randomness else {})


def make_options(values: Mapping[str, Any]) -> RunOptions:
    """Checks options by name.

    Raises:
        SideBySideError: a name or a value is wrong; one line that says what would be right.
    """
    for name in values:
        if name not in RunOptions.model_fields:
            raise UnknownNameError("option", name, tuple(RunOptions.model_fields))
        if name in PATHS and values[name] == "":
            raise SideBySideError(f"{name} is empty: give a path, or leave it out")
    if values.get("output") is not None and values.get("resume") is not None:
        raise SideBySideError("give output or resume, not both")
    values = _resumed(values) if isinstance(values.get("resume"), AnyPath) else values
    try:
        options = RunOptions(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise SideBySideError(f"{first['loc'][0]} is {first['input']!r}: {first['msg'].lower()}") from error
    if (options.self_check or options.precision is not None) and options.rounds < MINIMUM_ROUNDS:
        if "rounds" in values:
            what = "a self-check compares" if options.self_check else "a precision needs"
            raise SideBySideError(f"{what} {MINIMUM_ROUNDS} rounds or more, not {options.rounds}")
        options = options.model_copy(update={"rounds": MINIMUM_ROUNDS})
    check_scheduler(options.scheduler, options.interpreters)
    check_environments(options.backend_names, options.interpreters)
    if unused := [name for name in options.interpreters if name not in options.backend_names]:
        if options.backends is None:
            raise SideBySideError(f"--python names {unused[0]}, which is not compared: add it to the backends")
        needed = tuple(word for word in options.python if word.partition("=")[0] in options.backend_names)
        options = options.model_copy(update={"python": needed})  # of a plan or an earlier run, now of a part of it
    if options.formulation is not None:
        check_formulation(options.formulation, options.backend_names)
    check_count(options.counts())
    if not options.own_randomness:
        return options
    if "certify" in values and options.certify:
        raise SideBySideError("models that draw their own masks differ, and cannot be certified: leave out certify")
    check_own_randomness(options.tasks, options.backend_names, options.modes)
    return options.model_copy(update={"certify": False})


def _resumed(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options of an earlier run, with those that are given in place of its own."""
    folder = Path(values["resume"])
    if folder.name == FILE_NAME:
        folder = folder.parent
    earlier: Mapping[str, Any] = {}
    if (folder / FILE_NAME).exists() or (folder / HEAD).exists():
        earlier = read_results(folder).options
    elif folder.exists() and "tasks" not in values:
        raise SideBySideError(f"{folder}: there is no run that has begun; give the tasks and the options once more")
    # Whoever wrote the folder may be a stranger: it names no address to connect to and no program to run.
    kept = {n: v for n, v in earlier.items() if n in RunOptions.model_fields and n not in (*NOT_KEPT, "python")}
    resumed = {**kept, **values, "resume": folder}
    given = [word.partition("=")[0] for word in check_interpreters(values.get("python"))]
    for word in check_interpreters(earlier.get("python")):
        name = word.partition("=")[0]
        if name not in given and name in (resumed.get("backends") or [name]):
            raise SideBySideError(f"{name} ran in another environment: add --python {name}=ENV/bin/python")
    return resumed
