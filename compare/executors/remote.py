"""What a Dask worker does for a run: it starts our own worker on its machine, and sends back what comes of it.

One cell runs on a machine at a time, however many Dask workers there are: a lock on a file sees to that.
"""

import contextlib
import hashlib
import platform
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from pydantic import TypeAdapter

from backends.base import Setting
from backends.cores import usable_cores
from backends.registry import about, missing
from compare.executors import look
from compare.executors.base import Listener
from compare.executors.local import LocalExecutor
from compare.executors.parcel import Answer, Files, Parcel, read_files, relocated, write_files
from compare.folders import Scratch
from compare.host import describe_host
from compare.records.event import EpochEnd, Measured, Phase, Reply
from compare.records.request import AnyRequest, Request
from compare.text import without_paths
from tasks.errors import SideBySideError, one_line

LOCK = "sidebyside-cell.lock"
"""In the folder for temporary files, which all Dask workers of a machine share."""
LOOK_SECONDS = 0.5
"""Between looks at whether a request has been called back."""
_REQUESTS: TypeAdapter[AnyRequest] = TypeAdapter(AnyRequest)


@dataclass(frozen=True)
class Description:
    """What a Dask worker tells of its machine.

    Attributes:
        identity: the same for all workers of one machine, until it is started anew.
        host: see :func:`compare.host.describe_host`.
        cores: that a worker may use.
        sources: the hash of this package's sources there.
        missing: for each backend, what is missing there, or None.
        versions: of each backend's packages.
    """

    identity: str
    host: dict[str, Setting]
    cores: int
    sources: str | None
    missing: dict[str, str | None]
    versions: dict[str, dict[str, str]]


class _Kept:
    """The data that were sent here; they stay as long as the Dask worker."""

    scratch: Scratch | None = None

    @classmethod
    def folder(cls) -> Path:
        if cls.scratch is None:
            cls.scratch = Scratch()
        return cls.scratch.path

    @classmethod
    def place(cls, name: str) -> Path | None:
        """Where data lie; None where they were not sent here."""
        folder = cls.folder() / name
        return next(iter(folder.iterdir()), None) if folder.is_dir() else None


def describe(backends: Sequence[str]) -> Description:
    """Tells of this machine."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = platform.node()
    return Description(
        identity=hashlib.sha256(boot.encode()).hexdigest(),
        host=describe_host(),
        cores=usable_cores(),
        sources=look.sources_sha256(),
        missing={name: missing(name) for name in backends},
        versions={name: about(name).versions() for name in backends},
    )


def keep(name: str, file_name: str, files: Files) -> None:
    """Keeps data for later requests: the files of a file or a folder of this name."""
    if _Kept.place(name) is not None:  # another run has sent them meanwhile
        return
    part = _Kept.folder() / f"{name}.part" / Path(file_name).name
    write_files(part, files)
    part.parent.rename(_Kept.folder() / name)


def answer(parcel: Parcel) -> Answer:
    """Has the requests of a parcel answered by our own worker, when no other cell runs on this machine."""
    sent = [_REQUESTS.validate_json(line) for line in parcel.requests]
    lacks = tuple(dict.fromkeys(name for name in _data_of(sent) if _Kept.place(name) is None))
    if lacks:
        return Answer(lacks=lacks)
    with _the_machine(), Scratch() as folder:
        for name, content in parcel.files.items():
            write_files(folder / name, {"": content})
        (folder / "out").mkdir()
        requests = [_placed(request, folder) for request in sent]
        measured: list[str] = []

        def listen(event: Phase | EpochEnd | Measured) -> None:
            if isinstance(event, Measured):
                measured.append(event.model_dump_json())

        replies = _ask(parcel, requests, listen)
        files = {}
        for path in sorted((folder / "out").iterdir()):
            name = f"out/{path.name}" + "/" * path.is_dir()
            files[name] = read_files(path, sorted(path.iterdir()) if path.is_dir() else [path])
        return Answer(tuple(_published(reply).model_dump_json() for reply in replies), tuple(measured), files)


def _data_of(requests: Iterable[Request]) -> Iterator[str]:
    """The names of the data that requests need."""
    for request in requests:
        yield from request.places.values()
        if data := getattr(request, "data", None):
            yield data


def _placed(request: Request, folder: Path) -> Request:
    """A request with the paths that its names have here."""

    def move(_: str, name: str) -> str:
        if name.startswith("kept/"):
            return str(_Kept.place(name))
        if name.endswith("/"):
            (folder / name).mkdir()
        return str(folder / name)

    places = {content: move("", name) for content, name in request.places.items()}
    return relocated(request, move).model_copy(update={"places": places})


def _published(reply: Reply) -> Reply:
    """A reply whose messages do not name this machine, its user or its folders, which only this machine knows."""
    run = reply.run
    if run is not None:
        run = run.model_copy(update={"message": without_paths(run.message)})
    return reply.model_copy(update={"message": without_paths(reply.message), "run": run})


def _ask(parcel: Parcel, requests: Sequence[Request], listen: Listener) -> list[Reply]:
    executor = LocalExecutor(parcel.threads)
    if parcel.together:
        return executor.ask_all(parcel.backend, requests)
    with executor.open(parcel.backend) as session:
        over = threading.Event()
        called_back = _call_back()

        def watch() -> None:
            while not over.wait(LOOK_SECONDS):
                if called_back():
                    session.close()
                    return

        threading.Thread(target=watch, daemon=True).start()
        try:
            return [session.ask(request, listen, parcel.timeout) for request in requests]
        finally:
            over.set()


def _call_back() -> Callable[[], bool]:
    """A function that tells whether nobody waits for this task of the Dask worker's any more."""
    from distributed import get_worker

    try:
        worker = get_worker()
    except ValueError:  # not in a Dask worker
        return lambda: False
    key = worker.get_current_task()

    def called_back() -> bool:
        task = worker.state.tasks.get(key)
        return task is None or task.state == "cancelled"

    return called_back


@contextlib.contextmanager
def _the_machine() -> Iterator[None]:
    """Holds the machine: meanwhile no other Dask worker runs a cell on it."""
    path = Path(tempfile.gettempdir()) / LOCK
    lock = FileLock(path, mode=0o666)
    try:
        lock.acquire()
    except OSError as error:
        raise SideBySideError(f"the machine's lock cannot be taken: {one_line(error)}") from error
    try:
        yield
    finally:
        lock.release()
