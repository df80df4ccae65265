"""The folder of a run: a file for each finished cell and each certificate, each written whole before the next begins.

``results.json`` is made from them. It is renewed as the run goes on, though not after every cell of a long run.
"""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from backends.base import Setting
from compare.interrupts import deferred
from compare.records.cell import Cell
from compare.records.certificate import Certificate, Pair
from compare.records.results import Results
from compare.records.run import Run
from compare.run.claim import FOLDERS, StoreError, claim, now
from compare.run.reading import CELLS, CERTIFICATES, FILE_NAME, HEAD, read_results
from tasks.files import make_folder, write_whole

SHARE = 0.05
"""The share of a run's time that may go into renewing ``results.json``."""


class Store:
    """The folder of a run. It is read, and written to, while this process holds it.

    Attributes:
        folder: the run's folder.
        earlier: whether it held a run when it was opened.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.earlier = (folder / HEAD).exists() or (folder / FILE_NAME).exists()
        self._head = read_results(folder) if self.earlier else Results(created=now(), host={})
        self._runs = {run.file_name: run for run in self._head.runs}
        self._certificates = {certificate.subject: certificate for certificate in self._head.certificates}
        self._order = list(self._runs)
        self._renewed = self._cost = 0.0
        self._lock = threading.RLock()  # on a cluster, comparisons on several machines end at the same time

    @property
    def results(self) -> Results:
        """What the folder holds, and what could not be written to it; runs and certificates in the order of the run."""
        with self._lock:
            return self._assembled()

    def _assembled(self) -> Results:
        places = {name: place for place, name in enumerate(self._order)}
        runs = sorted(self._runs.values(), key=lambda run: places.get(run.file_name, len(places)))
        subjects = dict.fromkeys(run.subject for run in runs)
        ordered = [self._certificates[subject] for subject in subjects if subject in self._certificates]
        certificates = [*ordered, *(c for c in self._certificates.values() if c.subject not in subjects)]
        return self._head.model_copy(update={"runs": runs, "certificates": certificates})

    def run_of(self, cell: Cell) -> Run | None:
        return self._runs.get(cell.file_name)

    def begin(self, head: Results, cells: Sequence[Cell]) -> None:
        """Writes what is known before the first cell.

        Args:
            head: the results without runs and certificates.
            cells: those that will be run. In the results, earlier ones come first, then these in their order.
        """
        self._order = list(dict.fromkeys([*self._runs, *(cell.file_name for cell in cells)]))
        self._head = head
        with self._writing():
            for name in FOLDERS:
                make_folder(self.folder / name)
            # An earlier version wrote one file for everything, or runs without checks.
            if not (self.folder / HEAD).exists() or any(run.unchecked for run in self._runs.values()):
                for run in self._runs.values():
                    self._write(f"{CELLS}/{run.file_name}.json", run.model_dump_json(indent=1))
                for certificate in self._certificates.values():
                    self._write_certificate(certificate)
            self._write_head()
            self._renew()

    def know_host(self, name: str, description: dict[str, Setting]) -> None:
        """Keeps the description of a machine that runs have a name for."""
        if self._head.hosts.get(name) != description:
            self._head = self._head.model_copy(update={"hosts": self._head.hosts | {name: description}})
            with self._writing():
                self._write_head()

    def write_run(self, run: Run, certificate: Certificate | None = None) -> None:
        """Keeps a run, and before it the certificate that was judged with it: a run is there last, when all is."""
        with self._writing():
            self._runs[run.file_name] = run
            if certificate is not None:
                self._certificates[certificate.subject] = certificate
                self._write_certificate(certificate)
            self._write(f"{CELLS}/{run.file_name}.json", run.model_dump_json(indent=1))
            if time.monotonic() - self._renewed > self._cost / SHARE:
                self._renew()

    def finish(self, pairs: Sequence[Pair]) -> None:
        """Keeps the pairs, and makes ``results.json``."""
        self._head = self._head.model_copy(update={"pairs": list(pairs)})
        with self._writing():
            self._write_head()
            self._renew()
            for name in FOLDERS:
                with contextlib.suppress(OSError):  # it is not empty
                    (self.folder / name).rmdir()

    def _write_head(self) -> None:
        head = self._head.model_dump(mode="json", exclude={"runs", "certificates"})
        self._write(HEAD, json.dumps({"results": head, "order": self._order}, indent=1))

    def _write_certificate(self, certificate: Certificate) -> None:
        self._write(f"{CERTIFICATES}/{certificate.subject.file_name}.json", certificate.model_dump_json(indent=1))

    def _renew(self) -> None:
        begun = time.monotonic()
        self._write(FILE_NAME, self.results.model_dump_json(indent=1))
        self._renewed = time.monotonic()
        self._cost = self._renewed - begun

    def _write(self, name: str, content: str) -> None:
        write_whole(self.folder / name, content.encode())

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Nothing interrupts what is written inside; raises StoreError where it cannot be."""
        with self._lock, deferred():
            try:
                yield
            except OSError as error:
                name = error.filename or self.folder
                raise StoreError(f"{name}: cannot be written ({error.strerror})") from error


@contextlib.contextmanager
def open_store(folder: Path, *, resume: bool, note: Callable[[str], None]) -> Iterator[Store]:
    """The store of a folder that this process alone writes to until the end; see :func:`compare.run.claim.claim`."""
    with claim(folder, resume=resume, note=note):
        yield Store(folder.absolute())  # a notebook may go elsewhere before it shows the results
