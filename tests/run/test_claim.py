"""A run's folder: taken where it is new, empty or just begun; nothing of the user's is touched."""

from pathlib import Path

import pytest

from compare.run.claim import CLAIM, LOCK, StoreError, claim, new_folder
from compare.run.options import make_options
from compare.run.reading import HEAD
from tasks.errors import SideBySideError


def take(folder: Path, *, resume: bool = False) -> list[str]:
    """Claims a folder and lets it go; returns the notes."""
    notes: list[str] = []
    with claim(folder, resume=resume, note=notes.append):
        assert (folder / CLAIM).exists()
    assert not (folder / CLAIM).exists()
    return notes


def test_a_new_folder_is_made_and_may_be_taken_again(tmp_path: Path) -> None:
    assert take(tmp_path / "deep" / "run") == []
    assert take(tmp_path / "deep" / "run") == []


@pytest.mark.parametrize(
    "name", ["models/mine.pt", "cells/mouse.json", ".notes.tmp", "arrays/.draft.tmp", ".claim.json"]
)
def test_files_of_the_users_are_not_taken_for_ours(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    for resume in (False, True):
        with pytest.raises(StoreError, match=r"is not empty; name a new folder|there is no run to resume"):
            take(tmp_path, resume=resume)
    assert [path.name for path in tmp_path.iterdir()] == [name.partition("/")[0]]
    assert (tmp_path / name).read_text() == "mine"


def test_what_a_killed_run_left_unfinished_is_removed_and_told(tmp_path: Path) -> None:
    take(tmp_path)
    (tmp_path / CLAIM).write_text("{}")
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / ".x.json.0123abcd.tmp").write_text("half")
    (note,) = take(tmp_path)
    assert "was killed" in note
    assert list((tmp_path / "cells").iterdir()) == []


def test_a_second_process_gets_a_line_that_names_the_first(tmp_path: Path) -> None:
    with claim(tmp_path, resume=False, note=lambda text: None):
        with pytest.raises(StoreError, match=r"process \d+ has been writing to it since \d{4}"):
            take(tmp_path)
        assert (tmp_path / CLAIM).exists()
    take(tmp_path)


def test_a_run_at_work_is_told_before_resuming_is_advised(tmp_path: Path) -> None:
    with claim(tmp_path, resume=False, note=lambda text: None):
        (tmp_path / HEAD).write_text("{}")
        for resume in (False, True):
            with pytest.raises(StoreError, match=r"process \d+ has been writing to it .*; wait until it has ended"):
                take(tmp_path, resume=resume)
    (tmp_path / CLAIM).write_text("{}")  # as a killed process leaves it
    with pytest.raises(StoreError, match="holds a run; go on with it"):
        take(tmp_path)
    (note,) = take(tmp_path, resume=True)
    assert "was killed" in note


def test_a_folder_that_cannot_hold_runs_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(StoreError, match="cannot be made"):
        new_folder(tmp_path / "runs")
    with pytest.raises(StoreError, match="cannot be a run's folder"):
        take(tmp_path / "runs" / "deep")


def test_a_run_that_never_began_is_not_resumed_with_other_tasks(tmp_path: Path) -> None:
    take(tmp_path)
    assert (tmp_path / LOCK).exists()
    with pytest.raises(SideBySideError, match="give the tasks and the options once more"):
        make_options({"resume": tmp_path})
    assert make_options({"resume": tmp_path, "tasks": "and-gate"}).tasks == ("and-gate",)
