"""What changed between two runs is found, what did not change is not, and what cannot be compared is said to be."""

from typing import Any

import pytest

from compare.analysis.changes import find_changes
from compare.records.results import Results
from compare.records.run import Run
from compare.text import workload_label
from tasks.errors import SideBySideError
from tasks.mnist import SHA256
from tests.analysis.runs import change, make_certificate, make_results, make_run

NAMES = ("mnist-mlp keras tuned cpu", "mnist-mlp pytorch tuned cpu")


def make(slow: float = 1.0, rounds: int = 5, seeds: int = 1, fall: float = 0.0, **fields: Any) -> Results:
    """Keras and PyTorch, of which Keras is slower by a factor and less accurate by a difference."""
    runs: list[Run] = []
    for backend in ("pytorch", "keras"):
        for seed in range(seeds):
            for round_ in range(rounds):
                run = make_run(backend, seed=seed, round_=round_, **fields)
                if backend == "keras":
                    assert run.examples_per_second is not None
                    assert run.accuracy is not None
                    change(run, examples_per_second=run.examples_per_second / slow)
                    change(run, accuracy=run.accuracy - fall * (1 + seed / 100))
                runs.append(run)
    return make_results(runs=runs)


def test_a_run_beside_itself_is_unchanged() -> None:
    diff = find_changes(make(seeds=3), make(seeds=3))
    assert diff.exit_status == 0
    assert {finding.change for finding in diff.findings} == {"unchanged"}
    assert diff.incomparable == ()
    assert diff.differences == ()


def test_a_planted_slowdown_is_found() -> None:
    diff = find_changes(make(), make(slow=1.2))
    assert diff.exit_status == 1
    (worse,) = diff.worse
    assert "keras" in worse.subject
    assert worse.quantity == "training speed"
    assert "Worse beyond the intervals:" in diff.text()
    assert "speed beside" in diff.text()  # the ratio to pytorch changed as well


def test_a_speedup_is_no_failure() -> None:
    diff = find_changes(make(slow=1.2), make())
    assert diff.exit_status == 0
    assert [f.change for f in diff.findings if f.quantity == "training speed"] == ["unchanged", "better"]


def test_a_slowdown_within_the_noise_is_none() -> None:
    assert find_changes(make(), make(slow=1.002)).exit_status == 0


@pytest.mark.parametrize(("rounds", "slow"), [(1, 3.0), (2, 3.0)])
def test_too_few_rounds_decide_nothing(rounds: int, slow: float) -> None:
    diff = find_changes(make(rounds=rounds), make(slow=slow, rounds=rounds))
    assert diff.exit_status == 0
    assert "speed: fewer than 3 rounds have no interval" in diff.text()


def test_other_machines_cannot_be_compared() -> None:
    second = make(slow=2)
    change(second, host={"cpu": "another CPU", "cores": 2})
    diff = find_changes(make(), second)
    assert diff.exit_status == 0
    assert "Cannot be compared:" in diff.text()
    assert "different machines (cpu: a CPU -> another CPU)" in diff.text()
    assert not [finding for finding in diff.findings if "speed" in finding.quantity]


def test_other_settings_cannot_be_compared() -> None:
    diff = find_changes(make(), make(slow=2, settings={"threads": 1, "affinity": 2, "last_batch": "kept"}))
    assert diff.exit_status == 0
    assert "settings differ (threads: 2 -> 1)" in diff.text()


def test_other_work_is_another_row() -> None:
    with pytest.raises(SideBySideError) as caught:
        find_changes(make(), make(slow=2, epochs=1))
    assert str(caught.value) == (
        "the runs have no row in common to compare: "
        f"the first has {NAMES[0]} ({workload_label(3, 640, None)}), {NAMES[1]} ({workload_label(3, 640, None)}); "
        f"the second has {NAMES[1]} ({workload_label(1, 640, None)}), {NAMES[0]} ({workload_label(1, 640, None)})"
    )


def test_many_rows_that_nothing_shares_are_one_short_line() -> None:
    names = [f"backend{number}" for number in range(9)]
    first = make_results(runs=[make_run(name) for name in names])
    with pytest.raises(SideBySideError, match=r"backend2 tuned cpu \([^()]+\) and 6 more; the second has [^;]+$"):
        find_changes(first, make())


def test_an_unverified_row_is_not_compared() -> None:
    second = make(slow=2)
    change(second, certificates=[make_certificate("pytorch")])
    diff = find_changes(make(), second)
    assert diff.exit_status == 1
    assert [(f.quantity, f.text) for f in diff.worse] == [("certificate", "granted -> unverified: no certificate")]
    assert "in the second run it is not ranked (unverified: no certificate)" in diff.text()


def test_data_that_are_not_recorded_hide_no_fall() -> None:
    """A run with --no-certify has no hash of its data."""
    second = make(seeds=2, fall=0.7, data_sha256=None)
    change(second, certificates=[])
    diff = find_changes(make(seeds=2), second)
    assert "the data differ" not in diff.text()
    assert "accuracy" in [finding.quantity for finding in diff.worse]
    assert "the data differ" in find_changes(make(), make(fall=0.7, data_sha256="b" * 64)).text()


def test_runs_of_other_data_files_cannot_be_compared() -> None:
    """Two runs with --no-certify; or certified on the same training data, but with other test images."""
    file = {"preset": "quick", "data_sha256": "b" * 64}
    for hidden, speed in ((None, "speed: in the first run it is not ranked"), ("a" * 64, "training speed")):
        first, second = make(seeds=2, data_sha256=hidden), make(seeds=2, fall=0.18, data_sha256=hidden)
        change(second, settings=file)
        for results in (first, second):
            change(results, certificates=results.certificates if hidden else [])
        diff = find_changes(first, second)
        assert diff.exit_status == 0
        assert ": accuracy: the data files differ" in diff.text()
        assert speed in diff.text()
    for other in ({"data_sha256": SHA256}, {}):  # MNIST itself, given as a file
        second = make(seeds=2)
        change(second, settings=other)
        assert "data files" not in find_changes(make(seeds=2), second).text()


def test_another_learning_rate_cannot_be_compared() -> None:
    second = make(slow=2, fall=0.5, seeds=3)
    for run in second.runs:
        change(run, settings={**run.settings, "learning_rate": 0.5})
    diff = find_changes(make(seeds=3), second)
    assert diff.exit_status == 0
    assert "accuracy: the learning rates differ" in diff.text()
    assert "speed: settings differ (learning_rate: not recorded -> 0.5)" in diff.text()


def test_a_lost_row_is_worse() -> None:
    second = make()
    change(second, runs=[run for run in second.runs if run.backend == "keras"])
    diff = find_changes(make(), second)
    assert diff.exit_status == 1
    assert [(f.quantity, f.text) for f in diff.worse] == [("row", "lost: the second run lacks it")]
    assert diff.text().count(f"{NAMES[1]} (") == 1  # it is said once
    assert find_changes(second, make()).exit_status == 0


def test_one_example_fewer_is_noise() -> None:
    second = make(seeds=2)
    for run in second.runs:
        assert run.accuracy is not None
        change(run, accuracy=run.accuracy - 1e-4)
    diff = find_changes(make(seeds=2), second)
    assert diff.exit_status == 0
    assert [f.change for f in diff.findings if f.quantity == "accuracy"] == ["unchanged"] * 2


def test_a_changed_speed_stands_beside_the_load() -> None:
    diff = find_changes(make(), make(slow=1.2, load_average=7.5))
    assert "load average before the cells: 0.5 to 0.5 -> 7.5 to 7.5" in diff.text()
    assert "Not decided" not in diff.text()
    assert "Ratios of two rows that changed beyond the intervals:" in diff.text()
    assert "load average" not in find_changes(make(), make(load_average=7.5)).text()


def test_a_lost_certificate_is_worse() -> None:
    second = make()
    change(second, certificates=[make_certificate("pytorch"), make_certificate("keras", granted=False)])
    diff = find_changes(make(), second)
    assert diff.exit_status == 1
    assert [finding.quantity for finding in diff.worse] == ["certificate"]


def test_a_row_that_fails_now_is_worse() -> None:
    second = make()
    second.runs[-1] = make_run("keras", round_=4, status="crashed")
    diff = find_changes(make(), second)
    assert diff.exit_status == 1
    assert [(f.quantity, f.text) for f in diff.worse] == [("status", "ok -> 4 ok, 1 crashed")]


def test_a_fall_of_accuracy_is_found_over_seeds() -> None:
    diff = find_changes(make(seeds=3), make(seeds=3, fall=0.01))
    assert diff.exit_status == 1
    assert [finding.quantity for finding in diff.worse] == ["accuracy"]


@pytest.mark.parametrize(("fall", "status"), [(0.01, 0), (0.5, 1)])
def test_one_seed_decides_only_what_is_gross(fall: float, status: int) -> None:
    diff = find_changes(make(), make(fall=fall))
    assert diff.exit_status == status
    assert "one seed has no interval" in diff.text()


def test_versions_that_differ_are_named() -> None:
    diff = find_changes(make(), make(versions={"framework": "2.0"}))
    assert "framework: 1.2.3 -> 2.0" in diff.text()


def test_nothing_beside_nothing() -> None:
    empty = make_results(runs=[], certificates=[])
    with pytest.raises(SideBySideError, match="the first has no row; the second has no row"):
        find_changes(empty, empty)
