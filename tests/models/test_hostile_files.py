"""Damaged and made-up data, models and pictures: a sample of what ``python -m tests.faults hostile_files`` tries."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tasks
from backends.files import write_parameters
from compare import cli
from tests.backends.hostile_files import MEGABYTES, TIMES, cost
from tests.faults import hostile_files
from tests.tasks.digit_files import bomb, sparse


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_sample_of_fuzzed_files_is_refused_or_answered() -> None:
    said = hostile_files.run(60)
    assert said.startswith("60 of 60 fuzzed files")


def test_what_is_said_in_two_lines_or_slowly_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin of the test above."""

    def two_lines(words: object) -> int:
        print("sidebyside: one\nsidebyside: two", file=sys.stderr)
        return cli.INVALID_INPUT

    monkeypatch.setattr(cli, "main", two_lines)
    with pytest.raises(AssertionError):
        hostile_files.check(tmp_path / "f", (), tmp_path / "out", timed=True)
    monkeypatch.setattr(cli, "main", lambda words: cli.OK)
    hostile_files.check(tmp_path / "f", (), tmp_path / "out", timed=True)
    monkeypatch.setattr(hostile_files, "SECONDS", -1.0)
    with pytest.raises(AssertionError):
        hostile_files.check(tmp_path / "f", (), tmp_path / "out", timed=True)


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system what a process has used")
@pytest.mark.parametrize("make", [bomb, sparse, lambda path: sparse(path, 1_999_999_999)])
def test_data_files_of_nothing_cost_no_time_and_no_memory(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "data.npz")
    write_parameters(tmp_path / "m", tasks.load_task("mnist-dense").parameters(0))
    words = ["predict", "--model", str(tmp_path / "m"), "--test-set", "--data", "FILE"]
    words = [str(tmp_path / "data.npz") if word == "FILE" else word for word in words]
    times, megabytes, status = cost(*words)
    assert status == cli.INVALID_INPUT
    assert times < TIMES
    assert megabytes < MEGABYTES
