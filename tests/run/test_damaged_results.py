"""Damaged files of results, older and newer versions of them, and the published schema."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from compare.records.results import SCHEMA_VERSION, Results
from compare.report.exports import json_schema
from compare.run.reading import FILE_NAME, ResultsError, read_results
from tests.run.results import make_results
from tests.sources import ROOT


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
    monkeypatch.setattr("compare.run.reading.UPGRADES", {-1: dict, 0: rename, 1: dict})
    assert read_results(tmp_path) == Results.model_validate_json(WHOLE)
    monkeypatch.setattr("compare.run.reading.UPGRADES", {-1: dict, 1: dict})  # a gap: no way leads to this version
    with pytest.raises(ResultsError, match="not a results file"):
        read_results(tmp_path)


def test_the_published_schema_is_that_of_the_code() -> None:
    published = (ROOT / "compare" / "schema" / f"results-{SCHEMA_VERSION}.json").read_text()
    assert json.loads(published) == json.loads(json_schema()), "CONTRIBUTING says how to write it anew"


def test_the_schema_accepts_and_refuses_what_the_reader_does() -> None:
    schema = json.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(json.loads(WHOLE))
    for kind in ("an extra field", "a missing field", "an unknown status", "a loss in words", "a newer schema"):
        assert not validator.is_valid(json.loads(BAD[kind][0])), kind
    assert "mean over each epoch" in schema["$defs"]["Run"]["properties"]["losses"]["description"]
