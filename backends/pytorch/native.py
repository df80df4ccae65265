"""What PyTorch users load: the ``state_dict`` of an ``nn.Sequential``, as safetensors. Torch is imported late."""

import re
from pathlib import Path

from backends import files
from tasks.architecture import Architecture, Parameters
from tasks.layers import LSTM, Conv2D, ConvTranspose2D, Shape

SUFFIX = ".safetensors"
"""How the framework insists that the file's name ends."""
LOAD = """\
from safetensors.torch import load_file

model.load_state_dict(load_file({path}))"""
"""How the file is loaded into a ``model`` of the same layers."""

_NAMES = {"kernel": "weight", "scale": "weight", "mean": "running_mean", "variance": "running_var"}
_OF_LSTM = {"kernel": "weight_ih_l0", "recurrent_kernel": "weight_hh_l0", "bias": "bias_ih_l0"}
_SECOND_BIAS = "bias_hh_l0"
"""Of torch's LSTM, which adds both."""
_COUNT = ".num_batches_tracked"
"""The number of steps that a batch normalization was trained, which is needed for none of its results."""
_WRAPPERS = re.compile(r"\b(?:_orig_mod|module|_fsdp_wrapped_module)\.")


def shapes(architecture: Architecture) -> dict[str, Shape]:
    """The names and shapes in the file, in the order of the canonical parameters."""
    found = {}
    for parameter in architecture.portable:
        node, shape = parameter.node, parameter.shape
        module = str(architecture.nodes.index(node)) if architecture.is_sequence else f"layers.{node.name}"
        if isinstance(node.layer, Conv2D) and any(
            before != after for before, after in node.layer.pads(architecture.shape_before(node))
        ):
            module += ".1"  # after the layer that pads
        if isinstance(node.layer, ConvTranspose2D) and any(after > before for before, after in node.layer.crops()):
            module += ".0"  # before the layer that crops
        if len(shape) == 4:
            height, width, inputs, outputs = shape
            transposed = isinstance(node.layer, ConvTranspose2D)
            shape = (inputs, outputs, height, width) if transposed else (outputs, inputs, height, width)
        name = _NAMES.get(parameter.name, parameter.name)
        if isinstance(node.layer, LSTM):
            name = _OF_LSTM[parameter.name]
        found[f"{module}.{name}"] = shape[::-1] if len(shape) == 2 else shape
        if name == _OF_LSTM["bias"]:
            found[f"{module}.{_SECOND_BIAS}"] = shape
    return found


def check(path: Path, architecture: Architecture) -> str:
    """Raises ModelFileError unless the file holds this architecture's parameters. Imports no framework.

    Returns:
        what the user should know of the file.
    """
    files.read_tensors(path, shapes(architecture), _plain_name)
    return files.note_on_types(path, files.read_header(path).tensors)


def write(path: Path, architecture: Architecture, parameters: Parameters) -> None:
    """Writes parameters in the canonical layout as PyTorch does."""
    from safetensors.torch import save

    from backends.pytorch.layers import LAYERS
    from backends.pytorch.network import build_network, set_parameters

    network = build_network(architecture, LAYERS)
    set_parameters(network, architecture, parameters)
    path.write_bytes(save(network.state_dict()))


def read(path: Path, architecture: Architecture) -> Parameters:
    """Reads a file that ``check`` has passed, as PyTorch does, into the canonical layout."""
    from safetensors.torch import load_file

    from backends.pytorch.layers import LAYERS
    from backends.pytorch.network import build_network, get_parameters

    network = build_network(architecture, LAYERS)
    tensors = {_plain_name(name): tensor for name, tensor in load_file(path).items() if _plain_name(name)}
    for name in [name for name in tensors if name.endswith(_SECOND_BIAS)]:
        tensors[name.replace(_SECOND_BIAS, _OF_LSTM["bias"])] += tensors.pop(name)
    network.load_state_dict(tensors, strict=False)  # the names are checked, and the counts left out
    return get_parameters(network, architecture)


def _plain_name(name: str) -> str:
    """A name without what ``torch.compile`` and parallel modules put before it; empty for what is not needed."""
    return "" if name.endswith(_COUNT) else _WRAPPERS.sub("", name)
