"""Closed and full streams, and a current folder that was deleted: one line and a status in every command."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sources import ROOT

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
FULL = "sidebyside: the output cannot be written (No space left on device)\n"
CLOSED = "sidebyside: standard output is closed: nothing could be printed\n"
COMMANDS = ("list", "--help", "--version", "run --help", "lesson", "lesson gradient --backend numpy", "report {run}")


def shell(words: str, ending: str, **arguments: str | Path) -> subprocess.CompletedProcess[str]:
    line = f"{shlex.quote(sys.executable)} -P -m sidebyside {words} {ending}"
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    recorded = str(ROOT / "tests" / "data" / "recorded")
    finished = subprocess.run(
        line.format(run=recorded),
        shell=True,
        executable="/bin/bash",
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
        **arguments,
    )
    assert "Traceback" not in finished.stderr, finished.stderr
    return finished


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize(("ending", "line"), [(">/dev/full", FULL), (">&-", CLOSED), (">&- <&-", CLOSED)])
def test_output_that_cannot_be_written_is_one_line(words: str, ending: str, line: str) -> None:
    finished = shell(words, ending)
    assert finished.returncode == 1
    assert finished.stderr.splitlines(keepends=True)[-1] == line
    assert len(finished.stderr.splitlines()) == (2 if "gradient" in words else 1)  # a lesson also says what it runs


@pytest.mark.parametrize("ending", ["2>/dev/full", "2>&-", "<&-"])
def test_other_streams_are_not_needed(ending: str) -> None:
    finished = shell("list", ending)
    assert finished.returncode == 0
    assert "iris-mlp" in finished.stdout
    assert shell("nonsense", ending).returncode == 2


@pytest.mark.parametrize(
    "ending",
    [
        ">/dev/full",
        pytest.param("2>/dev/full", marks=pytest.mark.slow),
        ">&- 2>&- <&-",
        pytest.param("2>err | true; exit ${{PIPESTATUS[0]}}", marks=pytest.mark.slow),
    ],
)
def test_a_run_is_stored_whatever_becomes_of_its_output(ending: str, tmp_path: Path) -> None:
    words = "run and-gate --backend numpy --no-certify --epochs 3 --output r"
    finished = shell(words, ending, cwd=tmp_path)
    assert finished.returncode == (0 if ending == "2>/dev/full" else 1)
    assert (tmp_path / "r" / "results.json").stat().st_size > 1000
    assert (tmp_path / "r" / "report.html").stat().st_size > 10_000
    assert "true" not in ending or "sidebyside" not in (tmp_path / "err").read_text()


@pytest.mark.parametrize("words", [*COMMANDS, "run and-gate", "parity", "diff a b", "predict", "convert", "weights"])
def test_a_folder_that_was_deleted_is_one_line(words: str, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    line = f"rmdir {shlex.quote(str(folder))}; {shlex.quote(sys.executable)} -P -m sidebyside {words}"
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(
        line.format(run="r"), shell=True, cwd=folder, env=variables, capture_output=True, text=True
    )
    assert finished.stderr == "sidebyside: the current folder is no longer there: change to another one\n"
    assert (finished.returncode, finished.stdout) == (2, "")
