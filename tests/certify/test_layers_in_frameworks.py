"""A small sample of ``python -m tests.faults layers``: a fault in a framework's own layer is refused and named."""

from pathlib import Path

import pytest

from compare.certify.judge import Reference
from tests.faults.layers import SMALL_SAMPLE, Case, check, make_references
from tests.remote import RemoteBackend


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reference]:
    folder: Path = tmp_path_factory.mktemp("references")
    return make_references(folder)


@pytest.mark.parametrize("case", SMALL_SAMPLE, ids=lambda case: f"{case[0]}-{case[1]}-{case[2].kind}")
def test_a_fault_in_a_layer_is_named(
    case: Case, every_remote: dict[str, RemoteBackend], references: dict[str, Reference]
) -> None:
    name, _, _ = case
    if name not in every_remote:
        pytest.skip(f"{name} is not installed")
    check(case, every_remote[name], references)
