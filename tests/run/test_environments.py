"""Backends in environments of their own: which interpreters are taken, and what is said of those that are not."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from compare.api import run_comparison
from compare.cli import main
from compare.executors.interpreters import InterpreterError, find_interpreters
from compare.executors.look import PACKAGES
from compare.records.results import Results
from compare.run.options import make_options
from compare.run.plan_file import read_plan
from compare.run.resume import DifferentRunError
from tasks.errors import SideBySideError
from tests.environments import bare_environment, packages_of, say_version, twin_environment, without_framework
from tests.sources import ROOT


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the same packages."""
    return twin_environment(tmp_path_factory.mktemp("environments") / "twin")


def run(folder: Path, **options: object) -> Results:
    """The AND gate on NumPy, and on NumPy in another environment."""
    given = {"tasks": "and-gate", "backends": ["numpy@other", "numpy"], "output": folder, "threads": 1, **options}
    return run_comparison(make_options(given), "a test").results


def test_a_backend_in_two_environments_is_certified_and_ranked_in_one_run(twin: Path, tmp_path: Path) -> None:
    results = run(tmp_path / "run", python={"numpy@other": twin}, rounds=3)
    assert {run.backend for run in results.runs} == {"numpy", "numpy@other"}
    assert all(run.status == "ok" and results.verified(run) for run in results.runs)
    assert {run.file_name.split(".")[2] for run in results.runs} == {"numpy", "numpy@other"}
    (pair,) = results.pairs
    assert {name.split()[0] for name in (pair.first, pair.second)} == {"numpy", "numpy@other"}


def test_workers_run_in_the_interpreter_that_was_named(twin: Path) -> None:
    from compare.executors.local import LocalExecutor
    from compare.records.request import CallRequest

    executor = LocalExecutor(1, interpreters=find_interpreters({"numpy@other": twin}))
    where = CallRequest(module="tests.run.test_environments", function="prefix")
    assert executor.ask("numpy@other", where).value == str(twin.parent.parent)
    assert executor.ask("numpy", where).value == sys.prefix


def prefix() -> str:
    """Where the environment lies that this runs in."""
    return sys.prefix


def test_the_folder_of_an_environment_stands_for_its_interpreter(twin: Path) -> None:
    found = find_interpreters({"numpy": twin.parent.parent})["numpy"]
    assert found.path == twin
    assert found.missing is None


def test_results_name_an_interpreter_without_the_folders_of_the_machine(twin: Path, tmp_path: Path) -> None:
    results = run(tmp_path / "run", python={"numpy@other": twin})
    assert results.options["python"] == [f"numpy@other={twin.name}"]
    assert str(tmp_path) not in results.model_dump_json()
    with pytest.raises(SideBySideError, match="numpy@other ran in another environment: add --python numpy@other=ENV"):
        make_options({"resume": tmp_path / "run"})
    assert make_options({"resume": tmp_path / "run", "backends": "numpy"}).python == ()
    again = run_comparison(make_options({"resume": tmp_path / "run", "python": {"numpy@other": twin}}), "a test")
    assert again.results.runs == results.runs


def test_a_run_does_not_go_on_with_another_version(twin: Path, tmp_path: Path) -> None:
    run(tmp_path / "run", python={"numpy@other": twin})
    other = twin_environment(tmp_path / "older", numpy="1.25.0")
    again = {"resume": tmp_path / "run", "python": {"numpy@other": other}, "seeds": 2}
    with pytest.raises(DifferentRunError, match=r"had numpy \S+, this one has numpy 1\.25\.0"):
        run_comparison(make_options(again), "a test")


def another_version(folder: Path) -> Path:
    python = bare_environment(folder)
    packages = packages_of(folder)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, packages / package, ignore=shutil.ignore_patterns("__pycache__", "data"))
    (packages / "tasks" / "__init__.py").write_text("changed = True\n")
    say_version(folder, "sidebyside", "0.0.9")
    return python


def other_sources(folder: Path) -> Path:
    from importlib.metadata import version

    python = another_version(folder)
    shutil.rmtree(packages_of(folder) / "sidebyside-0.0.9.dist-info")
    say_version(folder, "sidebyside", version("sidebyside"))
    return python


def no_file(folder: Path) -> Path:
    return folder / "python"


def no_interpreter(folder: Path) -> Path:
    folder.mkdir()
    (folder / "python").write_text("#!/bin/sh\necho hello\n")
    (folder / "python").chmod(0o755)
    return folder / "python"


def not_executable(folder: Path) -> Path:
    folder.mkdir()
    (folder / "python").write_text("text")
    return folder / "python"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (bare_environment, "has no sidebyside: install it there, or make an environment that has it"),
        (another_version, "has sidebyside 0.0.9, and this is "),
        (other_sources, "with other sources, and this is "),
        (no_file, "there is no such file; give the path of a Python interpreter, or of its environment's folder"),
        (no_interpreter, "does not answer as Python 3.11 or newer would"),
        (not_executable, "cannot be started (Permission denied): give a Python interpreter"),
    ],
)
def test_an_interpreter_that_cannot_be_taken_is_one_line(
    make: Callable[[Path], Path], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = make(tmp_path / "environment")
    arguments = ["run", "and-gate", "--backend", "numpy@x", "numpy", "--python", f"numpy@x={python}"]
    assert main([*arguments, "--output", str(tmp_path / "run")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"sidebyside: numpy@x: {python}")
    assert words in line
    assert not (tmp_path / "run").exists()


def test_a_framework_that_an_environment_lacks_is_a_skipped_row(tmp_path: Path) -> None:
    python = without_framework(tmp_path / "environment")
    results = run(tmp_path / "run", backends=["pytorch", "numpy"], python={"pytorch": python})
    (row,) = [run for run in results.runs if run.backend == "pytorch"]
    assert (row.status, row.message) == (
        "skipped", "pytorch needs the package torch, which python lacks: install it there",
    )  # fmt: skip


def test_a_name_with_a_version_is_held_against_the_environment(tmp_path: Path) -> None:
    python = twin_environment(tmp_path / "environment", numpy="1.26.4")
    for name in ("numpy@1", "numpy@1.26", "numpy@1.26.4", "numpy@mine"):
        assert find_interpreters({name: python})[name].versions["numpy"] == "1.26.4"
    for name, right in (("numpy@2", "numpy@1"), ("numpy@1.2", "numpy@1.26"), ("numpy@1.26.5", "numpy@1.26.4")):
        with pytest.raises(InterpreterError, match=rf"^{name}: .* has numpy 1\.26\.4: call it {right}$"):
            find_interpreters({name: python})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backends": "pytorch@2.13"}, "pytorch@2.13 is in another environment: add --python pytorch@2.13=ENV/bin/"),
        ({"python": {"keras-jax": "x"}}, "--python names keras-jax, which is not compared: add it to the backends"),
        ({"python": "pytorch"}, "python is 'pytorch': write backend=interpreter, as pytorch=ENV/bin/python"),
        ({"python": ["jax=a", "jax=b"]}, "python names two interpreters for jax: call one of them jax@2, say"),
        ({"python": {"numpy": "x"}}, "numpy is the reference, which has no other interpreter: call it numpy@2, say"),
        ({"python": {"torch": "x"}}, "unknown backend 'torch'"),
        ({"backends": "pytorch@"}, "pytorch@: write up to 20 letters, digits and dots after the @, as pytorch@2.13"),
        ({"backends": "pytorch@2..13"}, "write up to 20 letters, digits and dots after the @"),
        ({"backends": "pytorch@../x"}, "write up to 20 letters, digits and dots after the @"),
        ({"backends": "torch@2.13"}, "unknown backend 'torch'"),
        ({"python": 3}, "python is 3: write backend=interpreter"),
        ({"python": [["a"]]}, "python is ['a']: write backend=interpreter"),
        ({"python": {"jax": 3}}, "python is {'jax': 3}: give each backend the path of an interpreter"),
    ],
)
def test_wrong_environments_are_one_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(SideBySideError) as error:
        make_options(options)
    assert message in str(error.value)


def test_a_plan_names_interpreters_from_its_own_folder_on(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    for python in ('python = ["jax=envs/jax"]', '[python]\njax = "envs/jax"'):
        plan.write_text(f'backends = ["jax", "numpy"]\n{python}\n')
        assert make_options(read_plan(plan)).interpreters == {"jax": tmp_path / "envs" / "jax"}


def test_commands_without_interpreters_say_which_have_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-backend", "jax@0.9"]) == 1
    said = "jax@0.9 is in another environment, which only run and parity know, by --python jax@0.9=ENV/bin/python"
    assert capsys.readouterr().err == f"sidebyside: {said}\n"


def test_a_part_that_is_resumed_forgets_no_environment(twin: Path, tmp_path: Path) -> None:
    run(tmp_path / "run", python={"numpy@other": twin})
    part = run_comparison(make_options({"resume": tmp_path / "run", "backends": "numpy", "seeds": 2}), "a test")
    assert [word.partition("=")[0] for word in part.results.options["python"]] == ["numpy@other"]  # type: ignore[union-attr]


def test_a_file_beside_the_user_is_not_run(twin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the file beside the user was run')")
    monkeypatch.chdir(tmp_path)
    assert find_interpreters({"numpy@other": twin})["numpy@other"].missing is None


def test_the_files_of_backends_with_like_names_are_apart() -> None:
    from tests.worker.fakes import make_cell

    names = [make_cell(backend=name).file_name for name in ("keras@jax", "keras-jax", "keras@2.1", "keras@21")]
    assert len({*names}) == len(names)


def test_a_stored_run_names_no_address_and_no_program(tmp_path: Path) -> None:
    results = run(tmp_path / "run", backends="numpy")
    options = {**results.options, "scheduler": "tcp://192.0.2.1:8786", "insecure": True, "log_to": ["tensorboard:x"]}
    for name in ("results.json", "run.json"):
        text = (tmp_path / "run" / name).read_text()
        kept = json.loads(text)
        (kept if name == "results.json" else kept["results"])["options"] = options
        (tmp_path / "run" / name).write_text(json.dumps(kept))
    resumed = make_options({"resume": tmp_path / "run"})
    assert (resumed.scheduler, resumed.insecure, resumed.log_to) == (None, False, ())
