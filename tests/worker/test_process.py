"""The parent's side of a worker: events, the reply, and how each kind of crash is told."""

import os
import sys

import pytest

from compare.executors import session
from compare.executors.local import LocalExecutor
from compare.records.event import EpochEnd, Phase, Reply
from compare.records.request import CellRequest
from tests.sources import ROOT
from tests.worker.fakes import ask, fake_executor, make_cell, posix_only


def test_events_are_passed_on_in_order_and_the_reply_is_returned() -> None:
    events: list[object] = []
    reply = ask(
        """
        tell("phase", name="import")
        tell("epoch", epoch=1, epochs=2, loss=None, accuracy=0.5)
        tell("reply", value="done")
        """,
        on_event=events.append,
    )
    assert reply == Reply(value="done")
    assert events == [Phase(name="import"), EpochEnd(epoch=1, epochs=2, loss=None, accuracy=0.5)]


def test_a_worker_is_asked_in_one_line_and_its_input_stays_open() -> None:
    reply = ask(
        """
        import select
        open_still = not select.select([sys.stdin], [], [], 0)[0]
        tell("reply", value=[request, open_still])
        """
        if os.name == "posix"
        else 'tell("reply", value=[request, True])'
    )
    assert isinstance(reply.value, list)
    asked, open_still = reply.value
    assert open_still
    request = CellRequest.model_validate(asked)
    assert request.started_seconds > 0
    assert request == CellRequest(cell=make_cell(), threads=2, started_seconds=request.started_seconds)


def test_a_worker_answers_one_request_after_the_other() -> None:
    script = """
        number = 0
        while True:
            tell("reply", value=number)
            number += 1
            input()
    """
    with fake_executor(script).open("numpy") as session:
        assert [session.ask(CellRequest(cell=make_cell())).value for _ in range(3)] == [0, 1, 2]
        assert session.alive


def test_a_worker_gets_the_thread_budget_and_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    keras = fake_executor('tell("reply", value=dict(os.environ))')
    environment = keras.ask("keras", CellRequest(cell=make_cell())).value
    assert isinstance(environment, dict)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        assert environment[name] == "2"
    assert str(environment["PYTHONPATH"]).split(os.pathsep) == [str(ROOT), "elsewhere"]
    assert environment["KERAS_BACKEND"] == "tensorflow"
    assert os.environ["OMP_NUM_THREADS"] == "77"  # ours is untouched
    jax = fake_executor('tell("reply", value=os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"])')
    assert jax.ask("jax", CellRequest(cell=make_cell())).value == "false"


@posix_only
def test_a_worker_has_a_process_group_of_its_own() -> None:
    reply = ask('tell("reply", value=[os.getpid(), os.getpgid(0)])')
    assert isinstance(reply.value, list)
    pid, group = reply.value
    assert group == pid != os.getpgid(0)


def test_a_crash_is_told_with_its_status_and_last_words() -> None:
    reply = ask('print("first\\n  last words  \\n\\n", file=sys.stderr); tell("phase", name="build"); sys.exit(3)')
    assert reply == Reply(status="crashed", message="the process ended with status 3: last words")


def test_a_crash_in_silence() -> None:
    assert ask("sys.exit(4)") == Reply(status="crashed", message="the process ended with status 4")


def test_a_crash_at_once_that_reads_no_request() -> None:
    command = (sys.executable, "-I", "-S", "-c", "import os; os._exit(5)")
    reply = LocalExecutor(2, command=command).ask("numpy", CellRequest(cell=make_cell()))
    assert reply == Reply(status="crashed", message="the process ended with status 5")


def test_a_traceback_is_told_by_its_last_line() -> None:
    reply = ask('raise ValueError("no such layer")')
    assert reply.message == "the process ended with status 1: ValueError: no such layer"


def test_last_words_that_are_long_or_no_text_are_one_short_line() -> None:
    reply = ask(r'sys.stderr.buffer.write(b"\xff\xfe" + b"x" * 5000 + b"\r\n"); sys.exit(1)')
    assert reply.status == "crashed"
    assert "xxxxx" in reply.message
    assert len(reply.message) < 400
    assert len(reply.message.splitlines()) == 1


def test_success_without_a_reply_is_a_crash() -> None:
    assert ask("pass") == Reply(status="crashed", message="the process ended with status 0")


def test_garbage_on_stderr_does_not_matter_however_much() -> None:
    reply = ask(
        r"""
        sys.stderr.buffer.write(b'{"event": "reply", "status": "crashed"}\n' + b"\xff\x00warning\n" * 200_000)
        sys.stderr.flush()
        tell("reply", value=1)
        """
    )
    assert reply == Reply(value=1)


@pytest.mark.parametrize("line", ['{"event": "reply", "lo', "a framework was here", "[1]", '{"no": "event"}', ""])
def test_a_line_that_is_no_event_does_not_touch_the_runner(line: str) -> None:
    reply = ask(f"print({line!r}, flush=True); sys.exit(6)")
    assert reply.status == "crashed"
    assert "status 6" in reply.message


@posix_only
@pytest.mark.parametrize(
    ("before", "after", "status", "message"),
    [
        (3, 3, "crashed", "the process ended by signal SIGKILL (Killed)"),
        (3, 4, "out-of-memory", "killed by the system, most likely for want of memory"),
        (None, None, "out-of-memory", "killed by the system, most likely for want of memory"),
    ],
)
def test_the_system_counts_whom_it_kills_for_want_of_memory(
    before: int | None, after: int | None, status: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter([before, after])
    monkeypatch.setattr(session, "out_of_memory_kills", lambda: next(counts))
    reply = ask('tell("phase", name="build"); os.kill(os.getpid(), signal.SIGKILL)')
    assert (reply.status, reply.message) == (status, message)


@posix_only
def test_a_segmentation_fault_is_a_crash() -> None:
    reply = ask("os.kill(os.getpid(), signal.SIGSEGV)")
    assert reply.status == "crashed"
    assert "by signal SIGSEGV" in reply.message


def test_a_session_that_crashed_is_not_alive() -> None:
    with fake_executor("sys.exit(2)").open("numpy") as session:
        assert session.ask(CellRequest(cell=make_cell())).status == "crashed"
        assert not session.alive
