"""Tasks as files: read, written, and what is wrong in one said in one line with its place."""

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import hypothesis
import jsonschema
import pytest
from hypothesis import strategies as st

import tasks
from tasks.array_files import NPZ
from tasks.form import schema
from tasks.schedules import CONSTANT
from tasks.task import Preset, Task
from tasks.toml_task import OWN_KEYS, TaskFileError, read_task, recipe_from, task_from
from tasks.toml_writing import document_of, to_toml
from tasks.training import SGD
from tests.backends.drawn import drawn_samples
from tests.samples import Sample
from tests.tasks.common import TASKS, drawn

FILES = Path(tasks.__file__).parent
CNN = (FILES / "mnist-cnn.toml").read_text()


def test_every_file_is_a_built_in_task() -> None:
    assert sorted(path.stem for path in FILES.glob("*.toml")) == sorted(TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_written_as_it_is_read(name: str) -> None:
    task = tasks.load_task(name)
    assert task_from(tomllib.loads(to_toml(task)), name) == task
    assert task_from(document_of(task), name) == task


def test_a_recipe_may_have_a_default_again() -> None:
    task = tasks.load_task("mnist-resnet")
    other = replace(task.recipe, optimizer=SGD(0.1), schedule=CONSTANT, shuffle=True, flaw="none")
    held = replace(task.recipe, held_out=0.1, shuffle=False)
    both = replace(task, recipes={"standard": held, "as-written": other})
    assert task_from(tomllib.loads(to_toml(both)), task.name) == both
    with pytest.raises(TaskFileError, match="mnist-resnet: recipe as-written has no clip_norm although"):
        to_toml(replace(task, recipes={"standard": replace(held, clip_norm=1.0), "as-written": held}))


@drawn
@hypothesis.given(drawn_samples(), st.booleans())
def test_a_random_recipe_is_written_as_it_is_read(sample: Sample, limited: bool) -> None:
    recipe = replace(sample.recipe, steps_an_epoch=None)
    classes = tuple(map(str, range(max(recipe.architecture.output_shape[0], 2))))
    source = NPZ("drawn.npz", shape=recipe.architecture.input_shape, classes=classes)
    quick = Preset(3, 100, 0.1, 16) if limited else Preset(recipe.epochs)
    summary = 'with "quotes" and \\'
    document = tomllib.loads(to_toml(Task("drawn", summary, {"standard": recipe}, 0.5, source, quick)))
    assert recipe_from({key: value for key, value in document.items() if key not in OWN_KEYS}, source) == recipe
    assert document["summary"] == summary
    assert document["quick"] == {key: value for key, value in vars(quick).items() if value is not None}


def test_the_schema_that_is_published_is_that_of_the_form() -> None:
    assert (FILES / "task.schema.json").read_text() == schema()


@pytest.mark.parametrize("name", TASKS)
def test_the_files_are_right_by_the_schema(name: str) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema()))
    document = tomllib.loads((FILES / f"{name}.toml").read_text())
    validator.validate(document)
    document["layers"][-1]["unit"] = 3
    assert not validator.is_valid(document)


def changed(old: str, new: str, text: str) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


def wrong_changes() -> list[tuple[str, str, str]]:
    """What is replaced in the file of ``mnist-cnn``, by what, and the beginning of the line that says what is wrong."""
    text = (Path(__file__).parent.parent / "data" / "wrong_tasks.txt").read_text()
    blocks = [block.splitlines() for block in text.split("\n\n")[1:] if block.strip()]
    return [(old[2:].replace("\\n", "\n"), new[2:].replace("\\n", "\n"), message[2:]) for old, new, message in blocks]


@pytest.mark.parametrize(("old", "new", "message"), wrong_changes())
def test_what_is_wrong_is_said_in_one_line_with_its_place(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert say_of(changed(old, new, CNN), tmp_path).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "loss: is missing"),
        ("layers = [", "not a file in TOML (Invalid value (at end of document))"),
        (f"layers = {'[' * 5000}", "not a file in TOML ("),
    ],
    ids=["nothing", "unfinished", "deep"],
)
def test_what_is_no_task_is_said_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    assert say_of(text, tmp_path).startswith(message)


def say_of(text: str, folder: Path) -> str:
    """What is said of a file, after its name."""
    path = folder / "my.toml"
    path.write_text(text)
    with pytest.raises(TaskFileError) as raised:
        read_task(path)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(f"{path}: ")
    return str(raised.value).removeprefix(f"{path}: ")


AND = (FILES / "and-gate.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[1, 1]]", "[1]]", "data.inputs: must be rows of as many numbers each, at least one"),
        ("[[0, 0], [0, 1], [1, 0], [1, 1]]", "[]", "data.inputs: must be rows of as many numbers each, at least one"),
        ("[1, 1]]", "[1, true]]", "data.inputs[3][1]: must be a number, not true"),
        ("[1, 1]]", "[1, 1e39]]", "data.inputs: must be finite in float32"),
        ('["false", "true"]', '["false"]', "data.classes: must be two names at least, not 1"),
        ("[0, 0, 0, 1]", "[0, 0, 1]", "data.labels: must be 4, one for each row, not 3"),
        ("[0, 0, 0, 1]", "[0, 0, 0, 2]", "data.labels: must be from 0 to 1, not 2"),
        ("[0, 0, 0, 1]", "[0, 0, 0, -1]", "data.labels: must be from 0 to 1, not -1"),
        ('["false", "true"]', '["false", 1]', "data.classes[1]: must be a text in quotes, not 1"),
        ('["false", "true"]', '["a", "b", "c"]', "loss: sum_of_squared_errors is for two classes, and the data have 3"),
    ],
)
def test_rows_are_checked(old: str, new: str, message: str) -> None:
    with pytest.raises(TaskFileError, match=f"^{re.escape(message)}"):
        task_from(tomllib.loads(changed(old, new, AND)), "mine")


def test_a_file_that_is_not_there_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(TaskFileError, match=r"cannot be read .*; name the file of a task or a plan$"):
        read_task(tmp_path / "none.toml")


def test_the_example_of_the_readme_is_a_task() -> None:
    text = (
        (FILES.parent / "README.md")
        .read_text()
        .partition("### A task of your own")[2]
        .partition("```toml\n")[2]
        .partition("```")[0]
    )
    task = task_from(tomllib.loads(text), "mine")
    assert list(task.architecture.shapes) == ["input", "first", "1_batch_norm", "relu", "3_conv2d", "4_add",
                                              "5_global_average_pool2d", "6_dense"]  # fmt: skip
