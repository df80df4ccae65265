"""``write_whole``: a file is there whole, with its old content or with its new."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.files import write_whole
from tests.worker.fakes import posix_only


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_write_whole_writes_and_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    write_whole(path, b"old and longer")
    assert files(tmp_path) == {"notes.json": b"old and longer"}
    write_whole(path, b"new")
    assert files(tmp_path) == {"notes.json": b"new"}


def fail(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("failure", "error"), [(fail, OSError), (interrupt, KeyboardInterrupt)])
def test_write_whole_keeps_the_old_content_when_it_fails(
    failure: Callable[..., None], error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notes.json"
    write_whole(path, b"old")
    monkeypatch.setattr(os, "fsync", failure)
    with pytest.raises(error):
        write_whole(path, b"new")
    assert files(tmp_path) == {"notes.json": b"old"}
    with pytest.raises(error):
        write_whole(tmp_path / "other.json", b"new")
    assert files(tmp_path) == {"notes.json": b"old"}


def test_write_whole_in_place_of_a_folder_fails_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "notes.json").mkdir()
    with pytest.raises(OSError):  # noqa: PT011 - its kind and text differ by system
        write_whole(tmp_path / "notes.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.json"]
    assert (tmp_path / "notes.json").is_dir()


def test_write_whole_syncs_before_it_replaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "notes.json", []
    path.write_bytes(b"old")

    def look(descriptor: int) -> None:
        seen.append((path.read_bytes(), os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fsync", look)
    write_whole(path, b"new content")
    assert (b"old", len(b"new content")) in seen


def test_readers_see_a_whole_file_at_any_time(tmp_path: Path) -> None:
    path, stop = tmp_path / "results.json", threading.Event()
    contents = {bytes([letter]) * 200_000 for letter in b"abc"}
    write_whole(path, b"a" * 200_000)

    def write() -> None:
        while not stop.is_set():
            for content in contents:
                write_whole(path, content)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {path.read_bytes() for _ in range(300)}
    finally:
        stop.set()
        writer.join()
    assert seen <= contents


@posix_only
def test_write_whole_follows_links_and_keeps_permissions(tmp_path: Path) -> None:
    path, link = tmp_path / "notes.json", tmp_path / "link.json"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640


@posix_only
def test_write_whole_writes_to_a_device_or_a_pipe_and_does_not_replace_it(tmp_path: Path) -> None:
    write_whole(Path(os.devnull), b"content")
    assert Path(os.devnull).is_char_device()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"content")
    reader.join()
    assert read == [b"content"]
    assert pipe.is_fifo()


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "notes.json"
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(path, b"new")
    assert caught.value.filename == str(path)
