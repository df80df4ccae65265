"""PyTorch's tuned steps are compiled as a whole, whatever the recipe."""

from typing import Any

import pytest

from tests.remote import RemoteBackend, task_of
from tests.samples import SAMPLES


def graph_breaks(model: Any) -> int:
    """How often the compiler of this process has given up inside a step."""
    from torch._dynamo.utils import counters

    return sum(counters["graph_break"].values())


@pytest.mark.parametrize("name", ["nesterov-warm-up", "squares-adadelta-exponential"])
def test_a_step_is_one_graph(name: str, every_remote: dict[str, RemoteBackend]) -> None:
    """A learning rate that is looked up must not be read back from the device."""
    if "pytorch" not in every_remote:
        pytest.skip("pytorch is not installed")
    remote, sample = every_remote["pytorch"], SAMPLES[name]
    remote.build(task_of(sample.recipe), task_of(sample.recipe).parameters(0))
    remote.place(sample.dataset)
    before = remote.call("apply", __name__, "graph_breaks")
    remote.train(sample.batches)
    assert remote.call("apply", __name__, "graph_breaks") == before
