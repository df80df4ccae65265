"""Every form of the report names the same worst distance of a certificate."""

import io

import pytest
from rich.console import Console

from compare.records.certificate import Distance
from compare.report.distances import quantity_group, worst_by_group
from compare.report.html import render_html
from compare.report.terminal import print_certificates
from tests.analysis.runs import make_certificate, make_results


def distance(quantity: str, relative: float, absolute: float, absolute_limit: float = 1.0) -> Distance:
    return Distance(
        quantity=quantity,
        relative=relative,
        absolute=absolute,
        reference_relative=0.0,
        reference_absolute=0.0,
        limit=1.0,
        absolute_limit=absolute_limit,
        passed=relative <= 1 and absolute <= absolute_limit,
    )


DISTANCES = [
    distance("gradient of 0_dense/kernel", relative=0.5, absolute=0.1),
    distance(
        "gradient of 2_dense/kernel", relative=0.3, absolute=0.9
    ),  # the nearest to a limit, by its absolute distance
    distance("gradient of 2_dense/bias", relative=0.4, absolute=0.4),
    distance("loss", relative=0.1, absolute=0.1),
]


def test_the_larger_share_of_a_limit_decides() -> None:
    assert [d.share for d in DISTANCES] == [0.5, 0.9, 0.4, 0.1]
    assert worst_by_group(DISTANCES) == {"gradients": DISTANCES[1], "loss": DISTANCES[3]}


def test_a_distance_beyond_its_limit_is_the_worst() -> None:
    failed = distance("gradient of 4_dense/bias", relative=0.2, absolute=1.1)
    assert not failed.passed
    assert worst_by_group([*DISTANCES, failed])["gradients"] is failed


def test_one_step_is_no_steps() -> None:
    names = [f"0_dense/kernel after {count} steps" for count in (1, 10, 100)]
    assert list(map(quantity_group, names)) == ["after 1 step", "after 10 steps", "after 100 steps"]


def test_layer_outputs_are_one_group_before_and_one_after_training() -> None:
    names = ["output of layer a", "output of layers a, b, c", "output of layer a at step 55"]
    assert list(map(quantity_group, names)) == ["layer outputs", "layer outputs", "layer outputs at step 55"]


def test_a_limit_of_zero_is_no_error() -> None:
    equal, other = (distance("loss", 0.0, absolute, absolute_limit=0.0) for absolute in (0.0, 1e-9))
    assert (equal.share, other.share) == (0.0, 1.0)


def test_terminal_and_page_name_the_same_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compare.report.html.DISTANCES", len(DISTANCES) - 1)
    results = make_results(runs=[], certificates=[make_certificate("keras", distances=DISTANCES)])
    page = render_html(results, None)
    assert "gradient of 2_dense/kernel" in page
    assert "gradient of 0_dense/kernel" not in page
    file = io.StringIO()
    print_certificates(results, Console(file=file, width=120))
    assert "3.0e-01  90%" in file.getvalue()
