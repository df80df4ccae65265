"""Disk full, read-only, no permission, I/O error, at each write: the earlier result stays, and there is one line."""

import errno
import os
import tempfile
from pathlib import Path

from compare.records.results import Results
from compare.run.claim import StoreError
from compare.run.reading import read_results
from compare.run.store import open_store
from tests.faults.disk import Change, watched
from tests.run.results import make_certificate, make_results, make_run

ERRORS = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO, errno.EDQUOT)


def run(count: int) -> str:
    """Lets every change that a run makes fail, or the first ``count``, with each error."""
    tried = refused = 0
    with tempfile.TemporaryDirectory() as name:
        for error in ERRORS:
            at = 0
            while at < count:
                tried += 1
                failed = _run(Path(name).resolve() / f"{error}.{at}", error, at)
                if failed is None:  # the run makes no more changes than that
                    break
                refused += failed
                at += 1
    return f"{tried} writes failed: {refused} times a line said so, and nothing that was there before was lost"


def _run(folder: Path, error: int, at: int) -> bool | None:
    """Has the change number ``at`` of a resumed run fail, and all later ones; whether it was told; None for none."""
    folder.mkdir()
    first, second = make_run(seed=0), make_run(seed=1)
    head = make_results().model_copy(update={"runs": [], "certificates": []})
    with open_store(folder / "run", resume=False, note=lambda text: None) as store:
        store.begin(head, [first.cell])
        store.write_run(first, make_certificate())
        store.finish([])
    seen = 0

    def fail(change: Change) -> None:
        nonlocal seen
        seen += 1
        full = error in (errno.ENOSPC, errno.EDQUOT)
        if seen > at and not (full and change[0] in ("remove", "unmake")):  # from a full disk files can be removed
            raise OSError(error, os.strerror(error), "somewhere")

    told = ""
    in_memory: Results | None = None
    try:
        with (
            watched(folder, fail),
            open_store(folder / "run", resume=True, note=lambda text: None) as store,
        ):
            try:
                store.begin(store.results, [first.cell, second.cell])
                store.write_run(second)
                store.finish([])
            finally:
                in_memory = store.results
    except StoreError as line:
        told = str(line)
    if told:
        assert os.strerror(error) in told, told
        assert "\n" not in told
        assert ".tmp" not in told, told
    kept = read_results(folder / "run").runs
    assert first in kept, "the earlier result is lost"
    assert told or second in kept, "nobody was told that a result is lost"
    assert in_memory is None or first in in_memory.runs
    if error in (errno.ENOSPC, errno.EDQUOT):
        assert not list((folder / "run").rglob("*.tmp")), "scratch files are left"
    if seen <= at:
        assert not told
        return None
    return bool(told)
