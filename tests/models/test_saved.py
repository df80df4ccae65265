"""Files of models: each knows its task, or its shapes tell it."""

import re
from pathlib import Path

import pytest

import tasks
from backends.files import ModelFileError, read_header, write_parameters
from compare.models.convert import convert
from compare.models.saved import open_model
from tasks import registry
from tasks.registry import task_name


def test_a_saved_model_knows_what_it_is_and_no_path(saved: tuple[Path, Path]) -> None:
    folder, file = saved
    metadata = {"sidebyside": "1", "task": "iris-mlp", "recipe": "standard", "backend": "numpy", "seed": "0"}
    data = tasks.load_task("iris-mlp").source.load(None).train_sha256
    assert read_header(file).metadata == {**metadata, "data": data}
    assert str(folder).encode() not in file.read_bytes()
    assert str(open_model(file)) == "iris-mlp, recipe standard, trained with numpy, seed 0"


@pytest.mark.parametrize("name", tasks.available_tasks())
def test_the_task_comes_from_the_file_the_words_or_the_shapes(name: str, tmp_path: Path) -> None:
    path, parameters = tmp_path / "model.safetensors", tasks.load_task(name).parameters(0)
    write_parameters(path, parameters)
    assert open_model(path).task == tasks.load_task(name)
    for recipe in tasks.available_recipes(name):
        assert open_model(path, recipe=recipe).task == tasks.load_task(name, recipe)
        write_parameters(tmp_path / "with.safetensors", parameters, {"task": name, "recipe": recipe})
        assert open_model(tmp_path / "with.safetensors").task == tasks.load_task(name, recipe)
        assert open_model(tmp_path / "with.safetensors", task=name).task.recipe_name == "standard"


@pytest.mark.parametrize("fact", ["../../iris-mlp", "a" * 81, "iris-mlp\n"])
def test_a_strange_task_in_a_file_is_not_believed(fact: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_parameters(path, tasks.load_task("iris-mlp").parameters(0), {"task": fact, "recipe": fact})
    assert open_model(path).task == tasks.load_task("iris-mlp")


@pytest.mark.parametrize("name", ["mine", "mine.toml"])
def test_a_file_of_an_unknown_task_is_no_other_tasks(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_parameters(path, tasks.load_task("iris-mlp").parameters(0), {"task": name, "recipe": "standard"})
    with pytest.raises(ModelFileError, match=f"of the task {name!r}, which is not built in; name its file with --task"):
        open_model(path)


def test_a_model_of_a_variation_knows_its_task_and_its_conversion_too(tmp_path: Path) -> None:
    path, converted = tmp_path / "model.safetensors", tmp_path / "same.safetensors"
    name = "iris-mlp layers.0.units=7"
    parameters = tasks.load_task(task_name(name)).parameters(0)
    registry._TASKS.clear()
    registry._DOCUMENTS.clear()  # as another process
    write_parameters(path, parameters, {"task": name, "recipe": "standard"})
    assert open_model(path).task.name == name
    assert convert(path, "safetensors", converted).task.name == name
    assert read_header(converted).metadata["task"] == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "mine layers.0.units=7",
            "which is not built in; name its file with --task, as --task 'mine.toml layers.0.units",
        ),
        ("iris-mlp layers.9.units=7", "there is no layer 9; they are 0 to 4; name it with --task"),
        ("iris-mlp data.source=csv data.file=/etc/passwd", "results keep this name, and so a folder of yours"),
    ],
)
def test_a_variation_that_a_file_names_and_that_is_not_known_is_told(name: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_parameters(path, tasks.load_task("iris-mlp").parameters(0), {"task": name, "recipe": "standard"})
    with pytest.raises(ModelFileError, match=re.escape(message)):
        open_model(path)


def test_equal_parameters_make_equal_files_which_the_library_reads(tmp_path: Path) -> None:
    from safetensors import safe_open

    parameters = tasks.load_task("mnist-dense").parameters(3)
    for name in ("a", "b"):
        write_parameters(tmp_path / name, parameters, {"task": "mnist-dense", "seed": "3"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with safe_open(tmp_path / "a", "np") as file:
        assert file.metadata() == {"sidebyside": "1", "task": "mnist-dense", "seed": "3"}
        assert {name: file.get_tensor(name).tobytes() for name in file.keys()} == {  # noqa: SIM118 - no dictionary
            name: array.tobytes() for name, array in parameters.items()
        }
