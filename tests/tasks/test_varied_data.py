"""Variations of a task with data of the user's own: the data stay the ones of its file, and are read once."""

from pathlib import Path
from typing import cast

import pytest

from compare.api import check_data
from compare.run.options import make_options
from tasks import file_source, load_task, registry
from tasks.csv_file import CSV
from tasks.registry import know, own_documents, task_name
from tasks.toml_task import TaskFileError
from tasks.variation import sweep
from tests.tasks.data_files import table

TREES = """
loss = "cross_entropy"
batch_size = 8
epochs = 3
initial_weights = "keras"
layers = [{type = "Dense", units = 3}]
optimizer = {type = "Adam"}

[data]
source = "csv"
label = "kind"
ignore = ["id", "note"]
classes = ["Ash", "Elm", "Oak"]
"""


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    """A task whose data are in the folder above it; a file of the same name lies beside it."""
    table(tmp_path)
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "trees.csv").write_text("id,length,note,kind\n" + "".join(f"{n},{n},x,{'ab'[n % 2]}\n" for n in range(9)))
    path = folder / "trees.toml"
    path.write_text(TREES + 'file = "../trees.csv"\n')
    return path


def source_of(name: str) -> CSV:
    return cast(CSV, load_task(name).source)


def test_a_change_of_the_data_leaves_their_place_and_the_users_own_keys(trees: Path) -> None:
    plain = source_of(task_name(str(trees)))
    varied = source_of(task_name(f"{trees} data.test_share=0.5"))
    assert (varied.file, varied.sha256, varied.classes) == ("trees.csv", plain.sha256, ("Ash", "Elm", "Oak"))
    assert len(varied.load(None).test_labels) == 15
    assert source_of(task_name("trees data.standardize=false")).sha256 == plain.sha256  # by the task's name too
    assert source_of(task_name(f"{trees} epochs=2")) == plain


def test_data_at_an_absolute_place_are_found_again(trees: Path, tmp_path: Path) -> None:
    trees.write_text(TREES + f'file = "{tmp_path / "trees.csv"}"\n')
    assert source_of(task_name(f"{trees} data.split_seed=3")).sha256 == source_of(task_name(str(trees))).sha256
    assert str(tmp_path) not in repr(own_documents())


def test_other_columns_have_other_classes_and_another_file_another_hash(trees: Path) -> None:
    trees.write_text(TREES.replace("classes", "# classes") + 'file = "../trees.csv"\n')
    of_file = task_name(str(trees))
    assert source_of(of_file).classes == ("ash", "elm", "oak")
    trees.write_text(trees.read_text() + f'sha256 = "{source_of(of_file).sha256}"\n')
    varied = source_of(task_name(f"{trees} data.file=trees.csv layers.0.units=2"))
    assert (varied.classes, varied.shape) == (("a", "b"), (1,))
    with pytest.raises(TaskFileError, match="gives the shape \\[3\\], but cross_entropy needs 30 outputs"):
        task_name(f'{trees} data.label="length" data.ignore=["id","kind","note"]')


def test_a_task_that_is_known_from_results_alone_keeps_its_data(trees: Path) -> None:
    task_name(str(trees))
    documents = dict(own_documents())
    for known in (registry._TASKS, registry._DOCUMENTS, registry._GIVEN):
        known.clear()
    know(documents)
    with pytest.raises(TaskFileError, match=r"to change the data of trees, name its file, trees\.toml, in place"):
        task_name("trees data.test_share=0.5")
    assert load_task(task_name("trees epochs=2")).recipe.epochs == 2


def test_a_task_that_is_an_object_is_varied_in_its_data(
    trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    task_name(str(trees))
    task = load_task("trees")
    make_options({"tasks": [task]})
    assert source_of(task_name("trees data.test_share=0.5")).classes == ("Ash", "Elm", "Oak")


def test_a_folder_of_the_users_is_refused_in_a_whole_table_too(trees: Path) -> None:
    with pytest.raises(TaskFileError, match="results keep this name, and so a folder of yours"):
        task_name(f'{trees} data={{source="csv",file="../trees.csv",label="kind"}}')


def test_a_sweep_reads_its_data_once(trees: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, hashed = list[Path](), list[Path]()
    table_of, digest_of = CSV._table, file_source.hashlib.file_digest
    monkeypatch.setattr(CSV, "_table", lambda source, path: (read.append(path), table_of(source, path))[1])
    monkeypatch.setattr("hashlib.file_digest", lambda *args: (hashed.append(trees), digest_of(*args))[1])
    options = make_options({"tasks": sweep(str(trees), {"batch_size": [2, 4, 8], "epochs": [1, 2]})})
    check_data(options)
    assert len(options.tasks) == 6
    assert (len(read), len(hashed)) == (1, 1)
