"""The parent's side of a worker: events, the result, and how each kind of crash is told."""

import os
import signal
import sys
from pathlib import Path

import pytest

from compare.plan import Cell
from compare.process import run_worker
from compare.runner import Options, make_request
from tests.sources import ROOT
from tests.worker.fakes import Event, ask, make_cell, posix_only


def test_events_are_passed_on_in_order_and_the_result_is_returned() -> None:
    events: list[Event] = []
    result = ask(
        """
        tell("phase", name="import")
        tell("epoch", epoch=1, loss=None)
        tell("result", status="ok", accuracy=1.0)
        """,
        on_event=events.append,
    )
    assert result == {"status": "ok", "accuracy": 1.0}
    assert events == [{"event": "phase", "name": "import"}, {"event": "epoch", "epoch": 1, "loss": None}]


def test_a_worker_is_asked_in_one_line_and_its_input_stays_open() -> None:
    result = ask(
        """
        import select
        open_still = not select.select([sys.stdin], [], [], 0)[0]
        tell("result", request=request, open_still=open_still)
        """
        if os.name == "posix"
        else 'tell("result", request=request, open_still=True)'
    )
    assert result["open_still"]
    assert Cell.of(result["request"]["cell"]) == make_cell()
    assert result["request"].pop("started") > 0
    assert result["request"] == make_request(make_cell(), Options(Path("nowhere"), threads=2))


def test_a_worker_gets_the_thread_budget_and_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    environment = ask('tell("result", **os.environ)')
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        assert environment[name] == "2"
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "elsewhere"]
    assert environment["KERAS_BACKEND"] == "tensorflow"
    assert environment["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert os.environ["OMP_NUM_THREADS"] == "77"  # ours is untouched


@posix_only
def test_a_worker_has_a_process_group_of_its_own() -> None:
    result = ask('tell("result", pid=os.getpid(), group=os.getpgid(0))')
    assert result["group"] == result["pid"] != os.getpgid(0)


def test_a_crash_is_told_with_its_status_and_last_words() -> None:
    result = ask('print("first\\n  last words  \\n\\n", file=sys.stderr); tell("phase", name="build"); sys.exit(3)')
    assert result == {"status": "crashed", "message": "the process ended with status 3: last words"}


def test_a_crash_in_silence() -> None:
    assert ask("sys.exit(4)") == {"status": "crashed", "message": "the process ended with status 4"}


def test_a_crash_at_once_that_reads_no_request() -> None:
    command = (sys.executable, "-I", "-S", "-c", "import os; os._exit(5)")
    result = run_worker(make_request(make_cell(), Options(Path("nowhere"))), command=command)
    assert result == {"status": "crashed", "message": "the process ended with status 5"}


def test_a_traceback_is_told_by_its_last_line() -> None:
    result = ask('raise ValueError("no such layer")')
    assert result["message"] == "the process ended with status 1: ValueError: no such layer"


def test_last_words_that_are_long_or_no_text_are_one_short_line() -> None:
    result = ask(r'sys.stderr.buffer.write(b"\xff\xfe" + b"x" * 5000 + b"\r\n"); sys.exit(1)')
    assert result["status"] == "crashed"
    assert "xxxxx" in result["message"]
    assert len(result["message"]) < 400
    assert len(result["message"].splitlines()) == 1


def test_success_without_a_result_is_a_crash() -> None:
    assert ask("pass") == {"status": "crashed", "message": "the process ended with status 0"}


def test_garbage_on_stderr_does_not_matter_however_much() -> None:
    result = ask(
        r"""
        sys.stderr.buffer.write(b'{"event": "result", "status": "crashed"}\n' + b"\xff\x00warning\n" * 200_000)
        sys.stderr.flush()
        tell("result", status="ok")
        """
    )
    assert result == {"status": "ok"}


@pytest.mark.parametrize("line", ['{"event": "result", "lo', "a framework was here", "[1]", '{"no": "event"}', ""])
def test_a_line_that_is_no_event_does_not_touch_the_runner(line: str) -> None:
    result = ask(f"print({line!r}, flush=True); sys.exit(6)")
    assert result["status"] == "crashed"
    assert "status 6" in result["message"]


@posix_only
def test_a_worker_killed_from_outside_is_told_as_out_of_memory() -> None:
    result = ask('tell("phase", name="build"); os.kill(os.getpid(), signal.SIGKILL)')
    assert result["status"] == "out-of-memory"
    assert "killed by the system" in result["message"]


@posix_only
def test_a_segmentation_fault_is_a_crash() -> None:
    result = ask("os.kill(os.getpid(), signal.SIGSEGV)")
    assert result["status"] == "crashed"
    assert f"status -{int(signal.SIGSEGV)}" in result["message"]
