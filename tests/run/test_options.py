"""The options of a run: each defined once, and the same on the command line, in a plan file and in Python."""

import inspect
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import compare
from compare.cli import make_app
from compare.records.cell import Cell
from compare.run.options import NOT_KEPT, RunOptions, make_options
from compare.run.plan import list_cells
from compare.run.plan_file import read_plan
from compare.run.repeating import as_call, as_command
from compare.run.runner import Runner
from tasks.errors import SideBySideError

GIVEN: dict[str, Any] = {
    "tasks": ("mnist-mlp", "mnist-cnn"),
    "backends": ("jax", "numpy"),
    "modes": ("tuned", "stock"),
    "devices": ("cpu", "gpu:1"),
    "seeds": 2,
    "rounds": 3,
    "precision": 0.05,
    "budget": 60.0,
    "self_check": True,
    "preset": "full",
    "epochs": 4,
    "examples": 500,
    "batch_size": 16,
    "learning_rate": 0.5,
    "arithmetics": ("float32", "bfloat16"),
    "recipe": "as-written",
    "formulation": "xla",
    "probe": False,
    "profile": True,
    "timeout": 60.0,
    "threads": 1,
    "data": "fashion mnist.npz",
    "certify": False,
    "save_models": True,
    "include_host": True,
    "python": ("jax=envs/jax/bin/python",),
}
"""Another value than the default for every option that a repetition of a run needs, except those of ``OWN``."""
OWN = {"tasks": ("mnist-keras-example",), "modes": ("stock",), "own_randomness": True, "certify": False}
"""Own randomness goes with no other loop, and with no certificate."""


def parsed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> RunOptions:
    """The options that the command line would run with."""
    given: list[RunOptions] = []

    def note(options: RunOptions, command: str) -> None:
        given.append(options)
        raise SideBySideError("no run")

    monkeypatch.setattr("compare.cli.run.run_comparison", note)
    monkeypatch.setattr("compare.executors.interpreters.find_interpreters", lambda paths: {})
    with pytest.raises(SideBySideError, match="no run"):
        make_app()(words, exit_on_error=False, print_error=False)
    return given[0]


def test_every_option_is_tried_here() -> None:
    assert {*GIVEN, *OWN} == set(RunOptions.model_fields) - {*NOT_KEPT}
    defaults = RunOptions()
    assert all(getattr(defaults, name) != value for name, value in GIVEN.items())


def test_the_command_line_that_is_recorded_repeats_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    options = make_options(GIVEN | {"output": "somewhere"})
    program, *words = shlex.split(as_command(options))
    assert program == "sidebyside"
    again = parsed(words, monkeypatch)
    assert again == make_options(GIVEN)
    assert as_command(make_options({})) == "sidebyside run"
    own = make_options(OWN)
    assert parsed(shlex.split(as_command(own))[1:], monkeypatch) == own == make_options({**OWN, "certify": False})
    assert make_options({name: value for name, value in OWN.items() if name != "certify"}) == own


def test_the_call_that_is_recorded_repeats_the_run() -> None:
    call = as_call(make_options(GIVEN | {"resume": "somewhere"}))
    assert eval(call, {"compare": lambda **values: make_options(values)}) == make_options(GIVEN)
    assert as_call(make_options({})) == "compare()"


def test_a_plan_file_has_the_same_names(tmp_path: Path) -> None:
    lines = [f"{name} = {_toml(value)}" for name, value in GIVEN.items()]
    plan = tmp_path / "plan.toml"
    plan.write_text("\n".join([*lines, 'output = "results"']))
    options = make_options(read_plan(plan))
    there = {"data": str(tmp_path / "fashion mnist.npz"), "output": str(tmp_path / "results")}  # beside the plan
    assert options == make_options(GIVEN | there | {"python": {"jax": tmp_path / "envs/jax/bin/python"}})


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value) if isinstance(value, tuple) else repr(value)).replace("'", '"')


def test_the_command_line_goes_before_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('tasks = ["iris-mlp"]\nrounds = 3\nseeds = 2\ncertify = false\n')
    options = parsed(["run", str(plan), "--rounds", "5", "--certify"], monkeypatch)
    assert (options.tasks, options.rounds, options.seeds, options.certify) == (("iris-mlp",), 5, 2, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rouns = 3", "unknown option 'rouns': did you mean rounds? choose from tasks, backends"),
        ("rounds = 'x'", "rounds is 'x': give a whole number from 1 to 1,000,000"),
        ("rounds = ", "not a file in TOML"),
        ("certify = 5", "certify is 5: input should be a valid boolean"),
        ("output = 5", "output is 5"),
        ("output = ''", "output is empty: give a path, or leave it out"),
        ("output = 'a'\nresume = 'b'", "give output or resume, not both"),
    ],
)
def test_a_wrong_plan_gets_one_line(text: str, message: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(text)
    with pytest.raises(SideBySideError) as caught:
        make_options(read_plan(plan))
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_plan_is_certified_as_it_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def note(runner: Runner, cells: list[Cell]) -> None:
        given.append((runner.options, cells))
        raise SideBySideError("no run")

    given: list[tuple[RunOptions, list[Cell]]] = []
    monkeypatch.setattr(Runner, "run", note)
    monkeypatch.setattr("compare.executors.interpreters.find_interpreters", lambda paths: {})
    plan = tmp_path / "PLAN.TOML"
    plan.write_text("\n".join(f"{name} = {_toml(value)}" for name, value in GIVEN.items() if name != "data"))
    for more in ((), ("--recipe", "standard"), ("--backend", "keras")):
        with pytest.raises(SideBySideError, match="no run"):
            make_app()(["parity", str(plan), *more], exit_on_error=False, print_error=False)
    subjects = [{(c.task, c.recipe, c.backend, c.batch_size, c.seed, c.round) for c in cells} for _, cells in given]
    recipes = {"mnist-mlp": "as-written", "mnist-cnn": "standard"}.items()
    written = {(task, recipe + arithmetic) for task, recipe in recipes for arithmetic in ("", "-bfloat16")}
    assert subjects[0] == {(*names, backend, 16, 0, 0) for names in written for backend in ("jax", "numpy")}
    assert {subject[1] for subject in subjects[1]} == {"standard", "standard-bfloat16"}
    assert {subject[2] for subject in subjects[2]} == {"keras"}
    assert all(options.certify and options.learning_rate == 0.5 for options, _ in given)
    assert [len(cells) for _, cells in given] == [32, 32, 16]


def test_own_randomness_is_no_part_of_a_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[RunOptions] = []

    def note(runner: Runner, cells: list[Cell]) -> None:
        given.append(runner.options)
        raise SideBySideError("no run")

    monkeypatch.setattr(Runner, "run", note)
    plan = tmp_path / "plan.toml"
    plan.write_text("\n".join(f"{name} = {_toml(value)}" for name, value in OWN.items()))
    with pytest.raises(SideBySideError, match="no run"):
        make_app()(["parity", str(plan)], exit_on_error=False, print_error=False)
    assert [(options.own_randomness, options.certify) for options in given] == [(False, True)]


def test_compare_has_the_arguments_that_there_are_options() -> None:
    parameters = inspect.signature(compare.compare).parameters
    assert list(parameters) == list(RunOptions.model_fields)
    assert parameters["rounds"].default == 1
    assert compare.compare.__doc__ is not None
    for name, field in RunOptions.model_fields.items():
        described = " ".join((field.description or "").split())
        assert f"{name}: {described}" in compare.compare.__doc__
    with pytest.raises(TypeError, match="rouns"):
        compare.compare(rouns=1)  # type: ignore[call-arg]


def test_numpys_numbers_are_taken() -> None:
    options = make_options(
        {"rounds": np.int64(2), "epochs": np.int32(3), "timeout": np.float32(1.5), "learning_rate": np.float64(0.25)}
    )
    assert (options.rounds, options.epochs, options.timeout, options.learning_rate) == (2, 3, 1.5, 0.25)
    assert {type(options.rounds), type(options.timeout)} == {int, float}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"threads": 99_999_999}, "threads is 99999999: give a whole number from 1 to 4,096"),
        ({"rounds": True}, "rounds is True: give a whole number from 1 to 1,000,000"),
        ({"rounds": 1.5}, "rounds is 1.5: give a whole number from 1 to 1,000,000"),
        ({"learning_rate": 0}, "learning_rate is 0: give a number above 0"),
        ({"learning_rate": "nan"}, "learning_rate is 'nan': give a number above 0"),
        ({"timeout": float("inf")}, "timeout is inf: give seconds above 0"),
        ({"modes": "stok"}, "unknown mode 'stok': did you mean stock? choose from tuned, stock, both"),
        ({**OWN, "modes": "both"}, "own randomness is an option of the stock loop alone: add --mode stock"),
        ({**OWN, "backends": "numpy"}, "numpy has no randomness of its own: name the other backends"),
        (
            {**OWN, "tasks": "iris-mlp"},
            "iris-mlp has no dropout, whose masks could be a framework's own: name other tasks",
        ),
        (
            {**OWN, "certify": True},
            "models that draw their own masks differ, and cannot be certified: leave out certify",
        ),
        ({"devices": ["gpu", "iris-mlp"]}, "iris-mlp is a task: write the tasks before --device"),
        ({"backends": ["jax", "iris-mlp"]}, "iris-mlp is a task: write the tasks before --backend"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_right(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SideBySideError) as caught:
        make_options(values)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"seeds": 1_000_000, "rounds": 1_000_000},
            "the run would have 1,000,000,000,000 cells (1,000,000 seeds x 1,000,000 rounds),"
            " and 100,000 is the limit: ask for fewer seeds",
        ),
        (
            {"backends": ("numpy", "jax"), "rounds": 25_001, "self_check": True},
            "the run would have 100,004 cells (2 backends x 50,002 rounds),"
            " and 100,000 is the limit: ask for fewer rounds",
        ),
    ],
)
def test_a_run_of_too_many_cells_is_refused_before_they_are_listed(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SideBySideError) as caught:
        make_options({"tasks": "and-gate", "backends": "numpy"} | values)
    assert str(caught.value) == message
    assert make_options({"tasks": "and-gate", "backends": "numpy", "seeds": 1000, "rounds": 100}).seeds == 1000


def test_cells_have_the_batch_size_and_the_examples_that_are_asked_for() -> None:
    (cell,) = list_cells(make_options({"tasks": "mnist-mlp", "backends": "numpy", "examples": 70, "batch_size": 7}))
    assert (cell.examples, cell.batch_size, cell.epochs) == (70, 7, 3)
