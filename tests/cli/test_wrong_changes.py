"""Wrong --set, --sweep and data of one's own: one line with the place and what would be right, and nothing written."""

from pathlib import Path

import pytest

from compare.cli import main

WRONG = [
    (["mnist-mlp", "--set", "layers.1.units=0"], "layers.1.units=0: layers[1].units: must be at least 1, not 0"),
    (["mnist-mlp", "--set", "layers.1.units=many"], "layers[1].units: must be a whole number, not 'many'"),
    (["mnist-mlp", "--set", "layers.1.unit=5"], "layers[1]: has no key 'unit': did you mean units?"),
    (["mnist-mlp", "--set", "layers.9.units=5"], "'layers.9.units=5': there is no layer 9; they are 0 to"),
    (["mnist-mlp", "--set", "layers.1=5"], "'layers.1=5': name a key of the layer, as layers.1.units"),
    (
        ["mnist-mlp", "--set", "layers.5.units=11"],
        "gives the shape [11], but cross_entropy needs 10 outputs, one a class",
    ),
    (["mnist-mlp", "--set", "optimizer.learning_rate=-1"], "optimizer"),
    (["mnist-mlp", "--set", "optimizer.type=Adamm"], "optimizer.type: unknown: 'Adamm'; did you mean Adam?"),
    (["mnist-mlp", "--set", "optimiser.type=Adam"], "has no key 'optimiser': did you mean optimizer?"),
    (["mnist-mlp", "--set", "loss=mean"], "loss: must be"),
    (["mnist-mlp", "--set", "batch_size=1.5"], "batch_size: must be a whole number, not 1.5"),
    (["mnist-mlp", "--set", "batch_size.x=1"], "'batch_size.x=1': batch_size is a value, which has nothing in it"),
    (["mnist-mlp", "--set", "batch size=32"], "'batch' is no change"),
    (["mnist-mlp", "--set", "batch_size"], "'batch_size' is no change: write KEY=VALUE without spaces"),
    (["mnist-mlp", "--set", "data.source=mnits"], "data.source: unknown: 'mnits'; did you mean mnist?"),
    (["mnist-mlp", "--set", "data.source=csv"], "data"),
    (["mnist-mlp", "--set", "schedule.type=Cosin"], "schedule.type: unknown: 'Cosin'; did you mean Cosine?"),
    (["--set", "batch_size=32"], "--set changes the tasks that are named before it: name one"),
    (["nonesuch", "--set", "batch_size=32"], "unknown task 'nonesuch'"),
    (["mnist-mlp", "--sweep", "batch_size"], "'batch_size' is no sweep: write KEY=VALUE,VALUE without spaces"),
    (["mnist-mlp", "--sweep", "batch_size=32,x"], "batch_size=x: batch_size: must be a whole number, not 'x'"),
    (["mnist-mlp", "--sweep", "batch_size=32,0"], "batch_size=0: batch_size: must be at least 1, not 0"),
    (["mnist-mlp", "--sweep", "batch_size=1", "batch_size=2"], "batch_size is swept twice"),
    (["mnist-mlp", "--sweep", "batch_size=8,16", "--batch-size", "32"], "leave out --batch-size: --set or --sweep"),
    (["mnist-mlp", "--set", "optimizer.learning_rate=1", "--learning-rate", "2"], "leave out --learning-rate"),
    (["mnist-mlp", "--set", "data.file=/home/ann/a.csv"], "results keep this name, and so a folder of yours"),
    (["mnist-mlp", "--set", "data.folder=../ann"], "write it into the task's file"),
    (["--sweep", "batch_size=32,64"], "--sweep changes the tasks that are named before it: name one"),
    (["mnist-mlp", "--sweep", "batch_size=" + ",".join(map(str, range(1, 2000)))], "a sweep of 1,999 variations"),
]


@pytest.mark.parametrize(("words", "message"), WRONG, ids=[" ".join(words)[:60] for words, _ in WRONG])
def test_a_wrong_change_is_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("sidebyside: ")
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


CSV = """
loss = "cross_entropy"
batch_size = 8
epochs = 3
initial_weights = "keras"
layers = [{type = "Dense", units = 3}]
optimizer = {type = "Adam"}
"""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('{source = "csv", file = "table.csv"}', "mine.toml: data.label: must name the column of classes, or target"),
        ('{source = "csv", file = "", label = "y"}', "mine.toml: data.file: must be the name of a file, not ''"),
        ('{source = "csv", file = "none.csv", label = "y"}', "none.csv: cannot be read (No such file or directory)"),
        ('{source = "csv", file = "table.csv", label = "z"}', "table.csv: has no column 'z', which data.label names"),
        ('{source = "csv", file = "table.csv", label = "y", delimiter = ";;"}', "data.delimiter: must be one sign"),
        ('{source = "csv", file = "table.csv", label = "y", test_share = 1.0}', "data.test_share: must be above 0"),
        ('{source = "csv", file = "table.csv", label = "y", sha256 = "0"}', "data.sha256: must be 64 digits"),
        ('{source = "csv", file = "table.csv", label = "y", classes = ["a"]}', "data.classes: must be two different"),
        ('{source = "csv", file = "table.csv", label = "y"}', "gives the shape [3], but cross_entropy needs 2 outputs"),
        ('{source = "csv", file = ".", label = "y"}', "cannot be read (not a regular file)"),
        ('{source = "npz", file = "table.csv"}', "table.csv: not a readable .npz file of plain arrays"),
        ('{source = "numpy", folder = "none"}', "none/x_train.npy: cannot be read"),
        ('{source = "idx", folder = "."}', "train-images-idx3-ubyte: cannot be read"),
        ('{source = "pictures", folder = ".", height = 0, width = 8}', "data.height: must be from 1 to 4096, not 0"),
        ('{source = "pictures", folder = ".", height = 8, width = 8}', "has no folders; data.folder names"),
    ],
)
def test_wrong_data_are_one_line(
    data: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text("a,b,y\n1,2,no\n3,4,yes\n5,6,no\n7,8,yes\n")
    (tmp_path / "mine.toml").write_text(CSV + f"data = {data}\n")
    before = sorted(tmp_path.iterdir())
    assert main(["run", "mine.toml"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("sidebyside: ")
    assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
