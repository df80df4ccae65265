"""What Keras users load: the ``.weights.h5`` of a ``keras.Sequential``. Keras is imported late."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from backends import files
from backends.keras import _is_depthwise
from tasks.architecture import Architecture, Parameters
from tasks.layers import LSTM, BatchNorm, ConvTranspose2D, Layer, LayerNorm, Shape

SUFFIX = ".weights.h5"
"""How the framework insists that the file's name ends."""
LOAD = "model.load_weights({path})"
"""How the file is loaded into a ``model`` of the same layers."""
_LAYERS_AT_MOST = 1000
_KINDS: dict[type[Layer], str] = {
    ConvTranspose2D: "conv2d_transpose",
    LayerNorm: "layer_normalization",
    BatchNorm: "batch_normalization",
}
"""Where Keras calls a layer by another name than we do."""


def shapes(architecture: Architecture) -> dict[str, Shape]:
    """The names and shapes in the file, in the order of the canonical parameters."""
    found: dict[str, Shape] = {}
    counts: Counter[str] = Counter()  # Keras numbers layers of one kind: dense, dense_1, ...
    for node in architecture.nodes:
        own = [variable for variable in architecture.portable if variable.node == node]
        if not own:
            continue
        depthwise = _is_depthwise(node.layer, architecture.shape_before(node))
        kind = "depthwise_conv2d" if depthwise else _KINDS.get(type(node.layer), node.layer.kind)
        counts[kind] += 1
        number = f"_{counts[kind] - 1}" if counts[kind] > 1 else ""
        for index, parameter in enumerate(own):
            shape = parameter.shape
            if isinstance(node.layer, ConvTranspose2D) and parameter.name == "kernel":
                shape = (*shape[:2], shape[3], shape[2])
            if depthwise and parameter.name == "kernel":
                inputs = architecture.shape_before(node)[2]
                shape = (*shape[:2], inputs, shape[3] // inputs)
            place = "cell/vars" if isinstance(node.layer, LSTM) else "vars"
            found[f"layers/{kind}{number}/{place}/{index}"] = shape
    return found


def check(path: Path, architecture: Architecture) -> str:
    """Raises ModelFileError unless the file holds this architecture's parameters. Imports no framework.

    Returns:
        what the user should know of the file.
    """
    expected = shapes(architecture)
    files.check_size(path, expected)
    try:
        import h5py

        with h5py.File(path, "r") as file:
            found = _datasets(path, file)
            tensors = {
                name: files.Tensor(_dtype(data), data.shape, data.id.get_storage_size()) for name, data in found.items()
            }
            files.check_tensors(path, tensors, expected)
            files.check_finite(path, {name: _values(data) for name, data in found.items()})
            return files.note_on_types(path, tensors)
    except files.ModelFileError:
        raise
    except Exception as error:  # on foreign bytes h5py raises a dozen kinds
        raise files.ModelFileError(f"{path}: damaged: it cannot be read as HDF5") from error


def write(path: Path, architecture: Architecture, parameters: Parameters) -> None:
    """Writes parameters in the canonical layout as Keras does."""
    from backends.keras.layers import LAYERS
    from backends.keras.network import build_network, set_parameters

    network = build_network(architecture, LAYERS)
    set_parameters(network, architecture, parameters)
    network.save_weights(path)


def read(path: Path, architecture: Architecture) -> Parameters:
    """Reads a file that ``check`` has passed, as Keras does, into the canonical layout."""
    from backends.keras.layers import LAYERS
    from backends.keras.network import build_network, get_parameters

    network = build_network(architecture, LAYERS)
    network.load_weights(path)
    return get_parameters(network, architecture)


def _datasets(path: Path, file: Any) -> dict[str, Any]:
    """The datasets of all layers, each lying in the file itself and whole. The optimizer's state is passed over."""
    found = {}
    layers = _child(path, file, "layers", "Group")
    if len(layers) > _LAYERS_AT_MOST:
        raise files.MisfitError(f"{path}: holds {len(layers):,} layers, more than any network here")
    for layer in layers:
        group = _child(path, layers, layer, "Group")
        place = layer
        if "cell" in list(group):  # of an LSTM
            group, place = _child(path, group, "cell", "Group"), f"{layer}/cell"
        if "vars" not in list(group):
            continue
        variables = _child(path, group, "vars", "Group")
        for variable in list(variables)[:5]:  # no layer has more than four; the fifth is one too many already
            data = _child(path, variables, variable, "Dataset")
            name = f"layers/{place}/vars/{variable}"
            if (
                data.chunks is not None
                or data.external
                or data.is_virtual
                or ("dtype" in data.attrs) > (data.dtype.str == "|V2")
            ):
                raise files.MisfitError(f"{path}: {files.shown(name)} is not stored as Keras stores weights")
            found[name] = data
    return found


def _child(path: Path, parent: Any, name: str, kind: str) -> Any:
    """What lies under a name; not what a link leads to, which may be another file, and is not even looked at."""
    import h5py

    key = name.encode(errors="surrogateescape")
    if parent.id.links.exists(key) and parent.id.links.get_info(key).type == h5py.h5l.TYPE_HARD:
        child = parent[name]
        if isinstance(child, getattr(h5py, kind)):
            return child
    raise files.MisfitError(f"{path}: {files.shown(name)} is no {kind.lower()} of its own, as Keras writes them")


def _dtype(data: Any) -> str:
    """The type of the numbers; HDF5 knows no bfloat16, which Keras writes as two bytes and notes beside them."""
    two_bytes = data.dtype.str == "|V2" and data.attrs.get("dtype") == "bfloat16"
    return "bfloat16" if two_bytes else str(data.dtype.name)


def _values(data: Any) -> Any:
    """The numbers as float32."""
    if _dtype(data) == "bfloat16":
        return files.as_float32(data[()].tobytes(), "bfloat16")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, which is refused
        return data[()].astype(np.float32)
