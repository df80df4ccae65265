"""The Python API: one call trains and compares, and what it gives shows itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import nbformat
import pytest
from nbformat import NotebookNode

import compare
from compare.report.exports import json_schema
from compare.run.reading import read_results
from tasks.errors import SideBySideError
from tests.sources import ROOT

EXAMPLE = ROOT / "compare" / "example.ipynb"


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> compare.Comparison:
    folder = tmp_path_factory.mktemp("api") / "run"
    return compare.compare("and-gate", ("numpy",), seeds=2, epochs=20, threads=1, output=folder)


def test_the_run_is_written_as_the_command_line_writes_it(comparison: compare.Comparison) -> None:
    names = [".lock", "arrays", "cells", "certificates", "evidence", "report.html", "results.json", "run.json"]
    assert sorted(path.name for path in comparison.folder.iterdir()) == names
    stored = read_results(comparison.folder)
    assert stored == comparison.results
    assert [(run.status, run.seed, run.epochs) for run in stored.runs] == [("ok", 0, 20), ("ok", 1, 20)]
    assert all(stored.verified(run) for run in stored.runs)
    assert stored.command == "compare(tasks='and-gate', backends='numpy', seeds=2, epochs=20, threads=1)"
    assert stored.settings["threads"] == 1


def test_a_real_file_fits_the_schema(comparison: compare.Comparison) -> None:
    content = json.loads((comparison.folder / "results.json").read_text())
    assert len(content["certificates"]) == 1
    jsonschema.Draft202012Validator(json.loads(json_schema())).validate(content)


def test_it_shows_itself_as_text_and_as_html(comparison: compare.Comparison) -> None:
    text = repr(comparison)
    assert "and-gate, tuned, cpu" in text
    assert "granted" in text
    assert text.endswith(f"written: {comparison.folder}")
    assert "\x1b" not in text
    assert comparison._repr_html_().startswith('<div class="sidebyside"')


def test_a_data_frame_has_a_row_a_cell(comparison: compare.Comparison) -> None:
    frame = comparison.to_pandas()
    assert list(frame["seed"]) == [0, 1]
    assert list(frame["verified"]) == [True, True]
    assert list(frame["accuracy"]) == [run.accuracy for run in comparison.results.runs]
    assert {"task", "status", "examples_per_second", "peak_memory_bytes"} <= set(frame.columns)
    assert not {"losses", "versions", "settings", "epoch_seconds"} & set(frame.columns)


def test_without_pandas_one_line_says_so(comparison: compare.Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SideBySideError, match=r"^a data frame needs the package pandas: pip install pandas$"):
        comparison.to_pandas()


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.html", "<!DOCTYPE html>"), ("a.md", "# Side"), ("a.csv", "task,"), ("a.json", "{"), ("a.tex", "% needs")],
)
def test_the_ending_says_in_which_form(comparison: compare.Comparison, name: str, start: str, tmp_path: Path) -> None:
    assert comparison.report(tmp_path / name) == tmp_path / name
    assert (tmp_path / name).read_text().startswith(start)


@pytest.mark.parametrize("name", ["a", "a.pdf", "none/a.html"])
def test_a_report_that_cannot_be_written_gets_one_line(
    comparison: compare.Comparison, name: str, tmp_path: Path
) -> None:
    with pytest.raises(SideBySideError, match=r"name (a file that ends in \.html, |another)") as caught:
        comparison.report(tmp_path / name)
    assert len(str(caught.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tasks": "iris"}, r"unknown task 'iris': did you mean iris-mlp\? choose from and-gate, iris-mlp"),
        ({"tasks": []}, r"tasks is \[\]: give a name, or several in a list"),
        ({"tasks": 5}, "tasks is 5: give a name"),
        ({"tasks": [["iris-mlp"]]}, "give a name, or several"),
        ({"backends": ["torch"]}, r"unknown backend 'torch': did you mean pytorch\? choose from numpy, pytorch"),
        ({"modes": ["fast"]}, "unknown mode 'fast': choose from tuned, stock"),
        ({"devices": "tpu"}, "unknown device 'tpu'"),
        ({"preset": "slow"}, "unknown preset 'slow': choose from quick, full"),
        ({"recipe": "mine"}, "unknown recipe 'mine': choose from standard, as-written"),
        ({"seeds": 0}, "seeds is 0: give a whole number from 1"),
        ({"rounds": None}, "rounds is None: give a whole number from 1"),
        ({"rounds": 1.5}, "rounds is 1.5: give a whole number from 1"),
        ({"epochs": "ten"}, "epochs is 'ten': give a whole number from 1"),
        ({"threads": -1}, "threads is -1: give a whole number from 1"),
        ({"timeout": 0}, "timeout is 0: give seconds above 0"),
        ({"timeout": float("nan")}, "timeout is nan: give seconds above 0"),
        ({"timeout": "soon"}, "timeout is 'soon': give seconds above 0"),
        ({"output": "a", "resume": "b"}, "give output or resume, not both"),
        ({"resume": "nowhere"}, "nowhere: there is no such folder to resume"),
        ({"output": 3}, "output is 3: give the name of a folder, as a string or a path"),
        ({"resume": ["a"]}, r"resume is \['a'\]: give the name of a run's folder"),
        ({"data": b"a.npz"}, r"data is b'a.npz': give the name of an \.npz file"),
        ({"data": "digits.npz"}, "a data file is for the mnist tasks alone"),
    ],
)
def test_bad_input_gets_one_line_and_leaves_nothing(
    arguments: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SideBySideError, match=message) as caught:
        compare.compare(**({"tasks": "and-gate", "backends": "numpy"} | arguments))
    assert len(str(caught.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_argument_is_told_with_what_was_meant() -> None:
    with pytest.raises(TypeError, match=r"^unknown argument 'task': did you mean tasks\? choose from tasks, backends"):
        compare.compare(task="and-gate")  # type: ignore[call-arg]


def test_a_run_is_gone_on_with(comparison: compare.Comparison) -> None:
    with pytest.raises(SideBySideError) as caught:
        compare.compare("and-gate", "numpy", output=comparison.folder)
    folder = comparison.folder
    assert str(caught.value) == f"{folder} holds a run; go on with it by resume={str(folder)!r}, or name another folder"
    before = comparison.results.runs[0].total_seconds
    again = compare.compare("and-gate", "numpy", seeds=3, epochs=20, threads=1, resume=comparison.folder)
    assert [run.seed for run in again.results.runs] == [0, 1, 2]
    assert again.results.runs[0].total_seconds == before


# The example notebook


def outputs_of(notebook: NotebookNode) -> list[list[tuple[str, ...]]]:
    """For each cell the kinds of its outputs."""
    return [
        [(output.output_type, *sorted(output.get("data", {}))) for output in cell.get("outputs", [])]
        for cell in notebook.cells
    ]


def texts_of(notebook: NotebookNode) -> list[str]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [text for output in outputs for text in [*output.get("data", {}).values(), output.get("text", "")]]


def test_the_example_notebook_runs_and_its_outputs_are_of_the_kind_stored(tmp_path: Path) -> None:
    stored = nbformat.read(EXAMPLE, as_version=4)
    nbformat.validate(stored)
    call = next(cell for cell in stored.cells if "rounds=3" in cell.source)
    expected = outputs_of(stored)
    # The notebook compares all frameworks, which takes minutes; here the same cells run on the reference alone.
    call.source = call.source.replace("rounds=3", 'backends="numpy", rounds=3')
    for cell in stored.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(stored, tmp_path / "example.ipynb")
    # In a process of its own: the kernel's packages warn of themselves, and warnings are errors here.
    script = (
        "import nbformat, nbclient; n = nbformat.read('example.ipynb', 4);"
        " nbclient.NotebookClient(n, timeout=300, kernel_name='python3').execute(); nbformat.write(n, 'ran.ipynb')"
    )
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths, "IPYTHONDIR": str(tmp_path / "ipython")}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True, timeout=400)
    ran = nbformat.read(tmp_path / "ran.ipynb", as_version=4)
    assert outputs_of(ran) == expected
    assert [output for kinds in expected for output in kinds if output[0] in ("error", "stream")] == []
    (folder,) = (tmp_path / "runs").iterdir()
    assert len(read_results(folder).runs) == 3
    progress = texts_of(ran)[0].splitlines()  # and before these a line on the reference, where none is kept
    assert len(progress) in (3, 4)
    assert all(line.startswith("iris-mlp numpy tuned cpu") for line in progress[-3:])


def test_the_example_notebook_is_small_and_tells_nothing_of_where_it_ran() -> None:
    assert EXAMPLE.stat().st_size < 400_000
    notebook = nbformat.read(EXAMPLE, as_version=4)
    text = "\n".join([*texts_of(notebook), json.dumps(notebook.metadata)])
    for word in ("/home/", "/root", "/tmp", "/Users/", "site-packages", str(Path.home()), str(ROOT)):
        assert word not in text
    assert "All three trained the same model: equal within float32 rounding over all" in text
    assert '<div class="sidebyside"' in text
