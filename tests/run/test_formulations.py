"""Which formulation a cell is run in: the one that was asked for, else the fastest of a race, which is run once."""

from pathlib import Path
from typing import Any

import pytest

from compare.executors.local import LocalExecutor
from compare.records.request import CellRequest
from compare.records.run import Run
from compare.run import formulations
from compare.run.formulations import Formulations
from compare.run.options import make_options
from tasks.errors import UnknownNameError
from tests.worker.fakes import make_cell

FIGURES = {"cpp-wrapper": 900.0, "pattern-matcher": 1000.0}


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Kept:
        path = tmp_path

    monkeypatch.setattr(formulations, "cache", Kept)


def request(**cell: Any) -> CellRequest:
    return CellRequest(cell=make_cell(**{"task": "mnist-mlp", "backend": "pytorch", **cell}))


def made(**options: Any) -> Formulations:
    made_of = make_options(options)
    return Formulations(made_of, LocalExecutor(made_of.worker_threads))


def noted(of: Formulations, asked: CellRequest, race: dict[str, float]) -> Run:
    return of.noted(Run(**asked.cell.model_dump(), status="ok", race=race), asked)


def test_the_first_run_races_and_later_ones_know_the_outcome() -> None:
    first = made().asked(request())
    assert (first.race, first.formulation) == (True, None)
    assert noted(made(), first, FIGURES).race == FIGURES
    later = made().asked(request(seed=1, round=2))
    assert (later.race, later.formulation) == (False, "pattern-matcher")
    assert noted(made(), later, {}).race == FIGURES


@pytest.mark.parametrize(
    "other",
    [{"backend": "jax"}, {"task": "mnist-cnn"}, {"batch_size": 128}, {"device": "gpu:0"}, {"recipe": "as-written"}],
)
def test_what_a_race_found_is_for_the_same_work_alone(other: dict[str, Any]) -> None:
    noted(made(), made().asked(request()), FIGURES)
    assert made().asked(request(**other)).race
    assert not made().asked(request()).race


def test_other_threads_or_versions_race_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    noted(made(threads=2), made(threads=2).asked(request()), FIGURES)
    assert not made(threads=2).asked(request()).race
    assert made(threads=3).asked(request()).race
    monkeypatch.setattr("backends.about.version", lambda name: "99")
    assert made(threads=2).asked(request()).race


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"cpp-wrapper": "fast"}', b'{"cpp-wrapper": -1}'])
def test_a_damaged_file_is_raced_for_again(content: bytes, tmp_path: Path) -> None:
    noted(made(), made().asked(request()), FIGURES)
    (file,) = (tmp_path / "formulations").iterdir()
    file.write_bytes(content)
    assert made().asked(request()).race


def test_a_formulation_that_is_asked_for_is_that_of_the_backends_that_have_it() -> None:
    noted(made(), made().asked(request()), FIGURES)
    forced = made(formulation="python-wrapper")
    asked = forced.asked(request())
    assert (asked.race, asked.formulation) == (False, "python-wrapper")
    assert noted(forced, asked, {}).race == {}
    for backend in ("keras", "jax", "numpy"):
        asked = forced.asked(request(backend=backend))
        assert (asked.race, asked.formulation) == (False, None)
    with pytest.raises(UnknownNameError, match="unknown formulation"):
        made(formulation="banana")


def test_nothing_races_without_a_probe_nor_in_a_stock_loop_nor_where_nothing_is_trained() -> None:
    assert made(probe=False).asked(request()) == request()
    assert made().asked(request(mode="stock")) == request(mode="stock")
    assert made().asked(request(backend="numpy")) == request(backend="numpy")
    only_certified = request().model_copy(update={"train": False})
    assert made().asked(only_certified) == only_certified
