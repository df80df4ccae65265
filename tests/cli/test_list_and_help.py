"""``sidebyside list`` and ``--help`` name everything there is."""

import argparse
import json

import pytest

import backends
import tasks
from compare import cli
from compare.arguments import make_parser
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
    parser = make_parser()
    choices = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return list(choices[0])


def test_the_commands_there_are() -> None:
    assert {"list", "run"} <= set(commands())


@pytest.mark.parametrize("command", ["", *commands()])
def test_help(command: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*([command] if command else []), "--help"])
    out, err = capsys.readouterr()
    assert end.value.code == 0
    assert err == ""
    assert out.startswith(f"usage: sidebyside {command}".rstrip())
    if not command:
        for name in commands():
            assert f"\n    {name} " in out


def test_help_of_run_names_its_options(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        cli.main(["run", "--help"])
    out = capsys.readouterr().out
    options = "backend mode device seeds preset epochs recipe timeout threads output resume data no-certify"
    for option in options.split():
        assert f"--{option} " in out
    assert "iris-mlp, mnist-mlp, mnist-cnn" in " ".join(out.split())
