"""Variations of a task: one value of its file changed, by its place; what is wrong is said in one line."""

import re
import tomllib

import numpy as np
import pytest

from tasks import load_task, registry
from tasks.architecture import Architecture
from tasks.errors import SideBySideError
from tasks.registry import task_name
from tasks.schedules import Cosine, Warmup
from tasks.toml_task import TaskFileError
from tasks.training import SGD
from tasks.variation import read_sweep, sweep, without_spaces


def varied(*changes: str, task: str = "mnist-mlp") -> Architecture:
    return load_task(task_name(" ".join([task, *changes]))).architecture


def test_a_value_is_changed_and_nothing_else() -> None:
    name = "mnist-mlp layers.1.units=128"
    assert task_name(name) == name
    task, before = load_task(name), load_task("mnist-mlp")
    assert [node.name for node in task.architecture.nodes] == [node.name for node in before.architecture.nodes]
    assert task.architecture.parameter_shapes["1_dense/kernel"] == (784, 128)
    assert (task.recipe.optimizer, task.source, task.quick) == (before.recipe.optimizer, before.source, before.quick)
    assert list(task.recipes) == ["standard"]
    assert list(registry.own_documents()) == [name]


def test_layers_are_named_by_their_index_or_their_name() -> None:
    assert varied("layers.head.units=10", "layers.0.filters=8", task="mnist-resnet").parameter_shapes[
        "stem_conv/kernel"
    ] == (3, 3, 1, 8)
    assert varied("layers.0.kernel_size=[5,5]", task="mnist-cnn").parameter_shapes["0_conv2d/kernel"] == (5, 5, 1, 32)


def test_a_table_that_is_missing_is_made() -> None:
    task = load_task(task_name("mnist-mlp schedule.type=Warmup schedule.epochs=1 schedule.then.type=Cosine"))
    assert task.recipe.schedule == Warmup(1, Cosine())


def test_a_change_is_for_the_quick_preset_too() -> None:
    task = load_task(task_name("mnist-mlp optimizer.learning_rate=0.2 epochs=7 batch_size=32"))
    assert task.recipe.optimizer == SGD(0.2, 0.5)
    assert (task.quick.learning_rate, task.quick.epochs, task.quick.batch_size) == (0.2, 7, None)
    assert (task.recipe.epochs, task.recipe.batch_size) == (7, 32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("layers.1.units=0", "layers.1.units=0: layers[1].units: must be at least 1, not 0"),
        ("layers.1.units=many", "layers.1.units=many: layers[1].units: must be a whole number, not 'many'"),
        ("layers.1.unit=3", "layers.1.unit=3: layers[1]: has no key 'unit': did you mean units?"),
        ("layers.9.units=3", "'layers.9.units=3': there is no layer 9; they are 0 to 5"),
        ("layers.last.units=3", "'layers.last.units=3': there is no layer last; they are 0 to 5"),
        ("layers.1=3", "'layers.1=3': name a key of the layer, as layers.1.units"),
        ("epochs.quick=3", "'epochs.quick=3': epochs is a value, which has nothing in it"),
        ("epoch=3", "epoch=3: the file: has no key 'epoch': did you mean epochs?"),
        ("optimizer.type=adam", "optimizer.type=adam: optimizer.type: unknown: 'adam'; did you mean Adam?"),
        ("layers.1.units", "'layers.1.units' is no change: write KEY=VALUE without spaces, as layers.1.units=128"),
        ("layers.1.units=", "'layers.1.units=' is no change: write KEY=VALUE"),
        ("=3", "'=3' is no change: write KEY=VALUE"),
        ("", "'' is no change: write KEY=VALUE"),
        ("layers.5.units=9", "layers.5.units=9: layers[5]: gives the shape [9], but cross_entropy needs 10 outputs"),
    ],
)
def test_a_wrong_change_gets_one_line(changes: str, message: str) -> None:
    with pytest.raises(TaskFileError) as raised:
        task_name(f"mnist-mlp {changes}")
    assert str(raised.value).startswith(message)
    assert not registry.own_documents()


def test_an_unknown_task_with_a_change_is_named() -> None:
    with pytest.raises(SideBySideError, match="unknown task 'mnist-mpl': did you mean mnist-mlp"):
        task_name("mnist-mpl layers.1.units=3")


def test_a_sweep_is_every_combination_of_its_values() -> None:
    values = {"batch_size": [32, 64], "layers.1.units": [128, 512, 2048]}
    names = sweep("mnist-mlp", values)
    assert len(names) == 6
    assert names[1] == "mnist-mlp batch_size=32 layers.1.units=512"
    assert sweep("mnist-mlp", read_sweep(["batch_size=32,64", "layers.1.units=128,512,2048"])) == names
    assert sweep("mnist-mlp", {"shuffle": [True, False]}) == ["mnist-mlp shuffle=true", "mnist-mlp shuffle=false"]
    assert read_sweep(["layers.0.kernel_size=[3,3],[5,5]"]) == {"layers.0.kernel_size": ["[3,3]", "[5,5]"]}
    assert sweep("mnist-cnn", {"layers.0.kernel_size": [(5, 5)]}) == ["mnist-cnn layers.0.kernel_size=[5,5]"]
    assert sweep("mnist-mlp", {"batch_size": [32, 32]}) == ["mnist-mlp batch_size=32"]
    assert sweep("mnist-mlp", {}) == ["mnist-mlp"]
    for name in names:
        assert load_task(task_name(name)).recipe.batch_size in (32, 64)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["batch_size"], "'batch_size' is no sweep: write KEY=VALUE,VALUE without spaces, as batch_size=32,64,128"),
        (["batch_size="], "'batch_size=' is no sweep"),
        (["batch_size=32,,64"], "'batch_size=32,,64' is no sweep"),
        (["=32"], "'=32' is no sweep"),
        (["a=1", "a=2"], "a is swept twice: name all its values at once"),
    ],
)
def test_what_is_no_sweep_is_told(words: list[str], message: str) -> None:
    with pytest.raises(TaskFileError, match=re.escape(message)):
        read_sweep(words)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[[1,2],[3,4]],[[5,6],[7,8]]", ["[[1,2],[3,4]]", "[[5,6],[7,8]]"]),
        ('{type="SGD",learning_rate=0.1},{type="Adam"}', ['{type="SGD",learning_rate=0.1}', '{type="Adam"}']),
        ("[{a=[1,2]},3],\"a,]b\",'c,d',e", ["[{a=[1,2]},3]", '"a,]b"', "'c,d'", "e"]),
        ("1],2", ["1]", "2"]),
    ],
)
def test_a_comma_within_brackets_braces_or_quotes_parts_no_values(text: str, values: list[str]) -> None:
    assert read_sweep([f"a={text}"]) == {"a": values}


@pytest.mark.parametrize(
    "value",
    [
        "petal length",
        'Größe "x" \\ 🙂',
        [["a b", 1], [True, 0.5]],
        {"type": "SGD", "learning_rate": 0.1},
        (3, np.int64(3)),
        np.array([5, 5]),
    ],
)
def test_any_value_is_swept_as_it_is(value: object) -> None:
    (name,) = sweep("iris-mlp", {"summary": [value]})
    assert len(name.split(" ")) == 2
    assert name.isascii()
    read = tomllib.loads(f"value = {name.partition('summary=')[2]}")["value"]
    assert read == (list(value) if isinstance(value, tuple | np.ndarray) else value)


def test_a_text_with_a_space_is_a_value_of_a_sweep() -> None:
    (name,) = sweep("iris-mlp", read_sweep(["summary='two words'"]))
    assert load_task(task_name(name)).summary == "two words"
    (same,) = sweep("iris-mlp", {"summary": ["two words"]})
    assert same == name
    assert sweep("iris-mlp", {"batch_size": (n for n in (np.int64(2), 4))})[0] == "iris-mlp batch_size=2"


def test_a_sweep_has_an_end() -> None:
    with pytest.raises(TaskFileError, match="a sweep of 1,200 variations of mnist-mlp; at most 1,000 are run"):
        sweep("mnist-mlp", {"batch_size": range(1, 41), "layers.1.units": range(1, 31)})
    with pytest.raises(TaskFileError, match="batch_size: name the values that are swept"):
        sweep("mnist-mlp", {"batch_size": []})
    with pytest.raises(TaskFileError, match="batch_size: name the values that are swept"):
        sweep("mnist-mlp", {"batch_size": "32"})
    for value in (32, None, {"a": 1}, 0.5):
        with pytest.raises(TaskFileError, match=r"batch_size: name the values that are swept, .*; in Python in a list"):
            sweep("mnist-mlp", {"batch_size": value})  # type: ignore[dict-item]


def test_spaces_in_a_word_of_the_command_line_part_nothing() -> None:
    assert without_spaces("optimizer.learning_rate = 0.05") == "optimizer.learning_rate=0.05"
    assert without_spaces("layers.0.kernel_size = [5, 5]") == "layers.0.kernel_size=[5,5]"
    word = 'summary="two words"'
    assert " " not in without_spaces(word)
    assert load_task(task_name(f"iris-mlp {without_spaces(word)}")).summary == "two words"
    for word in ("layers.1.units=128", "no change", "loss=two words"):
        assert without_spaces(word) == word


def test_the_layers_that_there_are() -> None:
    with pytest.raises(SideBySideError, match=r"there is no layer 9; the only one is 0$"):
        varied('layers=[{type="Dense",units=3}]', "layers.9.units=3", task="iris-mlp")
