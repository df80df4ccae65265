"""A worker ends in time with all that it started, and what it has measured is kept."""

from functools import partial
from pathlib import Path

import pytest

from compare.executors import session
from compare.records.event import EpochEnd, Measured, Phase, Reply
from tests.worker.fakes import PATIENCE_SECONDS, ask, ended_afterwards, is_gone, posix_only, wait_until

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
WITH_CHILD = f"""
signal.signal(signal.SIGTERM, signal.{{on_term}})
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", {STUBBORN!r}], stdout=subprocess.PIPE)
child.stdout.readline()
tell("phase", name=f"{{{{os.getpid()}}}} {{{{child.pid}}}}")
{{then}}
"""


def pids_in(event: Phase | EpochEnd | Measured) -> list[int]:
    """The process ids that such a worker tells: its own, and its child's."""
    assert isinstance(event, Phase)
    return list(map(int, event.name.split()))


@posix_only
def test_a_hang_is_ended_in_time_with_all_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "GRACE_SECONDS", 0.2)
    pids: list[int] = []
    with ended_afterwards(pids):
        reply = ask(
            WITH_CHILD.format(on_term="SIG_IGN", then="time.sleep(600)"),
            timeout=2.5,
            on_event=lambda event: pids.extend(pids_in(event)),
        )
        assert reply.status == "timeout"
        assert reply.message == "ended after 2.5 seconds"
        assert len(pids) == 2
        for pid in pids:
            wait_until(partial(is_gone, pid), "the worker and its child have ended")


@posix_only
@pytest.mark.parametrize("then", ['tell("reply")', "sys.exit(1)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_children_of_a_worker_that_ended_are_ended_too(then: str) -> None:
    pids: list[int] = []
    with ended_afterwards(pids):
        ask(WITH_CHILD.format(on_term="SIG_DFL", then=then), on_event=lambda event: pids.extend(pids_in(event)))
        assert len(pids) == 2
        for pid in pids:
            wait_until(partial(is_gone, pid), "the worker and its child have ended")


@posix_only
def test_a_worker_may_clean_up_when_it_is_asked_to_end(tmp_path: Path) -> None:
    ask(
        f"""
        def clean_up(*_):
            open({str(tmp_path / "cleaned")!r}, "w").close()
            sys.exit(0)
        signal.signal(signal.SIGTERM, clean_up)
        tell("phase", name="up")
        time.sleep(600)
        """,
        timeout=1.5,
    )
    assert (tmp_path / "cleaned").exists()


def test_a_time_limit_that_is_not_reached_changes_nothing() -> None:
    assert ask('tell("reply")', timeout=PATIENCE_SECONDS) == Reply()


@posix_only
def test_a_reply_counts_though_the_process_does_not_end() -> None:
    assert ask('tell("reply"); time.sleep(600)', timeout=3) == Reply()


@posix_only
def test_the_time_limit_holds_after_the_pipe_has_closed() -> None:
    assert ask("os.close(1); time.sleep(5)", timeout=1).status == "timeout"


@posix_only
def test_a_crash_is_seen_though_a_child_holds_the_pipe() -> None:
    reply = ask('subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]); sys.exit(7)', timeout=5)
    assert reply == Reply(status="crashed", message="the process ended with status 7")


@posix_only
def test_an_interrupt_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "GRACE_SECONDS", 0.2)
    pids: list[int] = []

    def interrupt(event: Phase | EpochEnd | Measured) -> None:
        pids.extend(pids_in(event))
        raise KeyboardInterrupt

    with ended_afterwards(pids):
        with pytest.raises(KeyboardInterrupt):
            ask(WITH_CHILD.format(on_term="SIG_IGN", then="time.sleep(600)"), on_event=interrupt)
        assert len(pids) == 2
        for pid in pids:
            wait_until(partial(is_gone, pid), "the worker and its child have ended")
