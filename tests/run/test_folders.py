"""Scratch folders are removed, also those of killed processes; the cache is the user's, or a temporary one."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs
import pytest

from compare import folders
from compare.folders import MARK, PREFIX, Cache, Scratch, remove_abandoned
from tests.sources import ROOT
from tests.worker.fakes import is_gone, posix_only, wait_until

KILLED = """
import os, subprocess, sys, time
from compare.folders import VARIABLE, Scratch
scratch = Scratch()
child = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(600)"],
    env={**os.environ, VARIABLE: str(scratch.path)}, start_new_session=True,
)
print(scratch.path, child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of this test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    remove_abandoned.cache_clear()
    return tmp_path


def test_a_scratch_folder_is_removed_with_all_in_it(temporary: Path) -> None:
    with Scratch() as path:
        (path / "deep").mkdir()
        (path / "deep" / "file").write_text("content")
        assert path.parent == temporary
    assert list(temporary.iterdir()) == []


@posix_only
def test_what_a_killed_process_left_is_removed_by_the_next(temporary: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name, child = process.stdout.readline().split()
        try:
            remove_abandoned.cache_clear()
            remove_abandoned()
            assert Path(name).is_dir()  # its process is at work
            process.kill()
            process.wait()
            remove_abandoned.cache_clear()
            remove_abandoned()
            assert not Path(name).exists()
            wait_until(lambda: is_gone(int(child)), "the child has ended")
        finally:
            if not is_gone(int(child)):
                os.kill(int(child), signal.SIGKILL)


@posix_only
def test_a_folder_that_only_has_such_a_name_is_left_alone(temporary: Path) -> None:
    mine = temporary / f"{PREFIX}thesis"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine")
    (temporary / f"{PREFIX}link").symlink_to(mine)
    remove_abandoned()
    assert (mine / "thesis.txt").read_text() == "mine"
    (mine / MARK).touch()
    remove_abandoned.cache_clear()
    remove_abandoned()
    assert not mine.exists()


@pytest.mark.parametrize("failure", ["no home", "relative", "read-only"])
def test_without_a_home_the_cache_is_temporary_and_a_note_says_so(
    failure: str, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cache_path(name: str) -> Path:
        if failure == "no home":
            raise RuntimeError("Could not determine home directory.")
        return Path("~/.cache/sidebyside") if failure == "relative" else temporary / "file" / "cache"

    (temporary / "file").write_text("no folder")
    monkeypatch.setattr(platformdirs, "user_cache_path", cache_path)
    registered: list[object] = []
    monkeypatch.setattr(folders.atexit, "register", registered.append)
    cache = Cache()
    assert cache.path.is_dir()
    assert cache.path.parent == temporary
    assert "XDG_CACHE_HOME" in cache.note
    assert len(registered) == 1  # it is removed at the end


@posix_only
def test_a_run_whose_home_cannot_be_written_is_a_run(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    words = [
        "run",
        "and-gate",
        "--backend",
        "numpy",
        "--epochs",
        "5",
        "--threads",
        "1",
        "--output",
        str(tmp_path / "d"),
    ]
    ran = subprocess.run(
        [sys.executable, "-m", "compare", *words],
        cwd=ROOT,
        env=environment | {"HOME": f"{os.devnull}/home", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("XDG_CACHE_HOME") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["d"]
