"""What errors come to: running out of memory is recognised, and no message names a path, a user or a machine."""

import socket
from pathlib import Path
from typing import Any

import pytest

from compare import text
from compare.text import without_paths
from compare.worker.environment import environment
from compare.worker.failure import failure
from tests.remote import RemoteBackend

TOO_LARGE = 1 << 50


def too_large(model: Any, backend: str) -> str:
    """In the framework's process: the status of an array of a petabyte."""
    try:
        if backend == "pytorch":
            import torch

            torch.zeros(TOO_LARGE)
        elif backend == "keras":
            import tensorflow as tf

            tf.zeros([TOO_LARGE])
        elif backend == "jax":
            import jax.numpy as jnp

            jnp.zeros(TOO_LARGE).block_until_ready()
        else:
            import numpy as np

            np.zeros(TOO_LARGE)
    except Exception as error:
        return failure(error).status
    return "ok"


def test_running_out_of_memory_is_recognised(remote: RemoteBackend) -> None:
    assert remote.call("apply", "tests.worker.test_failure", "too_large", remote.name) == "out-of-memory"


def test_another_error_is_a_crash() -> None:
    reply = failure(OSError(2, "No such file or directory", "/home/anna/her data/x.npz"))
    assert reply.status == "crashed"
    assert reply.message == "FileNotFoundError: [Errno 2] No such file or directory: 'x.npz'"


@pytest.mark.parametrize(
    ("said", "clean"),
    [
        ("--xla_dump_to=/tmp/anna/dump --x=1", "--xla_dump_to=dump --x=1"),
        ("/opt/a/lib:/opt/b/lib64", "lib:lib64"),
        (r"C:\Users\Anna\x.npz: damaged", "x.npz: damaged"),
        ("~/data/x.npz is in file:///srv/data", "x.npz is in data"),
        ("/home/anna/", "anna"),
        (
            "3,000 examples/s, and/or 1 / 2: https://example.org/a/b",
            "3,000 examples/s, and/or 1 / 2: https://example.org/a/b",
        ),
    ],
)
def test_paths_are_cut_to_their_last_part(said: str, clean: str) -> None:
    assert without_paths(said) == clean


def test_the_user_and_the_machine_are_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text.getpass, "getuser", lambda: "anna")
    monkeypatch.setattr(socket, "gethostname", lambda: "node12.example.org")
    said = "anna: /home/anna failed on node12, Node12.example.org; johanna and annals stay"
    assert without_paths(said) == "user: user failed on host, host; johanna and annals stay"


def test_the_recorded_variables_hold_no_secret_and_no_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = {
        "TORCH_COMPILE_DISABLE": "1",
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "torch"),
        "JAX_DISABLE_JIT": "1",
        "XLA_FLAGS": "--xla_dump_to=/home/x/dump",
        "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
        "KERAS_MAX_EPOCHS": "1",
        "KMP_BLOCKTIME": "0",
        "CUDA_VISIBLE_DEVICES": "0",
    }
    for name, value in {**kept, "NVIDIA_API_KEY": "k", "TF_VAR_password": "p", "TF_CLI_CONFIG_FILE": "f"}.items():
        monkeypatch.setenv(name, value)
    recorded = dict(item.split("=", 1) for item in environment().split(" "))
    assert set(kept) <= set(recorded)
    assert recorded["TORCHINDUCTOR_CACHE_DIR"] == "torch"
    assert recorded["XLA_FLAGS"] == "--xla_dump_to=dump"
    assert not {"NVIDIA_API_KEY", "TF_VAR_password", "TF_CLI_CONFIG_FILE"} & set(recorded)
