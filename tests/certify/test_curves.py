"""Whole curves: right runs differ by no more than rounding was seen to make; who differs from the others is named."""

from typing import Any

import pytest

from compare.certify.curves import check_curves
from compare.records.check import Check
from compare.records.run import Curve, Run
from tests.analysis.runs import make_run

LOSSES = [2.0, 1.0, 0.5]


def run(backend: str, losses: list[float] = LOSSES, **fields: Any) -> Run:
    return make_run(backend, **{"losses": losses, "seed": 0, **fields})


def outcomes(*runs: Run) -> dict[str, tuple[str, str]]:
    changed = {(r.backend, r.mode, r.round): r for r in check_curves(runs)}
    now = [changed.get((r.backend, r.mode, r.round), r) for r in runs]
    return {r.backend: (r.check.outcome, r.check.failure) for r in now if r.check is not None}


NOISE = [[2.0, 1.00001, 0.5001], [2.0, 1.0, 0.50002]]


def test_right_runs_are_granted() -> None:
    found = outcomes(run("jax", nudged_losses=NOISE), run("keras", [2.0, 1.00003, 0.5004]), run("pytorch"))
    assert {outcome for outcome, _ in found.values()} == {"granted"}


def test_of_three_the_one_that_differs_is_refused_from_its_epoch_on() -> None:
    found = outcomes(run("jax", nudged_losses=NOISE), run("keras", [2.0, 1.01, 0.5]), run("pytorch"))
    assert {backend: outcome for backend, (outcome, _) in found.items()} == {
        "jax": "granted", "keras": "refused", "pytorch": "granted",
    }  # fmt: skip
    assert found["keras"][1].startswith("loss of epoch 2: 1.0e-02 from that of jax tuned cpu, where rounding allows")


def test_of_two_nobody_knows_which_is_right() -> None:
    found = outcomes(run("jax", nudged_losses=NOISE), run("keras", [2.0, 1.01, 0.5]))
    assert {outcome for outcome, _ in found.values()} == {"refused"}


def test_a_fault_of_one_round_is_that_rounds() -> None:
    runs = [run(backend, round_=r, nudged_losses=NOISE) for backend in ("jax", "keras", "pytorch") for r in range(3)]
    runs[4] = run("keras", [2.0, 1.0, 0.6], round_=1)
    assert [(r.backend, r.round) for r in check_curves(runs)] == [("keras", 1)]


def test_where_rounding_leads_too_far_the_check_says_so() -> None:
    found = outcomes(run("jax", nudged_losses=[[2.0, 1.0, 0.52]]), run("keras", [2.0, 1.0, 0.54]))
    said = "mean loss of epoch 3: rounding alone moves it by more than 1% of its size"
    assert found == {"jax": ("granted", said), "keras": ("granted", said)}


def test_what_rounding_cannot_explain_is_refused_all_the_same() -> None:
    found = outcomes(run("jax", nudged_losses=[[2.0, 1.0, 0.52]]), run("keras", [2.0, 1.0, 0.64]), run("pytorch"))
    assert {backend: outcome for backend, (outcome, _) in found.items()} == {
        "jax": "granted", "keras": "refused", "pytorch": "granted",
    }  # fmt: skip


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"epochs": 4}, {"examples": 10}, {"batch_size": 5}, {"status": "diverged"}]
)
def test_only_runs_of_the_same_work_are_compared(other: dict[str, Any]) -> None:
    assert check_curves([run("jax", nudged_losses=NOISE), run("keras", [2.0, 1.01, 0.5], **other)]) == []


def test_what_was_refused_or_not_checked_stays_so() -> None:
    refused = Check(outcome="refused", failure="loss of step 7", steps=9)
    runs = [run("jax", nudged_losses=NOISE), run("keras", [9.0, 9.0, 9.0], check=refused), run("numpy", check=None)]
    assert [(r.backend, r.check.failure if r.check else "") for r in check_curves(runs) if r.backend != "jax"] == []


@pytest.mark.parametrize(("again", "outcome"), [([2.0, 1.00003, 0.5004], "granted"), ([2.0, 1.01, 0.5], "refused")])
def test_a_stock_loop_is_held_against_its_own_second_training(again: list[float], outcome: str) -> None:
    curve = Curve(
        epochs=[1, 2, 3], losses=[2.0, 1.0, 0.5], accuracies=[0.1, 0.2, 0.3], apart=True, training_losses=again
    )
    found = outcomes(run("keras", curve=curve, nudged_losses=NOISE))
    assert found["keras"][0] == outcome
    said = "loss of epoch 2: 1.0e-02 from that of its second training in short calls, where rounding allows"
    assert found["keras"][1].startswith(said) == (outcome == "refused")


def test_without_a_measure_of_rounding_nothing_is_said() -> None:
    assert check_curves([run("jax"), run("keras", [2.0, 1.01, 0.5])]) == []


def test_a_run_that_rounding_alone_led_elsewhere_is_granted() -> None:
    """Its own loop, from parameters moved as rounding moves them, comes to the others' losses."""
    others = run("jax", nudged_losses=NOISE), run("pytorch")
    near, far = [2.0, 1.00003, 0.5004], [2.0, 1.01, 0.5]
    for second, outcome in (([near, near, far], "granted"), ([near, far], "refused"), ([far] * 3, "refused")):
        found = outcomes(*others, run("keras", [2.0, 1.02, 0.51], second_losses=second))
        assert found["keras"][0] == outcome
        assert found["jax"] == ("granted", "")
    found = outcomes(*others, run("keras", [2.0, 1.02, 0.51], second_losses=[near]))
    assert found["keras"][1] == "loss of epoch 2: from there on rounding alone led this run elsewhere than most"
