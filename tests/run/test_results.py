"""``results.json``: it is read back as written, what does not fit is refused, a failed write keeps the earlier file."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from compare.records.results import SCHEMA_VERSION, Results
from compare.records.run import Run
from compare.run.claim import StoreError, now
from compare.run.reading import FILE_NAME, ResultsError, read_results
from compare.run.store import Store
from tests.run.results import HASH, make_certificate, make_results, make_run


def write_results(folder: Path, results: Results) -> Path:
    """Writes the results into a folder; returns the file that is made from all others."""
    store = Store(folder)
    store.begin(results, [])
    for run in results.runs:
        store.write_run(run)
    for certificate in results.certificates:
        store.write_run(results.runs[0], certificate)
    store.finish(results.pairs)
    return folder / FILE_NAME


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    results = make_results()
    path = write_results(tmp_path / "new" / "folder", results)
    assert read_results(path.parent) == results
    assert read_results(path) == results  # the file itself may be named too
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert set(stored) >= {"schema_version", "created", "host", "runs", "certificates"}
    assert stored["schema_version"] == SCHEMA_VERSION
    assert stored["runs"][0]["losses"] == [0.1 + 0.2, 1e-300]  # not a digit is lost
    assert isinstance(stored["runs"][0]["settings"]["compiled"], bool)
    assert stored["runs"][0]["settings"]["threads"] == 2


def test_a_run_has_at_least_what_the_design_lists() -> None:
    fields = (
        "task recipe backend mode device seed status versions settings parameter_count parameters_sha256 batches_sha256"
        " losses accuracy epoch_seconds import_seconds build_seconds first_epoch_seconds examples_per_second"
        " inference_examples_per_second peak_memory_bytes message"
    )
    assert set(fields.split()) <= set(Run.model_fields)


@pytest.mark.parametrize("status", ["ok", "diverged", "timeout", "out-of-memory", "crashed", "skipped", "interrupted"])
def test_every_status_of_the_design_is_known(status: str) -> None:
    assert make_run(status=status).status == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "fine"},
        {"seed": "first"},
        {"seed": None},
        {"parameters_sha256": "1234"},
        {"parameters_sha256": HASH.upper()},
        {"speed": 1},
        {"losses": [None]},
    ],
)
def test_a_run_that_does_not_fit_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_run(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"accuracy": value} for value in (1.5, -0.1)),
        *({"examples_per_second": value} for value in (1e308, 1e-308, 0)),
        *({name: 10**400} for name in ("parameter_count", "epochs", "peak_memory_bytes", "operations_per_epoch")),
        {"accuracies": [2]},
        {"total_seconds": 1.7e308},
        {"epoch_seconds": [0]},
        {"test_examples": 0},
    ],
)
def test_numbers_of_which_no_report_can_be_made_are_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    values = make_results().model_dump(mode="json")
    values["runs"][0] |= wrong
    (tmp_path / FILE_NAME).write_text(json.dumps(values))
    with pytest.raises(ResultsError, match=r"not a results file \(runs.0."):
        read_results(tmp_path)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_lacks_are_refused(number: float) -> None:
    with pytest.raises(ValidationError):
        make_run(losses=[number])
    with pytest.raises(ValidationError):
        make_run(accuracy=number)


@pytest.mark.parametrize("field", ["task", "recipe", "backend", "mode", "device"])
def test_a_certificate_is_for_its_subject_alone(field: str) -> None:
    results = make_results()
    run = results.runs[0]
    assert results.certificate_of(run) == results.certificates[0]
    assert results.verified(run)
    assert results.verified(make_run(seed=5, round=3))
    assert not results.verified(make_run(**{field: "other"}))
    assert results.certificate_of(make_run(**{field: "other"})) is None


def test_a_refused_certificate_verifies_nothing() -> None:
    results = make_results()
    refused = make_certificate(granted=False, failure="logits")
    results = results.model_copy(update={"certificates": [refused]})
    assert results.certificate_of(results.runs[0]) is not None
    assert not results.verified(results.runs[0])


def test_a_failed_write_of_results_keeps_the_earlier_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    results = make_results()
    path = write_results(tmp_path, results)
    store, names = Store(tmp_path), sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(os, "fsync", fail)
    run = results.runs[0].model_copy(update={"seed": 7})
    with pytest.raises(StoreError, match=f"{re.escape(run.file_name)}.json: cannot be written .No space left"):
        store.write_run(run)
    assert run in store.results.runs  # for the table
    assert read_results(tmp_path) == read_results(path) == results
    assert sorted(tmp_path.rglob("*")) == names


def test_the_time_is_written_with_its_zone() -> None:
    assert now().endswith("+00:00")
