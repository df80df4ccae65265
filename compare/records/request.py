"""What a worker is asked to do: one line of JSON on its standard input for each request."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from compare.records.base import Record
from compare.records.cell import Cell


class Request(Record):
    """What every request holds. The session fills in the last five fields when it sends the request."""

    protocol: Literal[1] = 1
    threads: int = 1
    """The threads that the worker may use."""
    first_core: int = 0
    """The first of the cores that the worker may use, counted among those of its parent."""
    started_seconds: float = 0.0
    """When the worker was started, by the monotonic clock that all processes share."""
    own_tasks: dict[str, dict[str, JsonValue]] = {}
    """What the user's own tasks are made from, by name; see :func:`tasks.toml_task.task_from`."""
    places: dict[str, str] = {}
    """Where their data lie, by the hash of the content; see :mod:`tasks.file_source`."""


class Copy(Record):
    """One computation of the evidence: with which arithmetic, and into which file.

    The certificate needs the reference several times: exactly, and in float32 with the errors that rounding may make.
    """

    path: str
    dtype: Literal["float32", "float64", "mixed"] = "float32"
    """``mixed``: float32 arrays, and Adam's scalars in float64; see :class:`backends.numpy.noise.NoisyModel`."""
    nudge_seed: int = 0
    """Draws which way each initial parameter is moved to a neighbouring float32 number; 0 moves none."""
    rounding: float = 0.0
    """Relative rounding error to imitate; see :mod:`backends.numpy.noise`."""
    with_sizes: bool = False
    """Whether to add the size of each gradient where none of its terms cancel."""


class CellRequest(Request):
    """Train and measure one cell, and gather its evidence if a file for it is named."""

    job: Literal["cell"] = "cell"
    cell: Cell
    formulation: str | None = None
    """Of the tuned loop; its own first one where none is given."""
    race: bool = False
    """Whether to find the fastest formulation first, where the loop has several and none is given."""
    own_randomness: bool = False
    """Whether the framework draws the masks of dropout for itself."""
    data: str | None = None
    """A data file in place of the task's own data."""
    train: bool = True
    """Whether to train and measure; otherwise the model is only built."""
    arrays: str | None = None
    """The file for predictions, losses and first-layer weights, which the report draws."""
    model: str | None = None
    """The file for the trained parameters."""
    evidence: str | None = None
    """The file for the evidence of the certificate."""
    calls: str | None = None
    """The folder for what each training call leaves."""
    tail_steps: int | None = None
    """So many of the last steps are a call of their own, so that the reference can compute them again."""
    nudges: int = 0
    """How often to train again, off the clock, from parameters that are moved as rounding moves them."""
    nudge: float = 0.0
    """How far they are moved at least."""


class Turned(Record):
    """A default of a framework that is turned on, by its name; see :class:`backends.default.Default`."""

    framework: str
    name: str


class EvidenceRequest(Request):
    """Compute the evidence of a cell's subject and seed, once for each copy."""

    job: Literal["evidence"] = "evidence"
    cell: Cell
    data: str | None = None
    turned: tuple[Turned, ...] = ()
    """Defaults that are turned on in the recipe."""
    copies: tuple[Copy, ...]


class ReplayRequest(Request):
    """Compute some steps of a run again, in the reference, from what the run's model held before them."""

    job: Literal["replay"] = "replay"
    cell: Cell
    data: str | None = None
    start: str | None
    """The file with the parameters and the optimizer's state; None for those of the seed."""
    first_step: int
    """The first of the steps, from 1 over all calls of the run."""
    steps: int
    test_examples: tuple[int, ...]
    """Of the test set, those whose outputs are computed after the steps."""
    copies: tuple[Copy, ...]


class ProfileRequest(Request):
    """Look, by the framework's own profiler, where the time of a cell's steps goes."""

    job: Literal["profile"] = "profile"
    cell: Cell
    data: str | None = None
    formulation: str | None = None
    """Of the tuned loop, as far as it has it."""


class EffectRequest(Request):
    """Train a cell's model with some defaults turned on, its first steps and its whole run for some seeds."""

    job: Literal["effect"] = "effect"
    cell: Cell
    data: str | None = None
    turned: tuple[Turned, ...] = ()
    """In this order; none for the aligned model itself, with the noise of its rounding."""
    seeds: int
    """The whole run is trained from the seeds 0 and on."""
    aligned: str
    """The file for the first steps of the aligned model; it is written where nothing is turned on, else read."""


class PairRequest(Request):
    """Run a user's own model, and keep what each of its layers was given and made of it."""

    job: Literal["pair"] = "pair"
    framework: str
    file: str
    function: str
    """Of the file; it takes no arguments and returns the model."""
    dtype: Literal["float32", "float64"]
    inputs: str
    """The file with the inputs, ``x``."""
    parameters: str | None = None
    """The file with parameters for its layers, by layer and name; None to leave them as they are."""
    given: str | None = None
    """The file with inputs for single layers, by layer; their outputs are kept too."""
    steps: int = 0
    """So many steps are trained, by the user's optimizer and loss, on the inputs and their targets ``y``."""
    output: str
    """The file for the arrays."""


class PredictRequest(Request):
    """Run a saved model on inputs: both are read from files, and the outputs are written to one."""

    job: Literal["predict"] = "predict"
    backend: str
    task: str
    recipe: str
    model: str
    inputs: str
    output: str


class ConvertRequest(Request):
    """Convert parameters from the canonical form to a framework's own file, or back."""

    job: Literal["convert"] = "convert"
    backend: str
    task: str
    recipe: str
    to_native: bool
    source: str
    output: str


class LessonRequest(Request):
    """Run the first (stage 0) or the second (stage 1) function of a lesson in one framework."""

    job: Literal["lesson"] = "lesson"
    framework: str
    lesson: str
    stage: int
    folder: str
    """A folder that all frameworks share."""


class CallRequest(Request):
    """Call a function by name with JSON values; the tests use it to look into a worker."""

    job: Literal["call"] = "call"
    module: str
    function: str
    arguments: tuple[JsonValue, ...] = ()


AnyRequest = Annotated[
    CellRequest
    | EvidenceRequest
    | ReplayRequest
    | ProfileRequest
    | EffectRequest
    | PairRequest
    | PredictRequest
    | ConvertRequest
    | LessonRequest
    | CallRequest,
    Field(discriminator="job"),
]
