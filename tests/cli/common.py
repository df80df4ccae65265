"""Help to run commands: in this process, or in a new one that lacks some modules."""

import json
import subprocess
import sys
from typing import Any

import pytest

from compare import cli
from compare.cli.status import INVALID_INPUT
from tasks.errors import SideBySideError
from tests.sources import ROOT

Capture = pytest.CaptureFixture[str]


def refused(capsys: Capture, *arguments: str) -> str:
    """Runs a command that must be refused: status 2, nothing on stdout, and one line on stderr, which is returned."""
    status = cli.main(arguments)
    out, err = capsys.readouterr()
    assert status == INVALID_INPUT, err
    assert out == ""
    assert err.startswith("sidebyside: ")
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1, err
    return err


def asked(capsys: Capture, *arguments: str) -> Any:
    """The JSON that a command prints, which must succeed."""
    status = cli.main([*arguments, "--json"])
    out, err = capsys.readouterr()
    assert status == cli.OK, err
    return json.loads(out)


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


def numpy_run(*arguments: str) -> tuple[str, ...]:
    """A run that works whatever frameworks are installed."""
    return ("run", "and-gate", "--backend", "numpy", "--no-certify", *arguments)


Finished = subprocess.CompletedProcess[str]


def make_commands_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets commands check what they are given, and ends them before a worker is started or a page is drawn."""

    def nothing(*_: object, **__: object) -> None:
        raise SideBySideError("nothing is run here")

    monkeypatch.setattr("compare.cli.run.run_comparison", nothing)
    monkeypatch.setattr("compare.run.runner.Runner.run", nothing)
    monkeypatch.setattr("compare.executors.session.LocalSession.__init__", nothing)
