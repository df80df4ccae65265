"""Every prefix of what a run writes, syncs and renames, replayed as a power cut: the old or the new, never a torn file.

What the disk keeps is modelled pessimistically. The content of a file that was not synced may be lost, in part or as a
whole. A name, new or removed, outlasts the cut for certain only once its folder was synced; before that any first part
of the pending changes of names may have reached the disk.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from compare.records.results import Results
from compare.records.run import Run
from compare.run.claim import LOCK
from compare.run.reading import HEAD, read_results
from compare.run.store import Store, open_store
from tests.faults.disk import Change, watched
from tests.run.results import make_certificate, make_results, make_run

TORN = ("whole", "half", "empty")


def run(count: int) -> str:
    """Replays every prefix, or about ``count`` of them; raises AssertionError at a torn or a lost file."""
    with tempfile.TemporaryDirectory() as name:
        changes, done = _record(Path(name).resolve() / "disk")
        prefixes = range(len(changes) + 1)
        cuts = 0
        for prefix in prefixes[:: -(-len(prefixes) // count)]:
            known = [runs for place, runs in done if place <= prefix]
            for files in _after_a_cut(changes[:prefix]):
                cuts += 1
                folder = Path(name) / f"cut{cuts}"
                _lay_out(folder, files)
                _check(folder / "run", known[-1] if known else None)
    return f"{len(prefixes)} prefixes of {len(changes)} changes, {cuts} disks after a power cut: none torn, none lost"


def _record(root: Path) -> tuple[list[Change], list[tuple[int, list[str]]]]:
    """The changes that a run of two cells and its resumption make, and what is promised after how many of them."""
    root.mkdir()
    changes: list[Change] = []
    done: list[tuple[int, list[str]]] = []
    runs = [make_run(seed=seed) for seed in range(3)]
    with watched(root, changes.append):
        for resume in (False, True):
            with open_store(root / "run", resume=resume, note=lambda text: None) as store:
                store.begin(_head(store), [run.cell for run in runs])
                done.append((len(changes), _names(store)))
                for run in runs[2:] if resume else runs[:2]:
                    store.write_run(run, make_certificate())
                    done.append((len(changes), _names(store)))
                store.finish([])
    return changes, done


def _head(store: Store) -> Results:
    return store.results if store.earlier else make_results().model_copy(update={"runs": [], "certificates": []})


def _names(store: Store) -> list[str]:
    return [run.file_name for run in store.results.runs]


@dataclass
class Disk:
    """What is on the disk for certain, and the changes of names that are pending, each with its folder."""

    content: dict[int, bytes] = field(default_factory=dict)
    synced: set[int] = field(default_factory=set)
    names: dict[str, int | None] = field(default_factory=dict)
    """What a name stands for: a file's number, or None for a folder."""
    pending: list[tuple[str, str, int | None]] = field(default_factory=list)
    """Changes of names in order: ``add`` or ``remove``, the path, and what it stands for."""

    def now(self) -> dict[str, int | None]:
        return _applied(self.names, self.pending)

    def change(self, change: Change) -> None:
        what, path, content = change
        match what:
            case "create":
                number = len(self.content)
                self.content[number] = b""
                self.pending.append(("add", path, number))
            case "write":
                self.content[self._file(path)] += content
                self.synced.discard(self._file(path))
            case "sync":
                self.synced.add(self._file(path))
            case "replace":
                self.pending.append(("move", f"{path}\0{content.decode()}", self._file(path)))
            case "remove" | "unmake":
                self.pending.append(("remove", path, None))
            case "make":
                self.pending.append(("add", path, None))
            case "sync folder":
                inside = [change for change in self.pending if path in _folders(change)]
                if inside:  # a journal keeps the order: what came before is on the disk too
                    upto = self.pending.index(inside[-1]) + 1
                    self.names = _applied(self.names, self.pending[:upto])
                    self.pending = self.pending[upto:]

    def _file(self, path: str) -> int:
        number = self.now()[path]
        assert number is not None
        return number


def _folders(change: tuple[str, str, int | None]) -> set[str]:
    return {str(Path(path).parent) for path in change[1].split("\0")}


def _applied(names: dict[str, int | None], changes: list[tuple[str, str, int | None]]) -> dict[str, int | None]:
    after = dict(names)
    for what, path, number in changes:
        if what == "add":
            after[path] = number
        elif what == "remove":
            after.pop(path, None)
        else:
            old, new = path.split("\0")
            after.pop(old, None)
            after[new] = number
    return after


def _after_a_cut(changes: list[Change]) -> Iterator[dict[str, bytes | None]]:
    """The disks that a power cut after these changes may leave; None stands for a folder."""
    disk = Disk()
    for change in changes:
        disk.change(change)
    for kept in range(len(disk.pending) + 1):
        names = _applied(disk.names, disk.pending[:kept])
        for torn in TORN:
            files: dict[str, bytes | None] = {}
            for path, number in names.items():
                if number is None:
                    files[path] = None
                    continue
                content = disk.content[number]
                lost = {"whole": len(content), "half": len(content) // 2, "empty": 0}[torn]
                files[path] = content if number in disk.synced else content[:lost]
            yield files
            if all(number is None or number in disk.synced for number in names.values()):
                break  # nothing is torn: the three are the same


def _lay_out(folder: Path, files: dict[str, bytes | None]) -> None:
    folder.mkdir()
    for path, content in sorted(files.items()):
        if content is None:
            (folder / path).mkdir(parents=True, exist_ok=True)
        elif (folder / path).parent.is_dir():
            (folder / path).write_bytes(content)
    if (folder / "run").is_dir() and any((folder / "run").iterdir()):
        (folder / "run" / LOCK).touch()  # filelock makes it before anything else is written; its own calls are not seen


def _check(folder: Path, promised: list[str] | None) -> None:
    """Raises AssertionError unless what was promised is there whole, and the run can go on."""
    if promised is not None:
        found = [run.file_name for run in read_results(folder).runs]
        assert set(promised) <= set(found), f"{set(promised) - set(found)} lost"
        for path in folder.rglob("[!.]*.json"):
            json.loads(path.read_bytes())
    run: Run = make_run(seed=9)
    with open_store(folder, resume=folder.exists() and any(folder.iterdir()), note=lambda text: None) as store:
        store.begin(_head(store), [run.cell])
        store.write_run(run)
    after = read_results(folder)
    assert run in after.runs, "the run cannot go on"
    assert (folder / HEAD).exists()
