"""Public networks against the same in another framework: as large as people's own."""

import numpy as np
import pytest

from backends.cores import usable_cores
from compare.explain.port import Asked, compare_models
from compare.explain.port_text import answer
from compare.records.port import Port
from tests.pairs.test_pairs import side


def compared(first: str, second: str) -> Port:
    images = np.random.RandomState(0).standard_normal((2, 224, 224, 3)).astype(np.float32)
    return compare_models(side(first), side(second), Asked(images, threads=usable_cores(), timeout=300.0))


@pytest.mark.slow
def test_resnet18_is_found_right() -> None:
    port = compared("public_torch:resnet18", "public_keras:resnet18")
    assert port.right, answer(port)
    assert port.unpaired == ([], [])
    assert len([layer for layer in port.layers if layer.kind == "conv2d"]) == 20


@pytest.mark.slow
def test_two_causes_in_resnet18_are_named() -> None:
    port = compared("public_torch:resnet18", "public_keras:resnet18_with_two_causes")
    assert [difference.first for difference in port.differences] == ["conv1", "layer3.0.bn2"]
    first, second = answer(port)
    assert "padding is (3, 3) in the first and same in the second" in first
    assert "epsilon is 1e-05 in the first and 0.001 in the second" in second
