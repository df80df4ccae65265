"""Data, models and pictures that were damaged or made up: one line and status 2, or a right answer, in time."""

import contextlib
import io
import json
import random
import struct
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image
from safetensors.numpy import load

import backends
import tasks
from backends.files import read_parameters, write_parameters
from backends.pytorch.native import shapes
from compare import cli
from compare.executors.base import Session, ignore
from compare.executors.local import LocalExecutor
from compare.records.event import Reply
from compare.records.request import Request
from tests.models.taken_forms import msgpack, safetensors, state_dict, weights_h5
from tests.tasks.digit_files import npy_header, small_digits

SECONDS, BYTES = 1.0, 500_000_000
"""Of processor time, and of memory more than before, that a file may take in the command's own process."""
DENSE = tasks.load_task("mnist-dense")
IRIS = tasks.load_task("iris-mlp")
TOKENS = (b"[" * 5000, b"9" * 5000, b"\xff" * 8, b"\x00" * 64, b'"', b"{", b"}", b"NaN", b"-1", b"1e999", b"\x80\x02c")
WORDS = (*("F16", "F64", "I32", "float16", "object", "|V9", "", "x" * 9999), -1, 0, 2**31, 2**63, 10**30, None, [], {})


def mangled(content: bytes, chance: random.Random) -> bytes:
    """Bits flipped, bytes set, parts left out, doubled, moved, replaced, or the end cut off."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        size = max(len(changed), 1)
        # Headers stand at the beginning and directories at the end; in between there are mostly numbers.
        near = chance.randrange(min(size, 300))
        at = chance.choice((chance.randrange(size), near, size - 1 - near))
        length = chance.choice((1, 4, 100, size // 2))
        kind = chance.randrange(7)
        if kind == 0:
            changed[at : at + 1] = bytes([(changed[at] if changed else 0) ^ 1 << chance.randrange(8)])
        elif kind == 1:
            changed[at : at + 4] = struct.pack(chance.choice("<>") + "I", chance.choice((0, 1, 2**31, 2**32 - 1)))
        elif kind == 2:
            del changed[at : at + length]
        elif kind == 3:
            changed[at:at] = changed[at : at + length]
        elif kind == 4:
            changed[at : at + chance.choice((0, 4))] = chance.choice(TOKENS)
        elif kind == 5:
            changed[at : at + length] = chance.randbytes(min(length, 1000))
        else:
            del changed[at:]
    return bytes(changed)


def npz(chance: random.Random) -> bytes:
    """Arrays of other types and shapes, members that are none, or a good file that is then mangled."""
    arrays: dict[str, Any] = small_digits()
    key = chance.choice(list(arrays))
    buffer = io.BytesIO()
    kind = chance.randrange(4)
    if kind == 0:
        arrays[key] = arrays[key].astype(chance.choice(("int64", "float16", "U3", "?", "M8[s]", "V5", "complex64")))
    elif kind == 1:
        arrays[key] = np.zeros([chance.choice((0, 1, 12, 28, 30)) for _ in range(chance.randrange(6))], np.uint8)
    chance.choice((np.savez, np.savez_compressed))(buffer, **arrays)
    if kind == 2:
        header = npy_header(f"{{'descr': '|u1', 'fortran_order': False, 'shape': {chance.choice(WORDS)!r}}}"[:110])
        with zipfile.ZipFile(buffer, "a") as archive, contextlib.suppress(UserWarning):
            archive.writestr(f"{key}.npy", mangled(header + bytes(100), chance))
    return buffer.getvalue() if kind < 2 else mangled(buffer.getvalue(), chance)


def weights(chance: random.Random, good: bytes) -> bytes:
    """A good safetensors file, whose header is changed and still well-formed, or that is mangled."""
    if chance.random() < 0.5:
        return mangled(good, chance)
    length = int.from_bytes(good[:8], "little")
    header = json.loads(good[8 : 8 + length])
    name = chance.choice(list(header))
    if chance.random() < 0.5 and "dtype" in header[name]:
        header[name][chance.choice(list(header[name]))] = chance.choice(WORDS)
    else:
        header[chance.choice(("__metadata__", name, "more", "\x1b[2J\n"))] = chance.choice((*WORDS, header.pop(name)))
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + good[8 + length :]


def picture(chance: random.Random) -> bytes:
    """A small PNG file of any kind, mangled; mostly with right checksums, so that it is read further."""
    digit = Image.fromarray(small_digits()["x_test"][0]).convert(chance.choice(("1", "L", "LA", "P", "RGB", "RGBA")))
    buffer = io.BytesIO()
    digit.resize((chance.choice((1, 28, 90)), 28)).save(buffer, "PNG", bits=chance.choice((1, 2, 4, 8)))
    bad = mangled(buffer.getvalue(), chance)
    if chance.random() < 0.3:
        return bad
    parts, at = [bad[:8]], 8
    while at + 12 <= len(bad):
        length = min(struct.unpack(">I", bad[at : at + 4])[0], len(bad) - at - 12)
        inner = bad[at + 4 : at + 8 + length]
        parts += [struct.pack(">I", length), inner, struct.pack(">I", zlib.crc32(inner))]
        at += 12 + length
    return b"".join(parts)


class Kinds:
    """What is made of each kind of file, and which command is given it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_parameters(folder / "dense", DENSE.parameters(0), {"task": "mnist-dense"})
        makers: dict[str, Callable[[Path, str], object]] = {
            "canonical": lambda path, dtype: safetensors(path, IRIS.parameters(0), dtype),
            "pytorch": state_dict,
            "keras": weights_h5,
            "jax": msgpack,
        }
        self.good = {}
        for name, make in makers.items():
            if name == "canonical" or not backends.missing(name):
                make(folder / name, "float32")
                self.good[name] = (folder / name).read_bytes()

    def commands(self) -> dict[str, tuple[Callable[[random.Random], bytes], str, tuple[str, ...]]]:
        """By kind of file: the maker, the file's name, and the words of the command."""
        asked = ("predict", "--backend", "numpy", "--model")
        to = ("convert", "--to", "safetensors")
        out = str(self.folder / "out.safetensors")
        canonical = lambda chance: weights(chance, self.good["canonical"])  # noqa: E731
        every: dict[str, tuple[Callable[[random.Random], bytes], str, tuple[str, ...]]] = {
            "npz": (npz, "f.npz", (*asked, str(self.folder / "dense"), "--test-set", "--data", "FILE")),
            "png": (picture, "f.png", (*asked, str(self.folder / "dense"), "FILE")),
            "safetensors": (canonical, "f.safetensors", (*asked, "FILE", "5", "3", "2", "1")),
            "weights": (canonical, "f.safetensors", ("weights", "FILE")),
        }
        if "pytorch" in self.good:
            make = lambda chance: weights(chance, self.good["pytorch"])  # noqa: E731
            every["state_dict"] = (make, "f.safetensors", (*to, "FILE", out))
        for name, file in (("keras", "f.weights.h5"), ("jax", "f.msgpack")):
            if name in self.good:
                make = lambda chance, name=name: mangled(self.good[name], chance)  # type: ignore[misc]  # noqa: E731
                every[file.rpartition(".")[2]] = (make, file, (*to, "FILE", out))
        return every


@contextlib.contextmanager
def one_worker_each() -> Iterator[None]:
    """Every request goes to one long-lived worker of its backend: to start thousands would take hours."""
    sessions: dict[str, Session] = {}

    def ask(
        executor: LocalExecutor, backend: str, request: Request, on_event: Any = ignore, timeout: Any = None
    ) -> Reply:
        if backend not in sessions or not sessions[backend].alive:
            sessions[backend] = executor.open(backend)
        return sessions[backend].ask(request, on_event, timeout)

    try:
        with mock.patch.object(LocalExecutor, "ask", ask):
            yield
    finally:
        for session in sessions.values():
            session.close()


def _peak_bytes() -> int:
    """The most memory that this process has had, in bytes, where the system says so."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def check(path: Path, words: Sequence[str], out: Path, *, timed: bool) -> tuple[int, float, int]:
    """Gives a command a file. Returns its status, and the seconds and bytes that it took."""
    out.unlink(missing_ok=True)
    said, told = io.StringIO(), io.StringIO()
    with contextlib.suppress(OSError):  # Linux alone forgets a peak
        Path("/proc/self/clear_refs").write_text("5")
    start, before = time.process_time(), _peak_bytes()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
        status = cli.main([str(path) if word == "FILE" else word for word in words])
    seconds, most = time.process_time() - start, _peak_bytes() - before
    lines = told.getvalue().splitlines()
    assert "Traceback" not in said.getvalue() + told.getvalue(), lines
    assert all(line.isprintable() for line in lines), lines
    if status == cli.OK:
        if out.exists():
            found = read_parameters(out, IRIS.architecture)
            assert all(np.isfinite(array).all() for array in found.values())
            if path.suffix == ".safetensors":  # the library's own reading of it
                given = load(path.read_bytes())
                names = shapes(IRIS.architecture)
                assert all(np.array_equal(given[a].T, found[b]) for a, b in zip(names, found, strict=True))
    elif status == cli.FAILED:  # finite weights, with which the outputs overflow
        assert "not finite" in told.getvalue(), lines
    else:
        assert (status, len(lines), said.getvalue()) == (cli.INVALID_INPUT, 1, ""), (status, lines)
        assert not out.exists()
        assert len(lines[0]) < 1100, lines
    assert seconds < SECONDS or not timed, (words, seconds)
    assert most < BYTES, (words, most)
    return status, seconds, most


def run(count: int) -> str:
    """Tries so many files, of every kind in turn."""
    chance, counts, slowest, largest = random.Random(0), Counter[int](), 0.0, 0
    with tempfile.TemporaryDirectory(prefix="sidebyside-") as name, one_worker_each():
        folder = Path(name)
        kinds = Kinds(folder).commands()
        out = folder / "out.safetensors"
        for index in range(-len(kinds), count):
            kind = list(kinds)[index % len(kinds)]
            make, file, words = kinds[kind]
            path = folder / file
            path.write_bytes(content := make(chance))
            try:
                status, seconds, most = check(
                    path, words, out, timed=index >= 0
                )  # what is imported once is not counted
            except AssertionError as error:
                kept = Path(tempfile.gettempdir()) / f"hostile-{index}-{file}"
                kept.write_bytes(content)
                raise AssertionError(f"{kind} number {index}, kept as {kept}: {error}") from error
            if index >= 0:
                counts[status] += 1
                slowest, largest = max(slowest, seconds), max(largest, most)
    return (
        f"{count:,} of {count:,} fuzzed files of {len(kinds)} kinds ({', '.join(kinds)}):"
        f" {counts[cli.INVALID_INPUT]:,} refused in one line, {counts[cli.OK]:,} answered, {counts[cli.FAILED]:,}"
        f" whose outputs overflow told so; slowest {slowest:.2f} s, the largest took {largest / 1e6:.0f} MB"
    )
