"""Exit statuses, and what is printed to a terminal that lacks letters, to no reader, and after an interrupt."""

import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

import tasks
from compare import cli
from compare.cli.status import FAILED, INTERRUPTED, INVALID_INPUT, OK
from tests.cli.common import RUN, Capture
from tests.sources import ROOT


def test_statuses_are_those_of_the_design() -> None:
    assert (OK, FAILED, INVALID_INPUT, INTERRUPTED) == (0, 1, 2, 130)


def test_a_terminal_that_lacks_letters_gets_a_report(tmp_path: Path) -> None:
    results = {"created": "2026", "host": {"cpu": "\u6570"}}
    (tmp_path / "results.json").write_text(json.dumps(results))
    for form, word in (("table", b"cpu \\u6570"), ("markdown", "\u6570".encode()), ("html", "\u6570".encode())):
        command = (sys.executable, "-c", f"import sys\n{RUN}", "report", str(tmp_path), "--format", form, "--verbose")
        found = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "latin-1"})
        assert (found.returncode, found.stderr) == (0, b"")
        assert word in found.stdout
    with redirect_stdout(StringIO()) as file:
        assert cli.main(["report", str(tmp_path), "--format", "markdown"]) == 0
    assert "\u6570" in file.getvalue()


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
