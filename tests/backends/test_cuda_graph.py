"""PyTorch's steps in a CUDA graph: without a GPU, by something that stands for CUDA and does what its graphs do."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import pytest

from tests.remote import RemoteBackend, task_of
from tests.samples import SAMPLES


class Graph:
    """Records calls while it is open, as CUDA does: they are made when it is replayed, on the arguments of then."""

    def __init__(self) -> None:
        self.replays = 0
        self.recorded: Any = None

    def replay(self) -> None:
        self.replays += 1
        self.recorded()


class Stream:
    def wait_stream(self, other: "Stream") -> None: ...


class StandIn:
    """What ``_StepsInGraph`` needs of ``torch.cuda``.

    Python cannot record what tensors compute: while a graph is open, training is put off until it is replayed, and
    writes its losses over those that the graph gave out.
    """

    def __init__(self, model: Any) -> None:
        self.model, self.open = model, None
        self.graphs: list[Graph] = []

    Stream = Stream

    def current_stream(self) -> Stream:
        return Stream()

    def stream(self, stream: Stream) -> AbstractContextManager[None]:
        return nullcontext()

    def CUDAGraph(self) -> Graph:  # noqa: N802
        self.graphs.append(Graph())
        return self.graphs[-1]

    def graph(self, graph: Graph) -> AbstractContextManager[None]:
        self.open = graph
        return nullcontext()

    def train(self, steps: Any) -> Any:
        import torch

        if self.open is None:
            return self.model._train_eagerly(steps)
        graph, self.open = self.open, None
        losses = torch.zeros(len(steps))
        graph.recorded = lambda: losses.copy_(self.model._train_eagerly(steps))
        return losses


def graph_the_steps(model: Any, steps_a_call: int) -> None:
    """Runs in a worker: the model trains by a graph of so many steps."""
    from backends.pytorch.backend import _StepsInGraph

    model.stand_in = StandIn(model)
    model._run, model.steps_a_call = _StepsInGraph(model.stand_in.train, model.stand_in), steps_a_call


def replays(model: Any) -> list[int]:
    return [graph.replays for graph in model.stand_in.graphs]


@pytest.mark.parametrize("name", ["dense-adam", "normalized", "dropped", "nesterov-warm-up"])
def test_steps_in_a_graph_are_the_steps(name: str, every_remote: dict[str, RemoteBackend]) -> None:
    if "pytorch" not in every_remote:
        pytest.skip("pytorch is not installed")
    remote, sample = every_remote["pytorch"], SAMPLES[name]
    task = task_of(sample.recipe)
    results = []
    for graphed in (False, True):
        remote.build(task, task.parameters(0))
        remote.place(sample.dataset)
        remote.call("apply", __name__, "graph_the_steps", 2) if graphed else None
        losses = [remote.train(sample.batches) for _ in range(3)]
        results.append((np.concatenate(losses), remote.parameters()))
    (plain, plain_parameters), (graphed_losses, graphed_parameters) = results
    calls = len(sample.batches.indices) * 3 * (sample.batches.full_steps // 2)
    assert remote.call("apply", __name__, "replays") == [calls - 3]
    np.testing.assert_allclose(graphed_losses, plain, rtol=2e-5, atol=2e-6)
    for key, value in plain_parameters.items():
        np.testing.assert_allclose(graphed_parameters[key], value, rtol=1e-4, atol=1e-5, err_msg=key)
