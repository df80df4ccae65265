"""``results.json``: its schema, and that it is there whole or not at all."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

import compare.results
from compare.records.certificate import Certificate, Distance, Pair
from compare.records.results import SCHEMA_VERSION, Results
from compare.records.run import Run
from compare.report.tables import json_schema
from compare.run.store import FILE_NAME, ResultsError, now, read_results, write_results
from tasks.files import write_whole

HASH = "0123456789abcdef" * 4


def make_run(**replaced: Any) -> Run:
    values = {"task": "and-gate", "recipe": "standard", "backend": "numpy", "mode": "tuned", "device": "cpu"}
    return Run(**{**values, "seed": 0, "epochs": 2, "status": "ok", **replaced})


def make_certificate(**replaced: Any) -> Certificate:
    values = {"task": "and-gate", "recipe": "standard", "backend": "numpy", "mode": "tuned", "device": "cpu"}
    distance = Distance(
        quantity="gradient of 0_dense/kernel",
        absolute=1.5e-9,
        relative=1e-8,
        reference_absolute=1e-9,
        reference_relative=0.1 + 0.2,
        limit=1e-6,
        absolute_limit=1e-6,
        passed=True,
    )
    facts = {"parameters_sha256": HASH, "batches_sha256": HASH, "data_sha256": HASH, "parameter_counts": {"0_dense": 3}}
    return Certificate(**{**values, **facts, "seed": 0, "granted": True, "distances": [distance], **replaced})


def make_results() -> Results:
    run = make_run(
        round=2,
        examples=10,
        batch_size=4,
        versions={"numpy": "2.0"},
        settings={"threads": 2, "compiled": True, "layout": "NHWC", "ratio": 0.1},
        parameter_count=3,
        parameter_counts={"0_dense": 3},
        parameters_sha256=HASH,
        losses=[0.1 + 0.2, 1e-300],
        accuracies=[0.5, 1.0],
        accuracy_epochs=[1, 2],
        accuracy=1.0,
        epoch_seconds=[1 / 3],
        peak_memory_bytes=2**40,
        matrix_operations_per_second=1.25e11,
    )
    late = make_run(seed=1, status="timeout", message="ended after 3 seconds; β\n<b>second line</b>")
    pair = Pair(task="and-gate", recipe="standard", first="jax", second="numpy", quantity="logits", relative=1e-8)
    return Results(
        created=now(),
        command="sidebyside run and-gate",
        host={"cpu": "a cpu", "cores": 2},
        settings={"preset": "quick", "certified": True},
        runs=[run, late],
        certificates=[make_certificate()],
        pairs=[pair],
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    results = make_results()
    path = write_results(tmp_path / "new" / "folder", results)
    assert path == tmp_path / "new" / "folder" / FILE_NAME
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


def altered(change: Callable[[dict[str, Any]], object]) -> bytes:
    values = json.loads(make_results().model_dump_json())
    change(values)
    return json.dumps(values).encode()


WHOLE = make_results().model_dump_json().encode()
BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not a results file"),
    "half": (WHOLE[: len(WHOLE) // 2], "not a results file"),
    "without its end": (WHOLE[:-1], "not a results file"),
    "two files": (WHOLE + WHOLE, "not a results file"),
    "text": (b"hello\nworld\n", "not a results file"),
    "bytes": (b"\xff\xfe\x00\x80" * 9, "not a results file"),
    "invalid UTF-8 inside": (WHOLE.replace(b"a cpu", b"a \xff\xfe"), "not a results file"),
    "a list": (b"[]", "not a results file"),
    "null": (b"null", "not a results file"),
    "a number": (b"1", "not a results file"),
    "deeply nested": (b"[" * 200_000, "not a results file"),
    "a number of many digits": (b'{"schema_version": ' + b"9" * 5000 + b"}", "not a results file"),
    "no schema version at all": (b'{"runs": []}', "not a results file (created"),
    "an older schema": (altered(lambda v: v.update(schema_version=0)), "not a results file (schema_version"),
    "a schema in words": (altered(lambda v: v.update(schema_version="new")), "not a results file (schema_version"),
    "a newer schema": (
        altered(lambda v: v.update(schema_version=SCHEMA_VERSION + 1)),
        f"written by a newer sidebyside (schema {SCHEMA_VERSION + 1}); update to read it",
    ),
    "a newer schema with fields of its own": (
        altered(lambda v: v.update(schema_version=12, weather="fine")),
        "written by a newer sidebyside (schema 12); update to read it",
    ),
    "an extra field": (altered(lambda v: v.update(weather="fine")), "not a results file (weather: "),
    "an extra field in a run": (altered(lambda v: v["runs"][1].update(speed=1)), "not a results file (runs.1.speed: "),
    "an extra field in a distance": (
        altered(lambda v: v["certificates"][0]["distances"][0].update(sigma=1)),
        "not a results file (certificates.0.distances.0.sigma: ",
    ),
    "an extra field of two lines": (altered(lambda v: v.update({"wea\nther": 1})), "not a results file"),
    "a missing field": (altered(lambda v: v["runs"][0].pop("task")), "not a results file (runs.0.task: "),
    "an unknown status": (altered(lambda v: v["runs"][0].update(status="fine")), "not a results file (runs.0.status: "),
    "runs that are no list": (altered(lambda v: v.update(runs={})), "not a results file (runs: "),
    "a loss in words": (
        altered(lambda v: v["runs"][0].update(losses=["low"])),
        "not a results file (runs.0.losses.0: ",
    ),
    "not a number": (WHOLE.replace(b"1e-300", b"NaN"), "not a results file"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_damaged_file_gets_one_line(kind: str, tmp_path: Path) -> None:
    content, message = BAD[kind]
    assert content != WHOLE
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    with pytest.raises(ResultsError) as caught:
        read_results(tmp_path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert message in text
    assert len(text.splitlines()) == 1
    assert len(text) < 1000
    assert path.read_bytes() == content


def test_the_good_content_of_these_tests_is_good(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(WHOLE)
    assert len(read_results(tmp_path).runs) == 2


@pytest.mark.parametrize("where", ["", "nothing", "nothing/results.json"])
def test_a_missing_file_gets_one_line(where: str, tmp_path: Path) -> None:
    with pytest.raises(
        ResultsError, match=r": cannot be read \(No such file or directory\); name the folder of a run$"
    ):
        read_results(tmp_path / where)


# Versions, and the published schema


def test_a_file_of_an_older_version_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(values: dict[str, Any]) -> dict[str, Any]:
        return {"created" if name == "date" else name: value for name, value in values.items()}

    oldest = json.loads(WHOLE) | {"schema_version": -1}
    oldest["date"] = oldest.pop("created")
    (tmp_path / FILE_NAME).write_text(json.dumps(oldest))
    monkeypatch.setattr("compare.run.store.UPGRADES", {-1: dict, 0: rename})
    assert read_results(tmp_path) == Results.model_validate_json(WHOLE)
    monkeypatch.setattr("compare.run.store.UPGRADES", {-1: dict})  # a gap: no way leads to this version
    with pytest.raises(ResultsError, match="not a results file"):
        read_results(tmp_path)


def test_the_published_schema_is_that_of_the_code() -> None:
    published = (Path(compare.results.__file__).parent / "schema" / f"results-{SCHEMA_VERSION}.json").read_text()
    assert json.loads(published) == json.loads(json_schema()), "CONTRIBUTING says how to write it anew"


def test_the_schema_accepts_and_refuses_what_the_reader_does() -> None:
    schema = json.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(json.loads(WHOLE))
    for kind in ("an extra field", "a missing field", "an unknown status", "a loss in words", "a newer schema"):
        assert not validator.is_valid(json.loads(BAD[kind][0])), kind
    assert "mean over each epoch" in schema["$defs"]["Run"]["properties"]["losses"]["description"]


# Certificates and runs


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
    results.certificates = [make_certificate(granted=False, failure="logits")]
    assert results.certificate_of(results.runs[0]) is not None
    assert not results.verified(results.runs[0])


# Writing


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_write_whole_writes_and_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    write_whole(path, b"old and longer")
    assert files(tmp_path) == {"notes.json": b"old and longer"}
    write_whole(path, b"new")
    assert files(tmp_path) == {"notes.json": b"new"}


def fail(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("failure", "error"), [(fail, OSError), (interrupt, KeyboardInterrupt)])
def test_write_whole_keeps_the_old_content_when_it_fails(
    failure: Callable[..., None], error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notes.json"
    write_whole(path, b"old")
    monkeypatch.setattr(os, "fsync", failure)
    with pytest.raises(error):
        write_whole(path, b"new")
    assert files(tmp_path) == {"notes.json": b"old"}
    with pytest.raises(error):
        write_whole(tmp_path / "other.json", b"new")
    assert files(tmp_path) == {"notes.json": b"old"}


def test_write_whole_in_place_of_a_folder_fails_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "notes.json").mkdir()
    with pytest.raises(OSError):  # noqa: PT011 - its kind and text differ by system
        write_whole(tmp_path / "notes.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.json"]
    assert (tmp_path / "notes.json").is_dir()


def test_write_whole_syncs_before_it_replaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "notes.json", []
    path.write_bytes(b"old")

    def look(descriptor: int) -> None:
        seen.append((path.read_bytes(), os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fsync", look)
    write_whole(path, b"new content")
    assert (b"old", len(b"new content")) in seen


def test_readers_see_a_whole_file_at_any_time(tmp_path: Path) -> None:
    path, stop = tmp_path / FILE_NAME, threading.Event()
    contents = {bytes([letter]) * 200_000 for letter in b"abc"}
    write_whole(path, b"a" * 200_000)

    def write() -> None:
        while not stop.is_set():
            for content in contents:
                write_whole(path, content)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {path.read_bytes() for _ in range(300)}
    finally:
        stop.set()
        writer.join()
    assert seen <= contents


def test_a_failed_write_of_results_keeps_the_earlier_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = make_results()
    write_results(tmp_path, results)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_results(tmp_path, Results(created=now(), host={}))
    assert read_results(tmp_path) == results
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_the_time_is_written_with_its_zone() -> None:
    assert now().endswith("+00:00")
