"""A small sample of ``python -m tests.faults undisturbed``: a right run of a random network is not refused."""

import pytest

from compare.executors.base import Session
from tests.faults import undisturbed
from tests.worker.real_cells import call_in, open_worker


def test_a_right_run_of_a_random_network_is_granted() -> None:
    assert "1 granted, 0 undecidable, 0 refused" in undisturbed.run(1, ["numpy"])


def test_a_wrong_one_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_planted(backend: str) -> Session:
        session = open_worker(backend)
        call_in(session, "plant", backend, "tuned", "tests.false_answers.OtherBatchesAreHeld")
        return session

    monkeypatch.setattr(undisturbed, "open_worker", open_planted)
    with pytest.raises(AssertionError, match="0 granted, 0 undecidable, 1 refused"):
        undisturbed.run(1, ["numpy"])
