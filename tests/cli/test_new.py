"""``sidebyside new`` writes a task's file to edit, and replaces none."""

from pathlib import Path

import pytest

from compare.cli import main
from tasks.registry import file_of


@pytest.mark.parametrize(("words", "source"), [([], "mnist-mlp"), (["--from", "mnist-resnet"], "mnist-resnet")])
def test_the_file_is_that_of_the_task(
    words: list[str], source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    assert main(["new", str(path), *words]) == 0
    assert path.read_bytes() == file_of(source).read_bytes()
    assert capsys.readouterr().out == f"written: {path}\n"


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("there.toml", "mnist-cnn", "there is such a file already; choose another name"),
        ("mine", "mnist-cnn", "the name of a task's file ends in .toml; name mine.toml"),
        ("mnist-cnn.toml", "mnist-cnn", "there is a built-in task of this name; choose another"),
        ("my own.toml", "mnist-cnn", "the name of a task may have 60 letters, digits, - and _, no others: rename it"),
        ("mine.toml", "mnist-cn", "unknown task 'mnist-cn': did you mean mnist-cnn? choose from"),
        ("nowhere/mine.toml", "mnist-cnn", "cannot be written (No such file or directory); name another file"),
    ],
)
def test_what_cannot_be_written_gets_one_line(
    name: str, source: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there.toml").write_text("mine")
    assert main(["new", str(tmp_path / name), "--from", source]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["there.toml"]
    assert (tmp_path / "there.toml").read_text() == "mine"
