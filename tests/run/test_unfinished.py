"""Runs that end early, and reports that cannot be drawn: what was done is shown, and a line says how to go on."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import compare
from compare.cli import main
from compare.comparison import Comparison, RunInterruptedError, as_keyboard_interrupt
from compare.records.certificate import Certificate
from compare.records.run import Run
from compare.run.claim import StoreError
from compare.run.store import Store
from tests.run.results import make_results
from tests.sources import ROOT
from tests.worker.fakes import PATIENCE_SECONDS, ended_afterwards, posix_only, wait_until

Capture = pytest.CaptureFixture[str]
WORDS = ("run", "and-gate", "--backend", "numpy", "--epochs", "5", "--seeds", "2", "--threads", "1", "--no-certify")


def test_a_full_disk_costs_no_finished_cell(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run = Store.write_run

    def fail(store: Store, run: Run, certificate: Certificate | None = None) -> None:
        if run.seed == 1:
            store._runs[run.file_name] = run
            raise StoreError("cells/x.json: cannot be written (No space left on device)")
        write_run(store, run, certificate)

    monkeypatch.setattr(Store, "write_run", fail)
    assert main([*WORDS, "--output", str(tmp_path / "run")]) == 2
    out, err = capsys.readouterr()
    assert "numpy" in out  # the table, from memory
    line = err.splitlines()[-1]
    assert line.startswith("sidebyside: cells/x.json: cannot be written (No space left on device)")
    assert line.endswith(f"sidebyside run --resume {tmp_path / 'run'}")
    monkeypatch.undo()
    assert main(["run", "--resume", str(tmp_path / "run")]) == 0


def test_a_report_that_cannot_be_drawn_costs_no_table(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = subprocess.run

    def abort(command: list[str], **kwargs: Any) -> Any:
        return run(["sh", "-c", "echo 'out of memory in the drawing library' >&2; kill -ABRT $$"], **kwargs)

    monkeypatch.setattr("compare.comparison.subprocess.run", abort)
    assert main([*WORDS, "--output", str(tmp_path / "run")]) == 1
    out, err = capsys.readouterr()
    assert "numpy" in out
    assert "the report could not be drawn (out of memory in the drawing library)" in err
    again = f"sidebyside report {tmp_path / 'run'} --output {tmp_path / 'run' / 'report.html'}"
    assert again in err
    monkeypatch.undo()
    assert main(again.split()[1:]) == 0
    monkeypatch.setattr("compare.comparison.subprocess.run", abort)
    with pytest.warns(UserWarning, match="could not be drawn"):
        compare.compare("and-gate", "numpy", epochs=5, threads=1, certify=False, output=tmp_path / "other")


def test_an_interrupt_in_a_notebook_shows_what_was_done_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[object] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    error = RunInterruptedError(2, Comparison(make_results(), tmp_path / "run"))
    (line,) = error._render_traceback_()
    assert f"go on with resume='{tmp_path / 'run'}'" in line
    assert "what was done (2 cells) is kept" in line
    assert shown == [error.comparison]
    assert error.exit_status == 130
    plain = as_keyboard_interrupt(error)
    assert type(plain) is KeyboardInterrupt
    assert plain._render_traceback_() == [line]  # type: ignore[attr-defined]


@posix_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_script_that_is_interrupted_ends_as_python_does_with_one_line(number: signal.Signals, tmp_path: Path) -> None:
    call = "compare.compare('and-gate', 'numpy', epochs=5, seeds=9999, threads=1, certify=False, output='run')"
    heeds = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # in the background none would
    script = subprocess.Popen(
        [sys.executable, "-c", f"{heeds}; import compare; {call}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    with script, ended_afterwards([script.pid]):
        wait_until(lambda: any(tmp_path.glob("run/cells/*.json")), "a cell has finished")
        script.send_signal(number)
        _, error = script.communicate(timeout=PATIENCE_SECONDS)
    assert script.returncode == (-number if number == signal.SIGINT else 128 + number)
    line = next(text for text in error.splitlines() if not text.startswith("and-gate"))  # those are the progress
    assert re.fullmatch(
        r"KeyboardInterrupt: interrupted; what was done \((1 cell|\d+ cells)\) is kept in run; .*", line
    )
    assert line.endswith("; go on with resume='run'")
    assert error.endswith(f"{line}\n")
