"""The lessons as they are written: complete, shown as they run, and importing nothing heavy."""

import ast
import inspect
import re
import subprocess

import pytest

from backends.lessons import available_lessons, load_lesson
from backends.lessons.course import QUESTIONS
from compare.lessons import run as lessons
from compare.lessons.result import FRAMEWORKS
from tasks.errors import UnknownNameError
from tests import sources
from tests.lessons.common import NAMES
from tests.sources import modules_after

HEAVY = {*sources.HEAVY, "vl_convert", "rich", "pygments", "jinja2", "safetensors"}


def test_there_is_every_lesson() -> None:
    titles = lessons.lesson_titles()
    assert tuple(titles) == NAMES
    assert all(titles.values())
    assert len(set(titles.values())) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_is_complete(name: str) -> None:
    lesson = load_lesson(name)
    assert lesson.title
    assert lesson.about
    assert 2 <= len(re.findall(r"[.](?=\s|$)", lesson.note)) <= 6, "a note has two to six sentences"
    for framework in FRAMEWORKS:
        functions = lesson.functions(framework)
        assert len(functions) == len(lesson.functions("numpy"))
        assert all(function.__doc__ for function in functions)


@pytest.mark.parametrize("name", NAMES)
def test_the_source_shown_is_the_source_that_runs(name: str) -> None:
    lesson = load_lesson(name)
    text = inspect.getsource(lesson.module)
    for framework in FRAMEWORKS:
        parts = [inspect.getsource(function) for function in lesson.functions(framework)]
        assert all(part in text for part in parts)
        assert lesson.source(framework).split() == "".join(parts).split()
    shared = ast.parse(lesson.shared_source)
    assert not any(isinstance(node, ast.FunctionDef) and "with_" in node.name for node in shared.body)
    assert "NOTE" not in lesson.shared_source
    assert all(line in text.splitlines() for line in lesson.shared_source.splitlines())


def test_importing_lessons_imports_nothing_heavy() -> None:
    loaded = modules_after(
        "import backends.lessons, compare.lessons.run; compare.lessons.run.lesson_titles();"
        "[backends.lessons.load_lesson(name) for name in backends.lessons.available_lessons()]"
    )
    assert "backends.lessons.data_look" in loaded
    assert not HEAVY & {name.partition(".")[0] for name in loaded}


def test_the_purity_test_can_fail() -> None:
    assert "rich" in modules_after("import compare.lessons.run, rich")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../neuron",
        "neuron.py",
        "NEURON",
        "neuron\n",
        "__init__",
        "two_layers",
        "os",
        "[red]x",
        "a" * 9999,
    ],
)
def test_an_unknown_lesson_is_an_error_that_names_the_known(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)  # nothing may run
    with pytest.raises(UnknownNameError) as caught:
        lessons.run_lessons(["neuron", name])
    message = str(caught.value)
    assert "\n" not in message
    assert "gradient-descent" in message


@pytest.mark.parametrize("name", ["", "torch", "numpy;", "../numpy", "with_numpy"])
def test_an_unknown_framework_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    with pytest.raises(UnknownNameError, match="choose from numpy, pytorch, keras, jax"):
        lessons.run_lesson("neuron", [name])


def test_every_lesson_has_questions_with_answers() -> None:
    assert tuple(QUESTIONS) == available_lessons()
    for name, asked in QUESTIONS.items():
        assert len(asked) >= 2, name
        for question, answer in asked:
            assert question.endswith("?"), question
            assert answer.endswith("."), answer
