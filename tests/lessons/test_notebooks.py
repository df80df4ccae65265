"""Lessons as notebooks: every cell was executed, and gave what the lesson gives."""

import itertools
from pathlib import Path

import nbformat
import pytest

from compare import cli
from compare.lessons.notebook import write_notebook
from compare.lessons.result import FRAMEWORKS
from tests.cli.common import Capture
from tests.conftest import is_there
from tests.lessons.common import NAMES

SAMPLED = (("neuron", "numpy"), ("save-load", "numpy"), ("data-look", "numpy"), ("neuron", "jax"))


@pytest.mark.parametrize(
    ("name", "framework"),
    [
        pair if pair in SAMPLED else pytest.param(*pair, marks=pytest.mark.slow)
        for pair in itertools.product(NAMES, FRAMEWORKS)
    ],
)
def test_a_lessons_notebook_is_executed(name: str, framework: str, tmp_path: Path) -> None:
    if not is_there(framework):
        pytest.skip(f"{framework} is not installed")
    path = tmp_path / "lesson.ipynb"
    write_notebook(name, framework, path)
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert any(output.output_type == "stream" and output.text.strip() for output in outputs)
    drawn = "altair" in code[-1].source
    assert any("image/png" in output.get("data", {}) for output in outputs) == drawn


def test_several_notebooks_stand_beside_each_other(tmp_path: Path, capsys: Capture) -> None:
    words = ["lesson", "matmul", "--notebook", str(tmp_path / "a.ipynb"), "--backend", "numpy"]
    assert cli.main([*words, "jax"] if is_there("jax") else words) == cli.OK
    names = {"a-matmul-numpy.ipynb", "a-matmul-jax.ipynb"} if is_there("jax") else {"a.ipynb"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert capsys.readouterr().err.count("written: ") == len(names)


def test_wrong_words_write_nothing(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.main(["lesson", "neuron", "--notebook", str(tmp_path / "a.html")]) == cli.INVALID_INPUT
    assert "name a file that ends in .ipynb" in capsys.readouterr().err
    assert cli.main(["lesson", "neuran", "--notebook", str(tmp_path / "a.ipynb")]) == cli.INVALID_INPUT
    assert "unknown lesson 'neuran'" in capsys.readouterr().err
    monkeypatch.setattr("compare.lessons.notebook.PACKAGES", ("no_such_package",))
    assert cli.main(["lesson", "neuron", "--backend", "numpy", "--notebook", str(tmp_path / "a.ipynb")]) == cli.FAILED
    assert 'notebooks need the package no_such_package: pip install "sidebyside[notebooks]"' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
