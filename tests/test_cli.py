"""The command line: exit statuses, errors in one line, and what happens where frameworks are missing."""

import argparse
import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

import backends
import tasks
from compare import cli
from compare.arguments import make_parser
from compare.records.results import Results
from compare.run.store import now, read_results, write_results

ROOT = Path(__file__).parent.parent
FRAMEWORK_MODULES = ("torch", "torchvision", "tensorflow", "keras", "jax", "jaxlib", "flax", "optax")

Capture = pytest.CaptureFixture[str]


def refused(capsys: Capture, *arguments: str) -> str:
    """Runs a command that must be refused: status 2, nothing on stdout, and one line on stderr, which is returned."""
    status = cli.main(arguments)
    out, err = capsys.readouterr()
    assert status == cli.WRONG_WORDS, err
    assert out == ""
    assert err.startswith("sidebyside: ")
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1, err
    return err


def python(script: str, *arguments: str, hidden: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Runs a script in a new process in which some modules cannot be found."""
    hide = f"import sys\nfor name in {hidden!r}: sys.modules[name] = None\n"
    return subprocess.run(
        [sys.executable, "-c", hide + script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )


RUN = "from compare.cli import main\nsys.exit(main(sys.argv[1:]))"


def test_statuses_are_those_of_the_design() -> None:
    assert (cli.OK, cli.FAILED, cli.WRONG_WORDS, cli.INTERRUPTED) == (0, 1, 2, 130)


def test_a_terminal_that_lacks_letters_gets_a_report(tmp_path: Path) -> None:
    results = {"created": "2026", "host": {"cpu": "\u6570"}}
    (tmp_path / "results.json").write_text(json.dumps(results))
    for form, word in (("table", b"cpu \\u6570"), ("markdown", "\u6570".encode()), ("html", "\u6570".encode())):
        command = (sys.executable, "-c", f"import sys\n{RUN}", "report", str(tmp_path), "--format", form)
        found = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "latin-1"})
        assert (found.returncode, found.stderr) == (0, b"")
        assert word in found.stdout
    with redirect_stdout(StringIO()) as file:
        assert cli.main(["report", str(tmp_path), "--format", "markdown"]) == 0
    assert "\u6570" in file.getvalue()


# Wrong words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the following arguments are required: COMMAND (see sidebyside --help)"),
        (("start",), "invalid choice: 'start'"),
        (("list", "--yaml"), "unrecognized arguments: --yaml"),
        (("list", "iris-mlp"), "unrecognized arguments: iris-mlp"),
        (("run", "iris"), "unknown task 'iris': did you mean iris-mlp? choose from and-gate, iris-mlp, mnist-mlp"),
        (("run", "a\nb"), r"unknown task 'a\nb': choose from"),
        (("run", ""), "unknown task '': choose from"),
        (("run", "iris-mlp", "--backend", "torch"), "unknown backend 'torch': did you mean pytorch? choose from numpy"),
        (("run", "--backend", "numpy", "iris-mlp"), "iris-mlp is a task: write the tasks before --backend"),
        (("run", "--backend"), "argument --backend: expected at least one argument (see sidebyside run --help)"),
        (("run", "--backen", "numpy"), "unrecognized arguments: --backen"),
        (("run", "--mode", "fast"), "argument --mode: invalid choice: 'fast'"),
        (("run", "--preset", "slow"), "argument --preset: invalid choice: 'slow'"),
        (("run", "--recipe", "mine"), "argument --recipe: invalid choice: 'mine'"),
        (("run", "--device", "tpu"), "unknown device 'tpu': did you mean gpu? choose from cpu, gpu, gpu:<index>"),
        (("run", "--device", "gpu:"), "unknown device 'gpu:'"),
        (("run", "--device", "gpu:-1"), "unknown device 'gpu:-1'"),
        (("run", "--device", "gpu:x"), "unknown device 'gpu:x'"),
        (("run", "--device", "cpu:0"), "unknown device 'cpu:0'"),
        (("run", "--device", "cpu", "GPU"), "unknown device 'GPU'"),
        (("run", "--seeds", "0"), "argument --seeds: '0' is not a whole number from 1"),
        (("run", "--seeds", "-1"), "argument --seeds: '-1' is not a whole number from 1"),
        (("run", "--seeds", "1.5"), "argument --seeds: '1.5' is not a whole number from 1"),
        (("run", "--seeds", ""), "argument --seeds: '' is not a whole number from 1"),
        (("run", "--epochs", "ten"), "argument --epochs: 'ten' is not a whole number from 1"),
        (("run", "--epochs", "1000001"), "argument --epochs: '1000001' is not a whole number from 1"),
        (("run", "--threads", "²"), "argument --threads: '²' is not a whole number from 1"),
        (("run", "--timeout", "0"), "argument --timeout: '0' is not a number above 0"),
        (("run", "--timeout", "-3"), "argument --timeout: '-3' is not a number above 0"),
        (("run", "--timeout", "soon"), "argument --timeout: 'soon' is not a number above 0"),
        (("run", "--timeout", "nan"), "argument --timeout: 'nan' is not a number above 0"),
        (("run", "--timeout", "inf"), "argument --timeout: 'inf' is not a number above 0"),
        (("run", "--output", "a", "--resume", "b"), "not allowed with argument"),
    ],
)
def test_wrong_words_get_one_line(arguments: tuple[str, ...], message: str, capsys: Capture) -> None:
    assert message in refused(capsys, *arguments)


def test_the_command_of_the_package_exits_with_the_status(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "compare", "run", "no-task", "--output", str(tmp_path / "run")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("sidebyside: unknown task 'no-task'")
    assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


# Folders


def numpy_run(*arguments: str) -> tuple[str, ...]:
    """A run that works whatever frameworks are installed."""
    return ("run", "and-gate", "--backend", "numpy", "--no-certify", *arguments)


@pytest.mark.parametrize("folder", [("--output", "a b"), ("--output=a b",), ("--resume", "a"), ("--resume=a",), ()])
def test_the_recorded_command_names_no_folder(folder: tuple[str, ...]) -> None:
    """Made again with it, the run would be refused, for the folder is no longer empty."""
    assert cli.without_folder(["run", "and-gate", *folder, "--seeds", "2"]) == ["run", "and-gate", "--seeds", "2"]


def test_an_output_folder_that_is_not_empty_is_left_alone(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    error = refused(capsys, *numpy_run("--output", str(tmp_path)))
    assert f"{tmp_path} is not empty: name another folder, or resume that run" in error
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_wrong_words_leave_no_folder(tmp_path: Path, capsys: Capture) -> None:
    refused(capsys, *numpy_run("--output", str(tmp_path / "run"), "--device", "tpu"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "run", "deep/er"])
def test_an_output_that_cannot_be_a_folder_gets_one_line(below: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    assert str(path) in refused(capsys, *numpy_run("--output", str(path / below)))
    assert path.read_text() == "mine"


@pytest.mark.parametrize("where", ["", "nothing"])
def test_resume_of_what_is_no_run_gets_one_line(where: str, tmp_path: Path, capsys: Capture) -> None:
    error = refused(capsys, *numpy_run("--resume", str(tmp_path / where)))
    assert "cannot be read (No such file or directory); name the folder of a run" in error
    assert list(tmp_path.iterdir()) == []


def test_resume_of_damaged_results_gets_one_line_and_keeps_them(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "results.json").write_text("{")
    assert "not a results file" in refused(capsys, *numpy_run("--resume", str(tmp_path)))
    assert (tmp_path / "results.json").read_text() == "{"


def test_resume_of_a_results_file_itself_gets_one_line(tmp_path: Path, capsys: Capture) -> None:
    path = write_results(tmp_path, Results(created=now(), host={}))
    assert str(path) in refused(capsys, *numpy_run("--resume", str(path)))


# Data


@pytest.mark.parametrize("chosen", [("iris-mlp",), ("and-gate",), ("mnist-cnn", "iris-mlp"), ()])
def test_data_is_for_the_mnist_tasks_alone(chosen: tuple[str, ...], tmp_path: Path, capsys: Capture) -> None:
    error = refused(capsys, "run", *chosen, "--backend", "numpy", "--data", str(tmp_path / "data.npz"))
    assert "a data file is for the mnist tasks alone" in error


def test_data_are_read_before_anything_is_run(tmp_path: Path, capsys: Capture) -> None:
    output, data = tmp_path / "run", tmp_path / "data.npz"
    arguments = ("run", "mnist-cnn", "--backend", "numpy", "--output", str(output), "--data")
    assert f"{data}: cannot be read" in refused(capsys, *arguments, str(data))
    data.write_text("digits")
    assert f"{data}: not a readable .npz file" in refused(capsys, *arguments, str(data))
    np.savez(data, x_train=np.zeros((3, 28, 28)))
    assert f"{data}: has no array 'y_train'" in refused(capsys, *arguments, str(data))
    assert f"{tmp_path}: cannot be read" in refused(capsys, *arguments, str(tmp_path))
    assert not output.exists()


# list


def test_list_names_everything(capsys: Capture) -> None:
    assert cli.main(["list"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for name in (*tasks.available_tasks(), *backends.available_backends()):
        assert f"\n  {name} " in out
    assert "804,554 parameters" in out
    assert out.count("--recipe as-written: the network ends in a softmax") == 2
    assert "the reference" in out


def test_list_as_json_is_json_alone(capsys: Capture) -> None:
    assert cli.main(["list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    listed = json.loads(out)
    assert [task["task"] for task in listed["tasks"]] == list(tasks.available_tasks())
    assert {task["task"]: task["parameters"] for task in listed["tasks"]}["mnist-dense"] == 118_282
    recipes = {task["task"]: task["recipes"] for task in listed["tasks"]}
    assert recipes["and-gate"] == {"standard": ""}
    assert "log-probabilities" in recipes["mnist-mlp"]["as-written"]
    assert [backend["backend"] for backend in listed["backends"]] == list(backends.available_backends())
    assert {backend["backend"]: backend["missing"] for backend in listed["backends"]}["numpy"] is None


def test_list_says_what_is_missing() -> None:
    result = python(RUN, "list", hidden=("torch", "flax"))
    assert result.returncode == 0
    assert 'pytorch needs the package torch: pip install -e ".[pytorch]"' in result.stdout
    assert 'jax needs the package flax: pip install -e ".[jax]"' in result.stdout
    assert "numpy        the reference" in result.stdout


@pytest.mark.skipif(os.name != "posix", reason="pipes end differently")
def test_a_reader_that_has_gone_is_no_error_message() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run(
            [sys.executable, "-m", "compare", "list"],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writer)
    assert result.stderr == b""
    assert result.returncode == cli.FAILED


# Help


def commands() -> list[str]:
    parser = make_parser()
    choices = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return list(choices[0])


def test_the_commands_there_are() -> None:
    assert {"list", "run"} <= set(commands())


@pytest.mark.parametrize("command", ["", *commands()])
def test_help(command: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*([command] if command else []), "--help"])
    out, err = capsys.readouterr()
    assert end.value.code == 0
    assert err == ""
    assert out.startswith(f"usage: sidebyside {command}".rstrip())
    if not command:
        for name in commands():
            assert f"\n    {name} " in out


def test_help_of_run_names_its_options(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        cli.main(["run", "--help"])
    out = capsys.readouterr().out
    options = "backend mode device seeds preset epochs recipe timeout threads output resume data no-certify"
    for option in options.split():
        assert f"--{option} " in out
    assert "iris-mlp, mnist-mlp, mnist-cnn" in " ".join(out.split())


# Missing frameworks


def test_without_any_framework_run_says_what_is_missing_and_fails(tmp_path: Path) -> None:
    result = python(RUN, "run", "--output", str(tmp_path / "run"), hidden=FRAMEWORK_MODULES)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        'sidebyside: pytorch needs the package torch: pip install -e ".[pytorch]"',
        'sidebyside: keras needs the package tensorflow: pip install -e ".[keras]"',
        'sidebyside: jax needs the package jax: pip install -e ".[jax]"',
    ]
    assert not (tmp_path / "run").exists()


Finished = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def partial_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """A run on numpy and jax where a package of jax is missing."""
    output = tmp_path_factory.mktemp("partial") / "run"
    arguments = ("--backend", "jax", "--epochs", "20", "--threads", "1", "--output", str(output))
    return output, python(RUN, *numpy_run(*arguments), hidden=("optax",))


def test_the_rest_is_run_where_a_framework_is_missing(partial_run: tuple[Path, Finished]) -> None:
    output, finished = partial_run
    assert finished.returncode == 0, finished.stderr
    runs = {run.backend: run for run in read_results(output).runs}
    assert set(runs) == {"numpy", "jax"}
    assert runs["numpy"].status == "ok"
    assert runs["numpy"].accuracy is not None
    assert runs["jax"].status == "skipped"
    assert runs["jax"].message == 'jax needs the package optax: pip install -e ".[jax]"'
    assert f"written: {output / 'results.json'}\nwritten: {output / 'report.html'}, for a browser" in finished.stdout
    assert "jax needs the package optax" in (output / "report.html").read_text()


def test_without_a_terminal_progress_is_plain_lines(partial_run: tuple[Path, Finished]) -> None:
    _, finished = partial_run
    assert "\x1b" not in finished.stdout + finished.stderr
    assert "\r" not in finished.stdout + finished.stderr
    first, second = finished.stderr.splitlines()
    assert first.startswith("and-gate numpy tuned cpu: accuracy ")
    assert first.endswith(" examples/s")
    assert second == 'and-gate jax tuned cpu: skipped: jax needs the package optax: pip install -e ".[jax]"'


# reads "unve…", and the install command has a line break in it.
def test_without_a_terminal_nothing_is_cut_to_fit_one(partial_run: tuple[Path, Finished]) -> None:
    _, finished = partial_run
    assert "unverified" in finished.stdout
    assert "…" not in finished.stdout
    assert 'jax needs the package optax: pip install -e ".[jax]"' in finished.stdout


def test_a_device_that_is_not_there_fails_and_is_no_cpu_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(numpy_run("--device", "gpu")) == cli.FAILED
    (folder,) = (tmp_path / "runs").iterdir()  # where a run is written unless it is told
    (run,) = read_results(folder).runs
    assert (run.status, run.device) == ("crashed", "gpu:0")
    assert run.message.startswith("numpy has no device gpu:0 here (it has cpu)")
    assert run.accuracy is None
    assert "numpy has no device gpu:0 here" in " ".join(capsys.readouterr().out.split())


# What goes wrong while a command runs


def test_an_interrupt_is_one_line_and_130(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tasks, "available_tasks", interrupt)
    assert cli.main(["list"]) == cli.INTERRUPTED
    assert capsys.readouterr().err == "sidebyside: interrupted\n"


def test_a_bug_is_not_dressed_up_as_wrong_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(tasks, "available_tasks", fail)
    with pytest.raises(ZeroDivisionError):
        cli.main(["list"])
