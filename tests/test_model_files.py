"""Hostile files of parameters: one clear line each, at once, in little memory, and no framework is loaded for them."""

import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tasks
from backends import files, load_backend, native
from backends.files import ModelFileError, read_parameters, write_parameters
from compare import cli
from tests.conftest import is_there
from tests.test_purity import FRAMEWORKS, ROOT, modules_after, offenders

Capture = pytest.CaptureFixture[str]
IRIS = tasks.load_task("iris-mlp")
SHAPES = IRIS.architecture.parameter_shapes
SECONDS, MEGABYTES = 1.0, 500


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
    "dtype F64": (make(__metadata__={"task": "iris-mlp"}, **{FIRST: entry(dtype="F64")}), "is of dtype 'F64', not"),
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
    assert (status, out) == (cli.WRONG_WORDS, ""), err
    assert len(err.splitlines()) == 1, err
    assert err.isprintable() or err[:-1].isprintable()
    assert len(err) < 600
    assert sorted(folder.rglob("*")) == before
    return err


def test_what_the_hostile_files_are_made_from_is_well(tmp_path: Path) -> None:
    """The twin of all that follows: unchanged, the same file is read."""
    assert set(read_parameters(lay(tmp_path / "m", make()), IRIS.architecture)) == set(SHAPES)
    noted = make(__metadata__={"task": "iris-mlp", "more": "x" * 900_000})
    assert set(read_parameters(lay(tmp_path / "m", noted), IRIS.architecture)) == set(SHAPES)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str, tmp_path: Path, capsys: Capture) -> None:
    content, text = HOSTILE[name]
    path = lay(tmp_path / "model.safetensors", content)
    assert text in refused(capsys, tmp_path, "predict", "--model", str(path), "1", "2", "3", "4")
    words = "convert", str(path), "--to", "safetensors", str(tmp_path / "out.safetensors")
    assert text in refused(capsys, tmp_path, *words)
    model = load_backend("numpy").build(IRIS, IRIS.parameters(0))
    with pytest.raises(ModelFileError):
        model.load(path)
    assert all(np.array_equal(array, IRIS.parameters(0)[key]) for key, array in model.parameters().items())


COSTLY = ["a header of 1 GB, there", "1 TB of data", "huge shapes", "a device", "deep JSON", "a tensor too many"]


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system what a process has used")
@pytest.mark.parametrize("name", COSTLY)
def test_hostile_files_cost_no_time_and_no_memory(name: str, tmp_path: Path) -> None:
    path = lay(tmp_path / "model.safetensors", HOSTILE[name][0])
    words = ["-m", "compare", "predict", "--model", str(path), "1", "2", "3", "4"]
    seconds, megabytes, status = used([sys.executable, *words])
    assert status == cli.WRONG_WORDS
    assert seconds < SECONDS
    assert megabytes < MEGABYTES


USED = """
import json, resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL).returncode
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([usage.ru_utime + usage.ru_stime, usage.ru_maxrss, status]))
"""


def used(command: list[str]) -> tuple[float, float, int]:
    """Processor seconds, most memory in MB and exit status; seconds by the clock would depend on who else runs.

    By way of a small process: Linux counts to a process's peak that of the one it was started from.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    asked = subprocess.run([sys.executable, "-c", USED, *command], env=environment, capture_output=True, check=True)
    seconds, peak, status = json.loads(asked.stdout)
    return seconds, peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), status


def test_no_framework_is_loaded_for_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(make(data=values(np.nan)))
    (tmp_path / "bad.weights.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    (tmp_path / "bad.msgpack").write_bytes(b"\x81\xa6layers\xc1")
    commands = [
        ["convert", str(tmp_path / name), "--to", "safetensors", str(tmp_path / "out")]
        for name in ("bad.safetensors", "bad.weights.h5", "bad.msgpack")
    ]
    loaded = modules_after(f"import compare.cli\nfor words in {commands!r}: assert compare.cli.main(words) == 2")
    assert loaded.isdisjoint(FRAMEWORKS)
    natives = sorted((ROOT / "backends").glob("*/native.py"))
    assert len(natives) == 3
    assert offenders(natives, FRAMEWORKS, inside_functions=False) == []


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    """Nothing ran when the files above were refused; the canary would sing."""
    for maker in (pickled, zipped):
        path = tmp_path / "model.safetensors"
        maker(path)
        with pytest.raises(ModelFileError):
            files.read_header(path)
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(Canary(tmp_path / "ran"))).close()
    assert (tmp_path / "ran").exists()


def test_a_file_that_cannot_be_written_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be written"):
        write_parameters(tmp_path / "none" / "model.safetensors", IRIS.parameters(0))


# The frameworks' own forms


def h5_of(change: Callable[[Any, Path], object]) -> Maker:
    """A maker of iris's weights as Keras lays them out, changed."""

    def make_h5(path: Path) -> None:
        import h5py

        with h5py.File(path, "w") as file:
            for name, shape in native("keras").shapes(IRIS.architecture).items():
                file[name] = np.zeros(shape, "<f4")
            file.create_group("vars")
            change(file, path)

    return make_h5


KERNEL = "layers/dense/vars/0"


def replaced(**options: Any) -> Maker:
    """The first kernel made in another way."""

    def change(file: Any, path: Path) -> None:
        del file[KERNEL]
        file.create_dataset(KERNEL, **options)

    return h5_of(change)


def linked(kind: str, *arguments: str) -> Maker:
    def change(file: Any, path: Path) -> None:
        import h5py

        del file[KERNEL]
        file[KERNEL] = getattr(h5py, kind)(*arguments)

    return h5_of(change)


def virtual(file: Any, path: Path) -> None:
    import h5py

    del file[KERNEL]
    layout = h5py.VirtualLayout((4, 10), "<f4")
    layout[:] = h5py.VirtualSource(path.with_name("secret.h5"), "secret", (4, 10))
    file.create_virtual_dataset(KERNEL, layout)


def cyclic(file: Any, path: Path) -> None:
    file["layers/again/vars"] = file["layers"]


def crowded(file: Any, path: Path) -> None:
    for index in range(5000):
        file["layers"][f"again_{index}"] = file["layers/dense"]


def references(file: Any, path: Path) -> None:
    import h5py

    del file[KERNEL]
    file.create_dataset(KERNEL, (4, 10), h5py.ref_dtype)


def cut(path: Path) -> None:
    h5_of(lambda file, path: None)(path)
    os.truncate(path, path.stat().st_size // 2)


HOSTILE_H5: dict[str, tuple[Maker, str]] = {
    "cut short": (cut, "damaged: it cannot be read as HDF5"),
    "a name only": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"), "damaged: it cannot be read as HDF5"),
    "too large": (
        lambda path: (h5_of(lambda file, path: None)(path), os.truncate(path, 1 << 40)),
        "parameters take 1,003,088 at the most",
    ),
    "another file": (linked("ExternalLink", "/etc/passwd", "/x"), "'0' is no dataset of its own"),
    "a soft link": (linked("SoftLink", "/layers/dense_1/vars/0"), "'0' is no dataset of its own"),
    "bytes outside": (
        replaced(shape=(4, 10), dtype="<f4", external=[("/etc/passwd", 0, 160)]),
        "is not stored as Keras stores weights",
    ),
    "virtual": (h5_of(virtual), "is not stored as Keras stores weights"),
    "compressed": (
        replaced(shape=(4, 10), dtype="<f4", compression="gzip"),
        "is not stored as Keras stores weights",
    ),
    "huge, of nothing": (replaced(shape=(10**6, 10**6), dtype="<f4"), "has the shape (1000000, 1000000), not (4, 10)"),
    "not allocated": (replaced(shape=(4, 10), dtype="<f4"), "has 0 bytes, not those of its shape"),
    "said to be another dtype": (
        h5_of(lambda file, path: file[KERNEL].attrs.create("dtype", "bfloat16")),
        "is not stored as Keras stores weights",
    ),
    "wrong shape": (replaced(data=np.zeros((10, 4), "<f4")), "has the shape (10, 4), not (4, 10)"),
    "double": (replaced(data=np.zeros((4, 10), "<f8")), "is of dtype 'float64', not float32"),
    "references": (h5_of(references), "is of dtype 'object', not float32"),
    "not a number": (replaced(data=np.full((4, 10), np.nan, "<f4")), "holds values that are not finite"),
    "a layer missing": (h5_of(lambda file, path: file["layers"].pop("dense_2")), "has no tensor 'layers/dense_2/"),
    "a layer too many": (
        h5_of(lambda file, path: file.create_dataset("layers/dense_3/vars/0", data=np.zeros(1, "<f4"))),
        "holds a tensor 'layers/dense_3/vars/0'",
    ),
    "a variable too many": (
        h5_of(lambda file, path: file.create_dataset("layers/dense/vars/2", data=np.zeros(1, "<f4"))),
        "holds a tensor 'layers/dense/vars/2'",
    ),
    "in circles": (h5_of(cyclic), "is no dataset of its own"),
    "crowded": (h5_of(crowded), "holds 5,003 layers"),
    "a group for numbers": (h5_of(lambda file, path: (file.pop(KERNEL), file.create_group(KERNEL))), "is no dataset"),
    "numbers for a group": (
        h5_of(lambda file, path: (file.pop("layers"), file.create_dataset("layers", (10**12,)))),
        "'layers' is no group",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_H5)
def test_hostile_h5_is_refused(name: str, tmp_path: Path, capsys: Capture) -> None:
    if not is_there("keras"):
        pytest.skip("needs Keras's h5py")
    maker, text = HOSTILE_H5[name]
    path = lay(tmp_path / "model.weights.h5", maker)
    out = str(tmp_path / "out.safetensors")
    assert text in refused(capsys, tmp_path, "convert", str(path), "--to", "safetensors", out, "--task", "iris-mlp")
    if "damaged" not in text and "finite" not in text:
        text = "fits no task's network"
    assert text in refused(capsys, tmp_path, "convert", str(path), "--to", "safetensors", out)


def packed(**changed: Any) -> Maker:
    """A maker of iris's state as flax packs it, with layers or leaves changed."""

    def make_msgpack(path: Path) -> None:
        import msgpack

        layers: dict[str, Any] = {}
        for name, shape in native("jax").shapes(IRIS.architecture).items():
            _, layer, parameter = name.split("/")
            layers.setdefault(layer, {})[parameter] = leaf(shape)
        layers["0"] |= {key: value for key, value in changed.items() if key in ("kernel", "bias")}
        layers |= {key: value for key, value in changed.items() if key not in ("kernel", "bias")}
        path.write_bytes(msgpack.packb({"layers": layers}))

    return make_msgpack


def leaf(shape: Any, dtype: Any = "float32", data: Any = None, code: int = 1) -> Any:
    import msgpack

    data = bytes(4 * int(np.prod(shape))) if data is None else data
    return msgpack.ExtType(code, msgpack.packb((shape, dtype, data)))


def raw(content: bytes) -> Maker:
    return lambda path: path.write_bytes(b"\x81\xa6layers" + content)


def nested_lists(size: int) -> Maker:
    """Lists of eight lists of eight lists ... of empty maps, each of which takes a byte of the file."""
    block = b"\x80"
    while 8 * len(block) < size // 3:
        block = b"\x98" + 8 * block
    count = size // (len(block) + 4)
    return raw(b"\xde" + count.to_bytes(2, "big") + b"".join(b"\xa3%03d" % n + block for n in range(count)))


def shape_of_maps(size: int) -> Maker:
    """An array whose shape is a list of ``size`` empty maps."""
    packed_array = b"\x93\xdd" + size.to_bytes(4, "big") + size * b"\x80" + b"\xa7float32\xc4\x00"
    return raw(b"\x81\xa10\x81\xa6kernel\xc9" + len(packed_array).to_bytes(4, "big") + b"\x01" + packed_array)


def hostile_msgpack() -> dict[str, tuple[Maker, str]]:
    damaged = "damaged: it cannot be read as flax's msgpack"
    return {
        "cut short": (raw(b"\x83\xa10"), damaged),
        "more than a map": (raw(b"\x80\x80"), damaged),
        "deep": (raw(b"\x81\xa10" * 300_000), damaged),
        "deep lists": (raw(b"\x91" * 300_000), damaged),
        "a list of 4 billion": (raw(b"\xdd\xff\xff\xff\xff"), damaged),
        "a map of 4 billion": (raw(b"\xdf\xff\xff\xff\xff"), damaged),
        "bytes of 4 GB": (raw(b"\xc9\xff\xff\xff\xff\x01"), damaged),
        "nested lists": (nested_lists(900_000), damaged),
        "a shape of maps": (shape_of_maps(900_000), damaged),
        "too large": (lambda path: sparse(path, b"\x81\xa6layers", 1 << 40), "parameters take 1,003,088 at the most"),
        "no layers": (raw(b"\x80"), "has no tensor 'layers/0/kernel'"),
        "a number for layers": (raw(b"\x01"), "is not one of flax's arrays"),
        "a number for an array": (packed(kernel=1.0), "'layers/0/kernel' is not one of flax's arrays"),
        "a scalar": (packed(kernel=leaf((4, 10), code=3)), "'layers/0/kernel' is not one of flax's arrays"),
        "a map for an array": (packed(kernel={"x": leaf(())}), "'layers/0/kernel' is not one of flax's arrays"),
        "a layer too many": (packed(**{"5": {"kernel": leaf((1,))}}), "holds a tensor 'layers/5/kernel'"),
        "a name with a slash": (packed(**{"0/kernel": leaf((4, 10))}), "is not one of flax's arrays"),
        "wrong shape": (packed(kernel=leaf((10, 4))), "has the shape (10, 4), not (4, 10)"),
        "huge shape": (packed(kernel=leaf((2**40, 2**20), data=b"")), "has the shape (1099511627776, 1048576)"),
        "fewer bytes": (packed(kernel=leaf((4, 10), data=b"1234")), "has 4 bytes, not those of its shape"),
        "double": (packed(kernel=leaf((4, 10), dtype="float64")), "is of dtype 'float64', not float32"),
        "objects": (packed(kernel=leaf((4, 10), dtype="object")), "is of dtype 'object', not float32"),
        "no array in the array": (packed(kernel=leaf((4, 10), data={"a": 1})), "has 1 bytes, not those"),
        "not a number": (packed(kernel=leaf((4, 10), data=values(np.nan)[:160])), "holds values that are not finite"),
    }  # fmt: skip


@pytest.mark.parametrize("name", hostile_msgpack() if is_there("jax") else [])
def test_hostile_msgpack_is_refused(name: str, tmp_path: Path, capsys: Capture) -> None:
    maker, text = hostile_msgpack()[name]
    path = lay(tmp_path / "model.msgpack", maker)
    out = str(tmp_path / "out.safetensors")
    assert text in refused(capsys, tmp_path, "convert", str(path), "--to", "safetensors", out, "--task", "iris-mlp")
    if "damaged" not in text and "finite" not in text:
        text = "fits no task's network"
    assert text in refused(capsys, tmp_path, "convert", str(path), "--to", "safetensors", out)


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system what a process has used")
@pytest.mark.parametrize("maker", [nested_lists(11_000_000), shape_of_maps(11_000_000)], ids=["lists", "shape"])
def test_hostile_msgpack_costs_no_time_and_no_memory(maker: Maker, tmp_path: Path) -> None:
    if not is_there("jax"):
        pytest.skip("needs flax's msgpack")
    path = lay(tmp_path / "model.msgpack", maker)
    words = ["-m", "compare", "convert", str(path), "--to", "safetensors", str(tmp_path / "out")]
    seconds, megabytes, status = used([sys.executable, *words])
    assert status == cli.WRONG_WORDS
    assert seconds < SECONDS
    assert megabytes < MEGABYTES


def test_hostile_state_dicts_are_refused(tmp_path: Path, capsys: Capture) -> None:
    if not is_there("pytorch"):
        pytest.skip("needs PyTorch")
    weight = {"dtype": "F32", "shape": [10, 4], "data_offsets": [0, 160]}
    for header, text in (
        ({"0.weight": weight}, "has no tensor '0.bias'"),
        ({"0.weight": {**weight, "dtype": "F16"}}, "is of dtype 'F16', not float32"),
        ({"0.weight": {**weight, "shape": [4, 10]}}, "has the shape (4, 10), not (10, 4)"),
        ({"0.weight": {**weight, "shape": [10.0, 4]}}, "has the shape a list, not (10, 4)"),
    ):
        path = lay(tmp_path / "model.safetensors", make(header, bytes(160)))
        words = "convert", str(path), "--to", "safetensors", str(tmp_path / "out"), "--task", "iris-mlp"
        assert text in refused(capsys, tmp_path, *words)
        assert "pytorch's own form" in refused(capsys, tmp_path, "predict", "--model", str(path), "1", "2", "3", "4")
