"""The words of the command line: the parser, and what was chosen, checked."""

import argparse
from pathlib import Path
from typing import NoReturn

import backends
import tasks
from backends.about import MODES
from compare.plan import DEFAULT_TASKS
from compare.report.render import FORMATS
from tasks.errors import SideBySideError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SideBySideError(f"{message} (see {self.prog} --help)")


def make_parser() -> argparse.ArgumentParser:
    """The commands, whose name becomes ``command``, and their options."""
    parser = _Parser(
        prog="sidebyside",
        description="The same model, provably, in PyTorch, Keras and JAX; trained and measured side by side.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    command = _add_command(commands, "list", "list tasks, backends and recipes")
    command.add_argument("--json", action="store_true", help="print JSON")

    command = _add_command(commands, "run", "train and compare")
    _add_selection(command)
    command.add_argument("--seeds", type=_positive_int, default=1, metavar="N", help="how many seeds, from 0")
    command.add_argument(
        "--rounds", type=_positive_int, default=1, metavar="N", help="repeat every cell, in random order"
    )
    command.add_argument(
        "--self-check", action="store_true", help="compare each backend with itself: how noisy is this?"
    )
    command.add_argument("--preset", choices=["quick", "full"], default="quick", help="full: each recipe as it stands")
    command.add_argument("--epochs", type=_positive_int, metavar="N", help="in place of the preset's")
    command.add_argument("--recipe", choices=["standard", "as-written"], default="standard")
    command.add_argument("--timeout", type=_positive_float, metavar="SECONDS", help="for each cell")
    command.add_argument("--threads", type=_positive_int, metavar="N", help="of each worker (default: all cores)")
    folder = command.add_mutually_exclusive_group()
    folder.add_argument("--output", type=Path, metavar="DIR", help="the folder to write (default: runs/<time>)")
    folder.add_argument("--resume", type=Path, metavar="DIR", help="go on with the cells that DIR lacks")
    command.add_argument("--data", type=Path, metavar="FILE", help="an .npz with MNIST's keys, for the mnist tasks")
    command.add_argument("--no-certify", action="store_true", help="leave out the certificates: all rows unverified")
    command.add_argument("--save-models", action="store_true", help="keep the trained parameters in DIR/models")

    command = _add_command(commands, "parity", "certify that the models are the same")
    _add_selection(command, default="all")
    command.add_argument("--recipe", choices=["standard", "as-written"], help="default: every recipe of a task")
    command.add_argument("--json", action="store_true", help="print JSON")

    command = _add_command(commands, "report", "render a stored run again")
    command.add_argument("folder", type=Path, metavar="DIR", help="what run wrote")
    command.add_argument("--format", choices=["table", *FORMATS], default="table")
    command.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    command.add_argument("--charts", type=Path, metavar="DIR", help="also write every chart as PNG and SVG")

    command = _add_command(commands, "diff", "what changed from one run to another, beyond noise")
    command.add_argument("first", type=Path, metavar="DIR")
    command.add_argument("second", type=Path, metavar="DIR")

    command = _add_command(commands, "lesson", "the same idea in four dialects")
    command.add_argument("name", nargs="?", metavar="NAME", help="default: list the lessons")
    _add_backend(command)
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument("--html", type=Path, metavar="FILE", help="write a page; without NAME, of all lessons")

    command = _add_command(commands, "predict", "what a saved model makes of new inputs")
    command.add_argument("inputs", nargs="*", metavar="INPUT", help="numbers, or PNG files of digits")
    command.add_argument(
        "--model", type=Path, required=True, metavar="FILE", help="what run --save-models or convert wrote"
    )
    _add_task(command)
    _add_backend(command)
    command.add_argument("--test-set", action="store_true", help="the accuracy on the task's test set")
    command.add_argument("--data", type=Path, metavar="FILE", help="another test set: an .npz with MNIST's keys")
    command.add_argument("--json", action="store_true", help="print JSON")

    command = _add_command(commands, "convert", "to a framework's own file of weights, and back")
    command.add_argument("file", type=Path, metavar="FILE", help="parameters, in any of the forms below")
    command.add_argument(
        "--to", required=True, choices=[*backends.framework_backends(), "safetensors"], help="the form to write"
    )
    command.add_argument("output", type=Path, metavar="OUT", help="the file to write")
    _add_task(command)
    return parser


def _add_command(commands: "argparse._SubParsersAction[_Parser]", name: str, help: str) -> _Parser:
    return commands.add_parser(name, help=help, description=help, allow_abbrev=False)


def _add_selection(command: argparse.ArgumentParser, default: str = ", ".join(DEFAULT_TASKS)) -> None:
    command.add_argument("tasks", nargs="*", metavar="TASK", help=f"default: {default}")
    _add_backend(command)
    command.add_argument("--mode", choices=[*MODES, "both"], default="tuned", help="which training loop")
    command.add_argument("--device", nargs="+", default=["cpu"], metavar="DEVICE", help="cpu, gpu, gpu:1 ...")


def _add_backend(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--backend", nargs="+", action="extend", metavar="NAME", help="default: all that are installed"
    )


def _add_task(command: argparse.ArgumentParser) -> None:
    command.add_argument("--task", metavar="TASK", help="default: the one that FILE names or fits")
    command.add_argument("--recipe", choices=["standard", "as-written"], help="default: the one that FILE names")


def _positive_int(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if not 1 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return value


def _positive_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def chosen_modes(options: argparse.Namespace) -> tuple[str, ...]:
    return MODES if options.mode == "both" else (options.mode,)


def chosen_tasks(options: argparse.Namespace, default: tuple[str, ...] = DEFAULT_TASKS) -> tuple[str, ...]:
    """The tasks that were named, each once and known."""
    names = tuple(dict.fromkeys(options.tasks)) or default
    for name in names:
        tasks.available_recipes(name)  # raises UnknownNameError
    return names


def chosen_backends(options: argparse.Namespace) -> tuple[str, ...]:
    """The backends that were named, each once and known; else all frameworks, installed or not."""
    names = tuple(dict.fromkeys(options.backend or ())) or backends.framework_backends()
    for name in names:
        if name in tasks.available_tasks():
            raise SideBySideError(f"{name} is a task: write the tasks before --backend")
        backends.missing(name)  # raises UnknownNameError
    return names
