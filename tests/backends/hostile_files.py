"""Hostile files of parameters, and what must become of them: one line of error, at once, in little memory."""

import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tasks
from compare import cli
from tests.sources import ROOT

Capture = pytest.CaptureFixture[str]
IRIS = tasks.load_task("iris-mlp")
SHAPES = IRIS.architecture.parameter_shapes
TIMES, MEGABYTES = 2.5, 500
"""What the refusal of a file may cost: processor time as a multiple of a command's that is given none, and memory."""


class Canary:
    """An object whose pickle leaves a file behind when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.path), "w")


def make(header: Any = None, data: Any = None, **changed: Any) -> bytes:
    """A safetensors file: iris's, with entries changed (None: left out), or of any header and any data."""
    if header is None:
        header, at = {}, 0
        for name, shape in SHAPES.items():
            size = 4 * int(np.prod(shape))
            header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + size]}
            at += size
        data = bytes(at) if data is None else data
        header = {key: value for key, value in {**header, **changed}.items() if value is not None}
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + (data or b"")


def entry(**changed: Any) -> dict[str, Any]:
    """The first tensor's entry, changed."""
    return {"dtype": "F32", "shape": [4, 10], "data_offsets": [0, 160], **changed}


def values(value: float) -> bytes:
    return np.full(193, value, "<f4").tobytes()


def sparse(path: Path, head: bytes, size: int) -> None:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)


def folder(path: Path) -> None:
    path.mkdir()


def fifo(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path)


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Canary(path.with_name("ran"))))


def zipped(path: Path) -> None:
    """What torch.save and Keras's own model.save write: a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Canary(path.with_name("ran"))))


FIRST = "0_dense/kernel"
Maker = Callable[[Path], object]
HOSTILE: dict[str, tuple[bytes | Maker, str]] = {
    "missing": (lambda path: None, "cannot be read (No such file or directory)"),
    "a folder": (folder, "cannot be read (not a regular file)"),
    "a loop of links": (loop, "cannot be read"),
    "a pipe": (fifo, "cannot be read (not a regular file)"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "cannot be read (not a regular file)"),
    "empty": (b"", "empty"),
    "short": (b"abc", "not a safetensors file"),
    "text": (b"weights: 1, 2, 3, and so on\n" * 10, "not a safetensors file"),
    "a pickle": (pickled, "a zip or a pickle"),
    "a zip": (zipped, "a zip or a pickle"),
    "cut short in the header": (make()[:100], "cut short: its header has"),
    "cut short in the data": (make()[:-5], "its tensors take 772 bytes, and 767 are there"),
    "more than it says": (make() + b"\0", "its tensors take 772 bytes, and 773 are there"),
    "a header of 1 GB, claimed": ((1 << 30).to_bytes(8, "little") + b"{" * 100, "cut short: its header has 1,073,741"),
    "a header of 1 GB, there": (
        lambda path: sparse(path, (1 << 30).to_bytes(8, "little") + b'{"', (1 << 30) + 99),
        "refused: a header of 1,073,741,824 bytes",
    ),
    "1 TB of data": (lambda path: sparse(path, make(), 1 << 40), "its tensors take 772 bytes, and 1,099,511,"),
    "a length of 2**64-1": (b"\xff" * 8 + b"{}", "cut short: its header has 18,446,744,073,709,551,615 bytes"),
    "no JSON": (make(b"{" * 100), "its header is not that of a safetensors file"),
    "deep JSON": (make(b'{"a":' + b"[" * 100_000), "its header is not that of a safetensors file"),
    "a number of 100,000 digits": (make(b'{"a":' + b"9" * 100_000 + b"}"), "its header is not that of a safetensors"),
    "an offset of 4,000 digits": (
        make({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 10**4000]}}),
        "its header is not that of a safetensors file",
    ),
    "no UTF-8": (make(b'{"\xff\xfe":1}'), "its header is not that of a safetensors file"),
    "UTF-16": (make(json.dumps({"a": 1}).encode("utf-16-le")), "its header is not that of a safetensors file"),
    "entries that are none": (make({"a": 1}), "its header is not that of a safetensors file"),
    "entries without a shape": (make({"a": {"dtype": "F32", "data_offsets": [0, 0]}}), "its header is not that of"),
    "metadata that are none": (make(__metadata__=[1]), "its header is not that of a safetensors file"),
    "a number in the metadata": (make(__metadata__={"a": 5}), "its header is not that of a safetensors file"),
    "a name twice": (make(b'{"a":{},"a":{}}'), "its header is not that of a safetensors file"),
    "no tensors": (make({}), "fits no task's network"),
    "wrong names": (make(**{FIRST: None, "0_dense/weight": entry()}), "fits no task's network"),
    "a name that is a path": (make(**{FIRST: None, "../../../etc/passwd": entry()}), "fits no task's network"),
    "wrong names, named task": (
        make(__metadata__={"task": "iris-mlp"}, **{FIRST: None, "../../etc/passwd": entry()}),
        "has no tensor '0_dense/kernel'",
    ),
    "a tensor too many": (
        make(__metadata__={"task": "iris-mlp"}, **{"\x1b[2J\n" + "x" * 500_000: entry(data_offsets=[772, 772])}),
        r"holds a tensor '\x1b[2J\nxxxxxx",
    ),
    "huge shapes": (make(__metadata__={"task": "iris-mlp"}, **{FIRST: entry(shape=[10**6, 10**6])}), "has the shape"),
    "huge shapes and places": (
        make(**{FIRST: entry(shape=[10**6, 10**6], data_offsets=[0, 4 * 10**12])}),
        "do not follow on those before them",
    ),
    "a huge shape alone": (
        make({FIRST: {"dtype": "F32", "shape": [2**31, 2**31], "data_offsets": [0, 2**63]}}),
        "its tensors take 9,223,372,036,854,775,808 bytes, and 0 are there",
    ),
    "a negative shape": (make(__metadata__={"task": "iris-mlp"}, **{FIRST: entry(shape=[-4, -10])}), "has the shape"),
    "a shape of words": (make(__metadata__={"task": "iris-mlp"}, **{FIRST: entry(shape="4x10")}), "has the shape '4x1"),
    "a shape of lists": (make(__metadata__={"task": "iris-mlp"}, **{FIRST: entry(shape=[[4], 10])}), "shape a list"),
    "dtype F64": (make(__metadata__={"task": "iris-mlp"}, **{FIRST: entry(dtype="F64")}), "has 160 bytes, not"),
    "dtype I32": (make(__metadata__={"task": "iris-mlp"}, **{FIRST: entry(dtype="I32")}), "is of dtype 'I32', not"),
    "dtype of an object": (make(__metadata__={"task": "iris-mlp"}, **{FIRST: entry(dtype={})}), "is of dtype '{}'"),
    "no bytes for a tensor": (
        make(
            {"__metadata__": {"task": "iris-mlp"}}
            | {name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]} for name, shape in SHAPES.items()}
        ),
        "has 0 bytes, not those of its shape (4, 10)",
    ),
    "overlapping": (make(**{"0_dense/bias": entry(shape=[10], data_offsets=[0, 40])}), "do not follow"),
    "a gap": (make(**{FIRST: entry(shape=[4, 9], data_offsets=[0, 144])}), "do not follow on those before them"),
    "places before the beginning": (make(**{FIRST: entry(data_offsets=[-160, 0])}), "do not follow"),
    "places backwards": (make(**{FIRST: entry(data_offsets=[160, 0])}), "do not follow"),
    "places that are no numbers": (make(**{FIRST: entry(data_offsets=[False, 160.0])}), "its header is not that of"),
    "not a number": (make(data=values(np.nan)), "0_dense/kernel holds values that are not finite"),
    "infinite": (make(data=values(-np.inf)), "0_dense/kernel holds values that are not finite"),
    "newer": (make(__metadata__={"sidebyside": "2"}), "written by a newer sidebyside (format 2)"),
}  # fmt: skip


def lay(path: Path, content: bytes | Maker) -> Path:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    return path


def refused(capsys: Capture, folder: Path, *arguments: str) -> str:
    """Runs a command that must be refused in one line with status 2, and must leave nothing behind."""
    before = sorted(folder.rglob("*"))
    status = cli.main(arguments)
    out, err = capsys.readouterr()
    assert (status, out) == (cli.INVALID_INPUT, ""), err
    assert len(err.splitlines()) == 1, err
    assert err.isprintable() or err[:-1].isprintable()
    assert len(err) < 600
    assert sorted(folder.rglob("*")) == before
    return err


USED = """
import json, resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL).returncode
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([usage.ru_utime + usage.ru_stime, usage.ru_maxrss, status]))
"""


def cost(*words: str) -> tuple[float, float, int]:
    """Of a command: its processor time as a multiple of the least one's, its most memory in MB, and its exit status."""
    seconds, megabytes, status = used(*words)
    return seconds / least_seconds(), megabytes, status


@lru_cache
def least_seconds() -> float:
    """Processor seconds of a command whose file is not there: machines differ, and so do their hours."""
    return min(used("predict", "--model", "no-such-file", "1")[0] for _ in range(3))


def used(*words: str) -> tuple[float, float, int]:
    """Processor seconds, most memory in MB and exit status; seconds by the clock would depend on who else runs.

    By way of a small process: Linux counts to a process's peak that of the one it was started from.
    """
    command = [sys.executable, "-m", "compare", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    asked = subprocess.run([sys.executable, "-c", USED, *command], env=environment, capture_output=True, check=True)
    seconds, peak, status = json.loads(asked.stdout)
    return seconds, peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), status
