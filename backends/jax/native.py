"""What flax users load: the state of an ``nnx.Sequential``, as flax's msgpack. JAX and flax are imported late."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from backends import files
from backends.jax import _IN_A_CELL
from tasks.architecture import Architecture, Parameters
from tasks.layers import LSTM, ConvTranspose2D, Shape

SUFFIX = ".msgpack"
"""How the framework insists that the file's name ends."""
LOAD = """\
state = nnx.to_pure_dict(nnx.state(model, (nnx.Param, nnx.BatchStat)))
with open({path}, "rb") as file:
    nnx.update(model, flax.serialization.from_bytes(state, file.read()))"""
"""How the file is loaded into a ``model`` of the same layers."""
_ITEMS_AT_MOST = 20_000  # a layer has about 20
_ARRAY = 1  # flax's msgpack code for an array: shape, dtype and bytes, packed again


def shapes(architecture: Architecture) -> dict[str, Shape]:
    """The names and shapes in the file, in the order of the canonical parameters."""
    found = {}
    for parameter in architecture.portable:
        node = parameter.node
        layer = architecture.nodes.index(node) if architecture.is_sequence else node.name
        shape = parameter.shape
        if isinstance(node.layer, ConvTranspose2D) and parameter.name == "kernel":
            shape = (*shape[:2], shape[3], shape[2])
        name = "var" if parameter.name == "variance" else parameter.name
        if isinstance(node.layer, LSTM):
            name = "/".join(_IN_A_CELL[parameter.name])
        found[f"layers/{layer}/{name}"] = shape
    return found


def check(path: Path, architecture: Architecture) -> str:
    """Raises ModelFileError unless the file holds this architecture's parameters. Imports no framework.

    Returns:
        what the user should know of the file.
    """
    expected = shapes(architecture)
    files.check_size(path, expected)
    try:
        import msgpack

        count = _counter()
        limits: Any = {
            "max_array_len": 8,
            "max_map_len": 1000,
            "list_hook": count,
            "object_pairs_hook": lambda pairs: dict(count(pairs)),
        }
        tree = msgpack.unpackb(path.read_bytes(), **limits)
        arrays = {name: msgpack.unpackb(data, **limits) for name, data in _leaves(path, tree)}
        tensors = {name: files.Tensor(dtype, shape, len(data)) for name, (shape, dtype, data) in arrays.items()}
        files.check_tensors(path, tensors, expected)
        files.check_finite(path, {name: files.as_float32(data, dtype) for name, (_, dtype, data) in arrays.items()})
        return files.note_on_types(path, tensors)
    except files.ModelFileError:
        raise
    except Exception as error:  # on foreign bytes msgpack raises a dozen kinds
        raise files.ModelFileError(f"{path}: damaged: it cannot be read as flax's msgpack") from error


def write(path: Path, architecture: Architecture, parameters: Parameters) -> None:
    """Writes parameters in the canonical layout as flax does."""
    from flax import nnx, serialization

    from backends.jax.layers import LAYERS
    from backends.jax.network import build_network, set_parameters

    network = build_network(architecture, LAYERS)
    set_parameters(network, architecture, parameters)
    path.write_bytes(serialization.to_bytes(nnx.to_pure_dict(nnx.state(network, (nnx.Param, nnx.BatchStat)))))


def read(path: Path, architecture: Architecture) -> Parameters:
    """Reads a file that ``check`` has passed, as flax does, into the canonical layout."""
    from flax import nnx, serialization

    from backends.jax.layers import LAYERS
    from backends.jax.network import build_network, get_parameters

    network = build_network(architecture, LAYERS)
    state = nnx.to_pure_dict(nnx.state(network, (nnx.Param, nnx.BatchStat)))
    nnx.update(network, serialization.from_bytes(state, path.read_bytes()))
    return get_parameters(network, architecture)


def _counter() -> Callable[[Any], Any]:
    """A hook that counts what is in lists and maps: in a small file they could nest by the million."""
    total = 0

    def count(container: Any) -> Any:
        nonlocal total
        total += 1 + len(container)
        if total > _ITEMS_AT_MOST:
            raise ValueError("more lists and maps than any network here")
        return container

    return count


def _leaves(path: Path, tree: Any, *above: str) -> Iterator[tuple[str, bytes]]:
    """The packed arrays by name; nothing else may be a leaf."""
    for key, value in tree.items():
        names = (*above, str(key))
        if isinstance(value, dict) and len(names) < (5 if "cell" in names else 3):  # layers/1/cell/dense_h/kernel
            yield from _leaves(path, value, *names)
        elif getattr(value, "code", None) == _ARRAY and "/" not in str(key):
            yield "/".join(names), value.data
        else:
            raise files.MisfitError(f"{path}: {files.shown('/'.join(names))} is not one of flax's arrays")
