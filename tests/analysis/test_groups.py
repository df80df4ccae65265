"""Only rows of the same conditions are ranked together."""

from typing import Any

import pytest

from compare.analysis.sections import summarize
from tests.analysis.runs import HASH, change, make_certificate, make_results, make_run


@pytest.mark.parametrize(
    "other",
    [
        {"settings": {"threads": 1}},
        {"device": "gpu:0"},
        {"mode": "stock"},
        {"epochs": 2},
        {"data_sha256": "b" * 64},
        {"batches_sha256": "b" * 64},
        {"parameters_sha256": "b" * 64},
    ],
)
def test_rows_of_other_conditions_are_not_ranked_together(other: dict[str, Any]) -> None:
    runs = [make_run("keras", round_=r) for r in range(5)] + [make_run("jax", round_=r, **other) for r in range(5)]
    subject = {"device": other.get("device", "cpu"), "mode": other.get("mode", "tuned")}
    certificates = [make_certificate("keras"), make_certificate("jax", **subject)]
    (section,) = summarize(make_results(runs=runs, certificates=certificates))
    assert "times as fast" not in section.answer
    assert section.comparisons == []


def test_a_row_of_mixed_versions_is_not_ranked() -> None:
    runs = [make_run("keras", round_=r, versions={"framework": str(r)}) for r in range(3)]
    (section,) = summarize(make_results(runs=runs))
    assert "keras is not ranked: its runs differ in versions." in section.caveats


def test_only_the_certified_run_reads_its_data_back() -> None:
    """So it is in every real run of several rounds. A hash that is not known is no difference."""
    runs = [
        make_run(name, round_=r, data_sha256=HASH if r == 1 else None)
        for r in range(3)
        for name in ("keras", "pytorch")
    ]
    (section,) = summarize(make_results(runs=runs))
    assert "keras trains" in section.answer
    assert [pair.speed.verdict for pair in section.comparisons] == ["faster"]
    change(runs[-1], data_sha256="b" * 64)
    (section,) = summarize(make_results(runs=runs))
    assert "pytorch is not ranked: its runs differ in data." in section.caveats


def test_a_row_without_a_hash_of_its_data_has_that_of_its_certificate() -> None:
    runs = [make_run(n, round_=r, data_sha256=h) for n, h in (("keras", HASH), ("jax", None)) for r in range(3)]
    (section,) = summarize(make_results(runs=runs))
    assert [pair.speed.verdict for pair in section.comparisons] == ["not distinguishable"]
    certificates = [make_certificate("keras"), make_certificate("jax", data_sha256="b" * 64)]
    (section,) = summarize(make_results(runs=runs, certificates=certificates))
    assert section.comparisons == []


def test_tutorial_costs_are_paired() -> None:
    runs = [make_run("keras", round_=r) for r in range(5)]
    runs += [make_run("keras", round_=r, mode="stock", examples_per_second=500 + r) for r in range(5)]
    certificates = [make_certificate("keras"), make_certificate("keras", mode="stock")]
    (section,) = summarize(make_results(runs=runs, certificates=certificates))
    (cost,) = section.tutorial_costs
    assert cost.speed.interval is not None
    assert cost.speed.interval[0] < 2.3 < cost.speed.interval[1]
