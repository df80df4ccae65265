"""The check of the run that is timed, in the frameworks' own workers: a copied loop with a late fault is refused."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import backends
from backends.about import Mode
from compare.executors.base import Session
from compare.records.request import CellRequest
from compare.run.options import make_options
from compare.run.replays import Replays
from tests import mixed_faults
from tests.conftest import is_there
from tests.mixed_faults import EPOCHS
from tests.worker.fakes import make_cells
from tests.worker.real_cells import Here, call_in, open_worker, run_and_check

Workers = Callable[[str], Session]
NAMES = [f"tests.mixed_faults.{fault.__name__}" for fault in mixed_faults.FAULTS]
QUICK: list[tuple[str, Mode, str]] = [
    ("jax", "tuned", "tests.mixed_faults.SkipsEverySecondStepOfLongCalls"),
    ("jax", "tuned", "tests.mixed_faults_jax.KernelIsNotTrainedInLongCalls"),
    ("pytorch", "stock", "tests.mixed_faults.OtherOrder"),
    ("keras", "stock", "tests.mixed_faults.TwoLabelsSwappedInTheLastEpoch"),
    ("keras", "stock", "tests.mixed_faults.TestedOnWholeBatches"),
]
ALL = [
    (backend, mode, n) for backend in backends.framework_backends() for mode in backends.modes(backend) for n in NAMES
]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """A worker of each framework, started when it is first asked for."""
    opened: dict[str, Session] = {}

    with ExitStack() as stack:

        def worker(backend: str) -> Session:
            if not is_there(backend):
                pytest.skip(backends.missing(backend) or "")
            if backend not in opened or not opened[backend].alive:
                opened[backend] = stack.enter_context(open_worker(backend))
            return opened[backend]

        yield worker


def outcome(session: Session, backend: str, mode: Mode, fault: str, folder: Path) -> tuple[str, str]:
    """How a cell of iris ends whose loop has the fault: the check's outcome and what failed, or status and message."""
    call_in(session, "plant", backend, mode, fault)
    (iris,) = make_cells("iris-mlp", backend, epochs=EPOCHS)
    request = CellRequest(cell=iris.model_copy(update={"batch_size": 7, "mode": mode}))
    reply, run = run_and_check(session, Replays(make_options({}), Here()), request, folder)
    if run is None or run.check is None:
        return reply.status, reply.message
    return run.check.outcome, run.check.failure


@pytest.mark.parametrize(("backend", "mode"), list(dict.fromkeys((backend, mode) for backend, mode, _ in QUICK)))
def test_a_loop_as_it_is_is_granted(backend: str, mode: Mode, workers: Workers, tmp_path: Path) -> None:
    found = outcome(workers(backend), backend, mode, "tests.mixed_faults.Undisturbed", tmp_path)
    assert found == ("granted", "")


@pytest.mark.parametrize(("backend", "mode", "fault"), QUICK)
def test_a_late_fault_in_a_frameworks_loop_is_not_granted(
    backend: str, mode: Mode, fault: str, workers: Workers, tmp_path: Path
) -> None:
    word, why = outcome(workers(backend), backend, mode, fault, tmp_path)
    print(f"{backend} {mode}, {fault}: {word}: {why}")
    assert word == ("crashed" if "WholeBatches" in fault else "refused")
    assert why


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "mode", "fault"), [case for case in ALL if case not in QUICK])
def test_late_faults_in_all_loops_are_not_granted(
    backend: str, mode: Mode, fault: str, workers: Workers, tmp_path: Path
) -> None:
    test_a_late_fault_in_a_frameworks_loop_is_not_granted(backend, mode, fault, workers, tmp_path)
