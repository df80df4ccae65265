"""Resuming: what is asked for and missing is run, what is complete is kept, and what differs is named."""

from pathlib import Path

import numpy as np
import pytest

from compare.certify import reference
from compare.executors.local import LocalExecutor
from compare.records.cell import Cell
from compare.records.results import Results
from compare.run.options import make_options
from compare.run.plan import list_cells
from compare.run.reading import read_results
from compare.run.references import References
from compare.run.resume import DifferentRunError
from compare.run.runner import Runner
from compare.run.store import Store
from tests.run.recorder import Recorder
from tests.worker.fakes import fake_executor, make_cell, make_cells


def run(folder: Path, cells: list[Cell], **options: object) -> tuple[Results, Recorder]:
    """A real run of the AND gate on NumPy."""
    recorder = Recorder(folder)
    chosen = make_options({"threads": 1, **options})
    return Runner(chosen, Store(folder), LocalExecutor(1), recorder).run(cells), recorder


def test_a_certificate_and_parameters_are_made_when_they_are_asked_for_later(tmp_path: Path) -> None:
    cells = [make_cell(seed=0), make_cell(seed=1)]
    first, _ = run(tmp_path, cells, certify=False)
    assert first.certificates == []
    second, recorder = run(tmp_path, cells)
    assert recorder.begun == cells  # one certificate for both, and a check of each
    assert [certificate.granted for certificate in second.certificates] == [True]
    assert [run.check is None for run in first.runs] == [True, True]
    assert all(map(second.verified, second.runs))
    third, recorder = run(tmp_path, cells, save_models=True)
    assert recorder.begun == cells
    assert len(list((tmp_path / "models").iterdir())) == 2
    assert third.certificates == second.certificates
    assert run(tmp_path, cells, save_models=True)[1].begun == []


def test_an_earlier_result_is_kept_where_its_repetition_fails(tmp_path: Path) -> None:
    cells = [make_cell()]
    first, _ = run(tmp_path, cells, certify=False)
    again, recorder = run(tmp_path, cells, save_models=True, certify=False, timeout=0.001)
    assert recorder.begun == cells
    assert again.runs == first.runs
    assert any("the earlier result" in note for note in recorder.notes)


def test_everything_that_differs_is_named(tmp_path: Path) -> None:
    cells = [make_cell()]
    results, _ = run(tmp_path, cells, certify=False)
    other = results.runs[0].model_copy(update={"versions": {"numpy": "1.0"}})
    store = Store(tmp_path)
    store.begin(
        results.model_copy(
            update={
                "host": {**results.host, "cpu": "another"},
                "settings": {**results.settings, "threads": 7},
                "definitions": {"and-gate standard": "0" * 64},
            }
        ),
        [],
    )
    store.write_run(other)
    before = read_results(tmp_path)
    with pytest.raises(DifferentRunError) as caught:
        run(tmp_path, [*cells, make_cell(seed=1)], certify=False)
    for words in (
        "cpu another",
        "threads 7",
        "another definition of and-gate standard",
        "numpy 1.0, this one has numpy ",
    ):
        assert words in str(caught.value)
    assert np.__version__ in str(caught.value)
    assert read_results(tmp_path) == before


def test_a_damaged_reference_is_computed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Kept:
        path = tmp_path / "cache"

    monkeypatch.setattr(reference, "cache", Kept)
    first, _ = run(tmp_path / "first", [make_cell()])
    (summary,) = (tmp_path / "cache" / "reference").glob("*.json")
    (arrays,) = (tmp_path / "cache" / "reference").glob("*.safetensors")
    for number, file in enumerate((summary, arrays)):
        whole = file.read_bytes()
        content = bytearray(whole)
        at = content.index(b'"noise"') + 40 if file == summary else len(content) - 3
        content[at] = ord("7") if content[at] != ord("7") else ord("8")
        assert reference.load_kept(file.stem) is not None
        for damaged in (b"", whole[: len(whole) // 2], bytes(content)):
            file.write_bytes(damaged)
            assert reference.load_kept(file.stem) is None
        again, recorder = run(tmp_path / f"again{number}", [make_cell()])
        assert again.certificates == first.certificates
        assert any("computing the reference" in note for note in recorder.notes)
        assert file.read_bytes() == whole


def test_a_reference_that_diverges_costs_no_cell(tmp_path: Path) -> None:
    results, _ = run(tmp_path, [*make_cells("iris-mlp", "numpy", epochs=1, learning_rate=1e30), make_cell()])
    assert results.runs[0].status == "diverged"
    assert "step" in results.runs[0].message
    assert results.runs[1].status == "ok"
    assert not results.verified(results.runs[0])


def test_an_interrupt_while_a_reference_is_computed_keeps_the_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(references: References, cell: Cell) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(References, "of", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, [make_cell(), make_cell(seed=1)])
    monkeypatch.undo()
    (kept,) = read_results(tmp_path).runs
    assert (kept.status, kept.message) == ("ok", "measured, but not certified: interrupted")
    assert kept.examples_per_second is not None
    results, recorder = run(tmp_path, [make_cell(), make_cell(seed=1)])
    assert [cell.seed for cell in recorder.begun] == [0, 1]
    assert results.verified(results.runs[0])


def test_another_data_file_is_said_in_words(tmp_path: Path) -> None:
    run(tmp_path, [])
    files = {name: tmp_path / f"{name}.npz" for name in ("first", "second")}
    for name, file in files.items():
        file.write_text(name)
    with pytest.raises(DifferentRunError, match=r"had MNIST's own data, this one has a data file: make it the same"):
        run(tmp_path, [], data=files["first"])
    run(tmp_path / "run", [], data=files["first"])
    with pytest.raises(DifferentRunError, match=r"had another data file: make it the same, or begin a new run"):
        run(tmp_path / "run", [], data=files["second"])


@pytest.mark.parametrize(
    ("field", "before", "after"),
    [
        ("batch_size", None, 2),
        ("learning_rate", 2, 4),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (("batch_size", 2, None), ("batch_size", 2, 4), ("learning_rate", None, 2))
        ),
    ],
)
def test_a_certificate_never_speaks_for_another_batch_size_or_learning_rate(
    field: str, before: int | None, after: int | None, tmp_path: Path
) -> None:
    results, _ = run(tmp_path, [make_cell(**{field: before})])
    assert results.verified(results.runs[0])
    what = field.replace("_", " ")
    with pytest.raises(DifferentRunError, match=rf"{what}.* for and-gate, this one has .*{what}"):
        run(tmp_path, [make_cell(**{field: after})])
    assert read_results(tmp_path) == results


@pytest.mark.parametrize("length", [{"epochs": 2}, {"examples": 640}])
def test_a_certificate_never_speaks_for_a_schedule_of_another_length(length: dict[str, int], tmp_path: Path) -> None:
    """Its learning rates are others. A constant rate is the same in a run of any length, which may be mixed."""

    def asked(*tasks: str, **given: object) -> Results:
        options = make_options({"tasks": tasks, "backends": "numpy", "epochs": 3, "threads": 1, **given})
        executor = fake_executor('tell("reply", run=run(status="ok"))')
        return Runner(options, Store(tmp_path), executor, Recorder(tmp_path)).run(list_cells(options))

    asked("mnist-resnet", "iris-mlp", certify=False)
    before = read_results(tmp_path)
    for cell in (run.cell for run in before.runs):  # nor does a reference that was kept
        keys = {reference.reference_key(c, None) for c in (cell, cell.model_copy(update=length))}
        assert len(keys) == (2 if cell.task == "mnist-resnet" else 1)
    with pytest.raises(DifferentRunError, match="had a schedule over 3 epochs of 3000 examples for mnist-resnet"):
        asked("mnist-resnet", **length)
    assert read_results(tmp_path) == before
    assert len(asked("iris-mlp", certify=False, **length).runs) == len(before.runs) + 1


def test_a_resume_for_a_part_of_the_cells_forgets_nothing_that_was_asked_for_before(tmp_path: Path) -> None:
    def asked(**given: object) -> tuple[Results, Recorder]:
        options = make_options({"threads": 1, "certify": False, **given})
        recorder = Recorder(tmp_path)
        executor = fake_executor('tell("reply", run=run(status="ok"))')
        return Runner(options, Store(tmp_path), executor, recorder).run(list_cells(options)), recorder

    asked(tasks=["and-gate"], backends=["numpy"], epochs=20)
    asked(resume=tmp_path, seeds=3)
    (tmp_path / "cells" / f"{make_cell(seed=2, epochs=20).file_name}.json").unlink()
    results, recorder = asked(resume=tmp_path, seeds=1, rounds=2)
    assert recorder.begun == [make_cell(seed=0, epochs=20, round=1)]
    (note,) = [note for note in recorder.notes if "left out" in note]
    assert note.startswith("left out this time: and-gate numpy tuned cpu; to run these too, resume")
    assert (results.options["seeds"], results.options["rounds"]) == (3, 2)
    results, recorder = asked(resume=tmp_path)
    assert {(cell.seed, cell.round) for cell in recorder.begun} == {(1, 1), (2, 0), (2, 1)}
    assert len(results.runs) == 6
