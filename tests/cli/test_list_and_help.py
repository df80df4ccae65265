"""``sidebyside list`` and ``--help`` name everything there is."""

import json
from importlib.metadata import version

import pytest

import backends
import tasks
from compare import cli
from compare.run.options import RunOptions
from tests.cli.common import RUN, Capture, python


def test_list_names_everything(capsys: Capture) -> None:
    assert cli.main(["list"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for name in (*tasks.available_tasks(), *backends.available_backends()):
        assert f"\n  {name} " in out
    assert "804,554 parameters" in out
    assert out.count("--recipe as-written: the network ends in a softmax") == 2
    assert "the reference" in out


def test_list_as_json_is_json_alone(capsys: Capture) -> None:
    assert cli.main(["list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    listed = json.loads(out)
    assert [task["task"] for task in listed["tasks"]] == list(tasks.available_tasks())
    assert {task["task"]: task["parameters"] for task in listed["tasks"]}["mnist-dense"] == 118_282
    recipes = {task["task"]: task["recipes"] for task in listed["tasks"]}
    assert recipes["and-gate"] == {"standard": ""}
    assert "log-probabilities" in recipes["mnist-mlp"]["as-written"]
    assert [backend["backend"] for backend in listed["backends"]] == list(backends.available_backends())
    assert {backend["backend"]: backend["missing"] for backend in listed["backends"]}["numpy"] is None


def test_list_says_what_is_missing() -> None:
    result = python(RUN, "list", hidden=("torch", "flax"))
    assert result.returncode == 0
    assert 'pytorch needs the package torch: pip install -e ".[pytorch]"' in result.stdout
    assert 'jax needs the package flax: pip install -e ".[jax]"' in result.stdout
    assert "numpy        the reference" in result.stdout


def commands() -> list[str]:
    return [name for name in cli.make_app() if not name.startswith("-")]


def test_the_commands_there_are() -> None:
    names = {"list", "run", "parity", "new", "report", "diff", "lesson", "predict", "convert", "weights", "envs"}
    names |= {"explain", "defaults", "pair"}
    names.add("check-backend")
    assert names == set(commands())


@pytest.mark.parametrize("words", [(), ("--help",), *((command, "--help") for command in commands())])
def test_help(words: tuple[str, ...], capsys: Capture) -> None:
    assert cli.main(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    if len(words) == 2:
        assert out.startswith(f"Usage: sidebyside {words[0]} ")
    else:
        assert out.startswith("Usage: sidebyside COMMAND")
        for name in commands():
            assert f" {name} " in out


def test_the_version_is_that_of_the_package(capsys: Capture) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"sidebyside {version('sidebyside')}\n"


def test_help_of_run_has_every_option_with_its_sentence(capsys: Capture) -> None:
    assert cli.main(["run", "--help"]) == 0
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    flags = {"backends": "--backend", "modes": "--mode", "devices": "--device", "arithmetics": "--arithmetic"}
    for name, field in RunOptions.model_fields.items():
        if name != "tasks":
            assert flags.get(name, "--" + name.replace("_", "-")) in out
            assert set(str(field.description).split()) <= set(out.split())
