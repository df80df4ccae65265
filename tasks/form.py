"""The form of a task's file: its keys, and what each may be.

Every kind of layer, optimizer, schedule and source is a table with the key ``type``, whose other keys are the fields of
the class of that name. Two keys of a layer belong to the network: ``name``, and ``from``, the layers before it.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model, model_validator

from tasks import layers as kinds
from tasks.array_files import IDX, NPZ, FashionMNIST, NumPyFolder
from tasks.csv_file import CSV
from tasks.errors import FieldError
from tasks.file_source import FileSource
from tasks.initial import Initializer
from tasks.layers import Layer, Padding
from tasks.layers.padding import PADDINGS
from tasks.mnist import MNIST
from tasks.picture_files import Pictures
from tasks.rows import Rows
from tasks.schedules import Constant, Cosine, Exponential, StepDecay, Warmup
from tasks.shipped import BreastCancer, Diabetes, Digits, Iris, Wine
from tasks.source import Source
from tasks.training import SGD, Adadelta, Adam, AdamW, Loss, RMSprop

LAYERS: tuple[type[Layer], ...] = (
    kinds.Dense,
    kinds.Flatten,
    kinds.Reshape,
    kinds.LSTM,
    kinds.Conv2D,
    kinds.ConvTranspose2D,
    kinds.MaxPool2D,
    kinds.AveragePool2D,
    kinds.GlobalAveragePool2D,
    kinds.BatchNorm,
    kinds.LayerNorm,
    kinds.Dropout,
    kinds.ReLU,
    kinds.LeakyReLU,
    kinds.GELU,
    kinds.Tanh,
    kinds.Sigmoid,
    kinds.Softmax,
    kinds.Add,
    kinds.Concatenate,
)
DRAFT = "https://json-schema.org/draft/2020-12/schema"
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Form(BaseModel):
    """A table of a task's file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Part(Form):
    """A table that describes an object; its keys, but for those of the network, are the object's fields."""

    describes: ClassVar[type]

    @model_validator(mode="after")
    def _can_be_made(self) -> "Part":
        self.make()
        return self

    def make(self) -> Any:
        """The object."""
        values = {name: getattr(self, name) for name in field_names(self.describes)}
        return self.describes(
            **{name: value.make() if isinstance(value, Part) else value for name, value in values.items()}
        )


class LayerPart(Part):
    """A layer in its place."""

    name: str | None = Field(None, description="its name in the network; by default index and kind: 0_dense")
    inputs: str | tuple[str, ...] | None = Field(
        None, alias="from", description="the names of the layers whose outputs it takes, or input; by default the last"
    )


def field_names(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass."""
    return tuple(field.name for field in fields(kind))


def _padding(value: object) -> object:
    """Lets nothing pass but what a padding may be, so that one error tells of it."""
    if value in ("same", "valid"):
        return value
    pairs = [pair for pair in value if isinstance(pair, list)] if isinstance(value, list) else []
    if len(pairs) == 2 and all([type(number) for number in pair] == [int, int] and min(pair) >= 0 for pair in pairs):
        return tuple(map(tuple, pairs))
    raise FieldError("padding", "", f"must be {PADDINGS.replace('(', '[').replace(')', ']')}, not {value!r}")


def _type_of(hint: Any) -> Any:
    """How a field may be written: nothing stands for None in TOML, and objects are tables."""
    if hint == Padding:
        return Annotated[Padding, BeforeValidator(_padding)]
    if get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint):
        return reduce(or_, (part for part in get_args(hint) if part is not NoneType))
    return hint


def _part(kind: type, base: type[Part] = Part, tag: str = "type", **replaced: Any) -> type[Part]:
    """The form of a dataclass."""
    name = getattr(kind, "kind", kind.__name__) if tag == "source" else kind.__name__
    hints = get_type_hints(kind)
    content: dict[str, Any] = {tag: (Literal[name], ...)}
    for field in fields(kind):
        default = ... if field.default is MISSING else field.default
        content[field.name] = (replaced.get(field.name) or _type_of(hints[field.name]), default)
    made = create_model(name, __base__=base, __doc__=(kind.__doc__ or "").partition("\n\n")[0], **content)
    made.describes = kind
    return made


def _one_of(parts: Mapping[str, type[Part]], tag: str = "type") -> Any:
    """A table of one of several forms, told apart by a key."""
    return Annotated[reduce(or_, parts.values()), Field(discriminator=tag)]


def _parts(*found: type, base: type[Part] = Part, tag: str = "type") -> dict[str, type[Part]]:
    forms = (_part(kind, base, tag) for kind in found)
    return {form.__name__: form for form in forms}


LAYER_PARTS = _parts(*LAYERS, base=LayerPart)
OPTIMIZER_PARTS = _parts(SGD, Adam, AdamW, RMSprop, Adadelta)
SIMPLE_SCHEDULE_PARTS = _parts(Constant, StepDecay, Exponential, Cosine)
SCHEDULE_PARTS = {
    **SIMPLE_SCHEDULE_PARTS,
    "Warmup": _part(Warmup, then=_one_of(SIMPLE_SCHEDULE_PARTS)),
}
SOURCES: tuple[type[Source], ...] = (
    Rows,
    Iris,
    Wine,
    BreastCancer,
    Digits,
    Diabetes,
    MNIST,
    FashionMNIST,
    CSV,
    NPZ,
    NumPyFolder,
    IDX,
    Pictures,
)
SOURCE_PARTS = _parts(*SOURCES, tag="source")
FILE_SOURCES = tuple(kind.kind for kind in SOURCES if issubclass(kind, FileSource))


class PresetForm(Form):
    """How long ``--preset quick`` trains."""

    epochs: Count
    examples: Count | None = Field(None, description="training examples in an epoch; by default all")
    learning_rate: Annotated[float, Field(gt=0)] | None = Field(None, description="in place of the optimizer's")
    batch_size: Count | None = Field(None, description="in place of the task's")


class RecipeForm(Form):
    """The network and how it is trained."""

    loss: Loss
    batch_size: Count = Field(description="examples in a step")
    epochs: Count = Field(description="passes over the training data")
    shuffle: bool = Field(True, description="whether each epoch has an order of its own")
    initial_weights: Initializer = Field(description="whose rule draws the initial weights")
    clip_norm: Annotated[float, Field(gt=0)] | None = Field(None, description="the largest norm of all gradients")
    label_smoothing: Share = Field(0.0, description="the share of each target that is spread over all classes")
    held_out: Share = Field(0.0, description="the share of the training examples, the last, that is left out")
    shuffle_buffer: Count | None = Field(None, description="examples from which each next one is drawn; by default all")
    drop_remainder: bool = Field(False, description="whether examples that fill no batch are left out")
    test_batch_size: Count | None = Field(None, description="the test set is cut to whole batches of this size")
    flaw: str = Field("", description="the mistake or peculiarity of a recipe that is kept to show it")
    optimizer: _one_of(OPTIMIZER_PARTS)  # type: ignore[valid-type]
    schedule: _one_of(SCHEDULE_PARTS) | None = Field(None, description="of the learning rate")  # type: ignore[valid-type]
    layers: Annotated[tuple[_one_of(LAYER_PARTS), ...], Field(min_length=1)]  # type: ignore[valid-type]


class TaskForm(RecipeForm):
    """A task's file."""

    summary: str = Field("", description="one line for people")
    target_accuracy: Annotated[float, Field(gt=0, le=1)] = Field(1.0, description="the accuracy to be reached, of 1")
    data: _one_of(SOURCE_PARTS, "source")  # type: ignore[valid-type]
    quick: PresetForm | None = None
    recipes: dict[Literal["as-written", "as-published"], dict[str, Any]] = Field(
        default_factory=dict, description="other recipes: the keys in which each differs"
    )


def schema() -> str:
    """The JSON Schema of a task's file, by which editors complete and check one."""
    return json.dumps({"$schema": DRAFT, **TaskForm.model_json_schema()}, indent=1) + "\n"
