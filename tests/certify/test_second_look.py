"""Before a refusal by what rounding may have made, the reference is computed with more roundings."""

from pathlib import Path

import pytest

from backends.numpy.noise import ROUNDINGS
from compare.certify import reference
from compare.records.certificate import FAR, Certificate, Distance
from tests.run.test_resume import run
from tests.worker.fakes import make_cell

SHA256 = "0" * 64


def refused(quantity: str, *shares: float) -> Certificate:
    """A certificate that is refused by a quantity, with loss and logits so many times as far off as is allowed."""
    figures = {"absolute": 0.0, "reference_absolute": 0.0, "reference_relative": 0.0, "absolute_limit": 1.0}
    distances = [
        Distance(quantity=name, relative=share, limit=1.0, passed=share <= 1, **figures)
        for name, share in zip(("loss", "logits"), shares, strict=True)
    ]
    hashes = {"parameters_sha256": SHA256, "batches_sha256": SHA256, "data_sha256": SHA256, "parameter_counts": {}}
    failed = {"granted": not quantity, "failure": quantity, "distances": distances}
    return Certificate.model_validate({**make_cell().subject.model_dump(), "seed": 0, **hashes, **failed})


@pytest.mark.parametrize(
    ("quantity", "shares", "expected"),
    [
        ("loss", (2.0, 3.0), True),
        ("logits", (0.5, FAR - 1), True),
        ("loss", (2.0, 100.0), True),  # what came later grew from it
        ("loss", (FAR, 2.0), False),
        ("logits", (0.5, 1e30), False),
        ("data", (2.0, 2.0), False),  # no figure: other data
        ("logits: missing", (0.5, 0.5), False),
        ("", (0.5, 0.5), False),
    ],
)
def test_what_may_be_rounding(quantity: str, shares: tuple[float, float], expected: bool) -> None:
    assert refused(quantity, *shares).may_be_rounding == expected


def test_more_copies_are_computed_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Kept:
        path = tmp_path / "cache"

    monkeypatch.setattr(reference, "cache", Kept)
    first, recorder = run(tmp_path / "first", [make_cell()])
    (key,) = (file.stem for file in (tmp_path / "cache" / "reference").glob("*.json"))
    before = reference.load_kept(key)
    assert before is not None
    assert not before.again
    assert not any("once more" in note for note in recorder.notes)
    monkeypatch.setattr(Certificate, "may_be_rounding", True)
    second, recorder = run(tmp_path / "second", [make_cell()])
    assert sum("how far rounding can lead in and-gate once more" in note for note in recorder.notes) == 1
    after = reference.load_kept(key)
    assert after is not None
    assert after.again
    assert all(after.noise[name][1] >= noise[1] for name, noise in before.noise.items())
    assert any(after.noise[name][1] > noise[1] for name, noise in before.noise.items())
    limits = {distance.quantity: distance.limit for distance in first.certificates[0].distances}
    assert any(distance.limit > limits[distance.quantity] for distance in second.certificates[0].distances)
    third, recorder = run(tmp_path / "third", [make_cell()])
    assert third.certificates[0].distances == second.certificates[0].distances
    assert not any("once more" in note or "computing the reference" in note for note in recorder.notes)


def test_the_copies_are_other_ones(tmp_path: Path) -> None:
    cell = make_cell()
    first = [copy for request in reference.requests_for(cell, tmp_path, None) for copy in request.copies]
    more = [copy for request in reference.second_requests_for(cell, tmp_path, None) for copy in request.copies]
    assert len(more) == reference.AGAIN
    assert len({copy.path for copy in first + more}) == len(first) + len(more)
    assert not {copy.nudge_seed for copy in first} & {copy.nudge_seed for copy in more}
    times = {copy.rounding / ROUNDINGS[1] for copy in more}
    assert times == {0.0, *(sign * size for sign in (1.0, -1.0) for size in (2, 3, 4, 5))}
