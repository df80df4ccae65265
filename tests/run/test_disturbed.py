"""Small samples of what ``python -m tests.faults`` tries in large counts: kills, interrupts, power cuts, full disks."""

import pytest

from tasks.errors import SideBySideError
from tests.faults import claims, failing_writes, interrupts, kills, power_cut, workers
from tests.worker.fakes import posix_only

pytestmark = posix_only


def test_a_killed_run_loses_nothing_and_leaves_nothing() -> None:
    assert "none was lost" in kills.run(1)


def test_an_interrupted_run_ends_at_once_and_leaves_nothing() -> None:
    assert "runs interrupted" in interrupts.run(3)


@pytest.mark.slow
def test_runs_that_begin_at_once_do_not_meet() -> None:
    assert "3 runs begun at once have 3 folders" in claims.run(3)


def test_a_power_cut_tears_no_file() -> None:
    assert "none torn, none lost" in power_cut.run(10_000)


@pytest.mark.parametrize("missing", ["sync", "sync folder"])
def test_without_a_sync_a_power_cut_would_be_noticed(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change = power_cut.Disk.change
    monkeypatch.setattr(power_cut.Disk, "change", lambda disk, what: None if what[0] == missing else change(disk, what))
    with pytest.raises((AssertionError, SideBySideError)):
        power_cut.run(10_000)


def test_a_write_that_fails_keeps_what_was_there() -> None:
    assert "nothing that was there before was lost" in failing_writes.run(4)


def test_a_worker_that_goes_astray_leaves_nothing() -> None:
    assert "each told" in workers.run(100, ["numpy"], 5.0)
