"""Hostile files of flax's own form, msgpack, are refused in one line, at once, in little memory."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends import native
from compare import cli
from tests.backends.hostile_files import IRIS, MEGABYTES, TIMES, Capture, Maker, cost, lay, refused, sparse, values
from tests.conftest import is_there


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
        "too large": (lambda path: sparse(path, b"\x81\xa6layers", 1 << 40), "parameters take 1,006,176 at the most"),
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
        "double": (packed(kernel=leaf((4, 10), dtype="float64")), "has 160 bytes, not those of its shape"),
        "objects": (packed(kernel=leaf((4, 10), dtype="object")), "is of dtype 'object', not one of float32"),
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
    words = ["convert", str(path), "--to", "safetensors", str(tmp_path / "out")]
    times, megabytes, status = cost(*words)
    assert status == cli.INVALID_INPUT
    assert times < TIMES
    assert megabytes < MEGABYTES
