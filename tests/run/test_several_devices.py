"""A run in which several devices train one model: what is kept of it, and what has no such loop."""

from pathlib import Path

import pytest

from backends.registry import framework_backends
from compare import compare
from tests.conftest import is_there


@pytest.mark.parametrize("backend", framework_backends())
def test_a_run_on_two_devices_is_certified_to_its_last_step(backend: str, tmp_path: Path) -> None:
    if not is_there(backend):
        pytest.skip(f"{backend} is not installed")
    done = compare("iris-mlp", backend, modes="both", devices="cpu:0-1", epochs=3, output=tmp_path / "run")
    tuned, stock = sorted(done.results.runs, key=lambda run: run.mode, reverse=True)
    assert (tuned.status, tuned.device) == ("ok", "cpu:0-1"), tuned.message
    assert tuned.settings["devices"] == 2
    assert tuned.check is not None
    assert tuned.check.outcome == "granted", tuned.check
    (certificate,) = done.results.certificates
    assert certificate.granted, certificate.failure
    # What several processes or devices hold or reach is not one process's, so it is not reported.
    assert tuned.peak_memory_bytes is None
    assert tuned.matrix_operations_per_second is None
    assert (stock.status, stock.message) == ("skipped", f"{backend} has no stock loop for several devices (cpu:0-1)")
