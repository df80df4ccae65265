"""The command line. Errors are one line on stderr that says what to do; exit status 2 where the words were wrong."""

import argparse
import io
import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn

import backends
import tasks
from backends.base import MODES
from compare.api import REPORT_NAME, compare, shown_path
from compare.plan import DEFAULT_TASKS, device_names
from compare.text import clean
from tasks.errors import SideBySideError

if TYPE_CHECKING:
    from compare.results import Results

FORMATS = ("markdown", "html", "csv", "json", "latex")
OK, FAILED, WRONG_WORDS, INTERRUPTED = 0, 1, 2, 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SideBySideError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may hold any bytes, a terminal may lack letters
    try:
        options = make_parser().parse_args(arguments)
        status: int = options.command(options)
        sys.stdout.flush()
        return status
    except SideBySideError as error:
        print(f"sidebyside: {clean(error)}", file=sys.stderr)  # a file that it quotes must not steer the terminal
        return WRONG_WORDS
    except KeyboardInterrupt:
        print("sidebyside: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has nowhere to go
        return FAILED


def make_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="sidebyside",
        description="The same model, provably, in PyTorch, Keras and JAX; trained and measured side by side.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = _add_command(commands, "list", list_names, "list tasks, backends and recipes")
    command.add_argument("--json", action="store_true", help="print JSON")

    command = _add_command(commands, "run", run, "train and compare")
    _add_selection(command)
    command.add_argument("--mode", choices=[*MODES, "both"], default="tuned", help="which training loop")
    command.add_argument("--device", nargs="+", default=["cpu"], metavar="DEVICE", help="cpu, gpu, gpu:1 ...")
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

    command = _add_command(commands, "parity", parity, "certify that the models are the same")
    _add_selection(command, default="all")
    command.add_argument("--mode", choices=[*MODES, "both"], default="tuned", help="which training loop")
    command.add_argument("--device", nargs="+", default=["cpu"], metavar="DEVICE", help="cpu, gpu, gpu:1 ...")
    command.add_argument("--recipe", choices=["standard", "as-written"], help="default: every recipe of a task")
    command.add_argument("--json", action="store_true", help="print JSON")

    command = _add_command(commands, "report", report, "render a stored run again")
    command.add_argument("folder", type=Path, metavar="DIR", help="what run wrote")
    command.add_argument("--format", choices=["table", *FORMATS], default="table")
    command.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    command.add_argument("--charts", type=Path, metavar="DIR", help="also write every chart as PNG and SVG")

    command = _add_command(commands, "diff", diff, "what changed from one run to another, beyond noise")
    command.add_argument("first", type=Path, metavar="DIR")
    command.add_argument("second", type=Path, metavar="DIR")

    command = _add_command(commands, "lesson", lesson, "the same idea in four dialects")
    command.add_argument("name", nargs="?", metavar="NAME", help="default: list the lessons")
    command.add_argument(
        "--backend", nargs="+", action="extend", metavar="NAME", help="default: all that are installed"
    )
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument("--html", type=Path, metavar="FILE", help="write a page; without NAME, of all lessons")

    command = _add_command(commands, "predict", predict, "what a saved model makes of new inputs")
    command.add_argument("inputs", nargs="*", metavar="INPUT", help="numbers, or PNG files of digits")
    command.add_argument(
        "--model", type=Path, required=True, metavar="FILE", help="what run --save-models or convert wrote"
    )
    _add_task(command)
    command.add_argument(
        "--backend", nargs="+", action="extend", metavar="NAME", help="default: all that are installed"
    )
    command.add_argument("--test-set", action="store_true", help="the accuracy on the task's test set")
    command.add_argument("--data", type=Path, metavar="FILE", help="another test set: an .npz with MNIST's keys")
    command.add_argument("--json", action="store_true", help="print JSON")

    command = _add_command(commands, "convert", convert, "to a framework's own file of weights, and back")
    command.add_argument("file", type=Path, metavar="FILE", help="parameters, in any of the forms below")
    command.add_argument(
        "--to", required=True, choices=[*backends.framework_backends(), "safetensors"], help="the form to write"
    )
    command.add_argument("output", type=Path, metavar="OUT", help="the file to write")
    _add_task(command)
    return parser


def _add_command(commands: "argparse._SubParsersAction[_Parser]", name: str, function: object, help: str) -> _Parser:
    command = commands.add_parser(name, help=help, description=help, allow_abbrev=False)
    command.set_defaults(command=function)
    return command


def _add_selection(command: argparse.ArgumentParser, default: str = ", ".join(DEFAULT_TASKS)) -> None:
    command.add_argument("tasks", nargs="*", metavar="TASK", help=f"default: {default}")
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


def chosen_devices(options: argparse.Namespace) -> tuple[str, ...]:
    return device_names(options.device)


def list_names(options: argparse.Namespace) -> int:
    """``sidebyside list``."""
    found_tasks = [
        {
            "task": name,
            "summary": tasks.load_task(name).summary,
            "parameters": tasks.load_task(name).architecture.parameter_count,
            "recipes": {recipe: tasks.load_task(name, recipe).recipe.flaw for recipe in tasks.available_recipes(name)},
        }
        for name in tasks.available_tasks()
    ]
    found_backends = [{"backend": name, "missing": backends.missing(name)} for name in backends.available_backends()]
    if options.json:
        print(json.dumps({"tasks": found_tasks, "backends": found_backends}, indent=1))
        return OK
    print("tasks")
    for task in found_tasks:
        print(f"  {task['task']:12} {task['summary']}, {task['parameters']:,} parameters")
        for recipe, flaw in task["recipes"].items():  # type: ignore[attr-defined]
            if flaw:
                print(f"  {'':12} --recipe {recipe}: {flaw}")
    print("backends")
    for backend in found_backends:
        kind = "the reference" if backend["backend"] == backends.REFERENCE else "installed"
        print(f"  {backend['backend']:12} {backend['missing'] or kind}")
    return OK


def run(options: argparse.Namespace) -> int:
    """``sidebyside run``."""
    from rich.console import Console

    from compare.report.terminal import print_results

    names = chosen_backends(options)
    if all(backends.missing(name) for name in names):
        for name in names:
            print(f"sidebyside: {backends.missing(name)}", file=sys.stderr)
        return FAILED
    comparison = compare(
        chosen_tasks(options),
        names,
        modes=chosen_modes(options),
        devices=options.device,
        seeds=options.seeds,
        rounds=options.rounds,
        self_check=options.self_check,
        preset=options.preset,
        epochs=options.epochs,
        recipe=options.recipe,
        timeout=options.timeout,
        threads=options.threads,
        output=options.output,
        resume=options.resume,
        data=options.data,
        certify=not options.no_certify,
        save_models=options.save_models,
        command="sidebyside " + shlex.join(without_folder(sys.argv[1:])),
    )
    results, folder = comparison.results, shown_path(comparison.folder)
    print_results(results, Console())
    print(f"written: {folder / 'results.json'}")
    print(f"written: {folder / REPORT_NAME}, for a browser")
    well = all(run.status in ("ok", "skipped") for run in results.runs)
    verified = options.no_certify or all(results.verified(run) for run in results.runs if run.status == "ok")
    return OK if well and verified else FAILED


def without_folder(words: Sequence[str]) -> list[str]:
    """The words of a run but for the folder that it wrote, which a repetition would refuse or go on with."""
    given = list(words)
    for name in ("--output", "--resume"):
        given = [word for word in given if not word.startswith(f"{name}=")]
        while name in given:
            at = given.index(name)
            del given[at : at + 2]
    return given


def parity(options: argparse.Namespace) -> int:
    """``sidebyside parity``."""
    from rich.console import Console

    from compare.plan import list_cells
    from compare.report.progress import TerminalProgress
    from compare.report.terminal import print_certificates
    from compare.runner import Options, run_cells

    names = chosen_backends(options)
    cells = [
        cell
        for name in chosen_tasks(options, default=tasks.available_tasks())
        for recipe in ([options.recipe] if options.recipe else tasks.available_recipes(name))
        for cell in list_cells(
            [name], names, modes=chosen_modes(options), devices=chosen_devices(options), recipe=recipe
        )
    ]
    with TemporaryDirectory(prefix="sidebyside-") as folder, TerminalProgress(Console(stderr=True)) as progress:
        results = run_cells(cells, Options(output=Path(folder), train=False), progress)
    if options.json:
        print(json.dumps(results.model_dump(include={"certificates", "pairs", "runs"}, exclude_unset=True), indent=1))
    else:
        print_certificates(results, Console())
    failed = any(run.status not in ("ok", "skipped") for run in results.runs)
    granted = results.certificates and all(certificate.granted for certificate in results.certificates)
    return OK if granted and not failed else FAILED


def report(options: argparse.Namespace) -> int:
    """``sidebyside report``."""
    from compare.report.render import render
    from compare.results import read_results, write_whole

    results = read_results(options.folder)
    folder = options.folder if options.folder.is_dir() else options.folder.parent
    try:
        if options.charts:
            from compare.report.charts import write_charts

            options.charts.mkdir(parents=True, exist_ok=True)
            for path in write_charts(results, folder, options.charts):
                print(f"written: {path}", file=sys.stderr)
        if options.format == "table":
            print_table(results, options.output)
        elif options.output:
            content = render(results, folder, options.format, beside=options.output.parent)
            write_whole(options.output, content.encode())
        else:
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8")  # as a page says that it is, whatever the terminal's may be
            print(render(results, folder, options.format))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SideBySideError(f"{error.filename}: cannot be written ({error.strerror}); name another") from error
    if options.output:
        print(f"written: {options.output}", file=sys.stderr)
    return OK


def print_table(results: "Results", output: Path | None) -> None:
    from rich.console import Console

    from compare.report.terminal import print_results

    if output is None:
        print_results(results, Console())
        return
    with output.open("w", encoding="utf-8") as file:
        print_results(results, Console(file=file))


def diff(options: argparse.Namespace) -> int:
    """``sidebyside diff``."""
    from compare.report.diff import compare_runs
    from compare.results import read_results

    found = compare_runs(read_results(options.first), read_results(options.second))
    print(found.text())
    return found.exit_status


def lesson(options: argparse.Namespace) -> int:
    """``sidebyside lesson``."""
    from compare import lessons
    from compare.lessons.result import lesson_json

    titles = lessons.available_lessons()
    if options.name is None and options.html is None:
        print(json.dumps(titles, indent=1) if options.json else "\n".join(f"{k:18} {v}" for k, v in titles.items()))
        return OK
    names = list(titles) if options.name is None else [options.name]

    def progress(framework: str, name: str) -> None:
        print(f"{name}: {framework}", file=sys.stderr)

    results = lessons.run_lessons(names, options.backend, progress=progress)
    if options.json:
        print(json.dumps([lesson_json(result) for result in results], indent=1))
    if options.html:
        from compare.lessons.page import write_lessons_html

        try:
            write_lessons_html(results, options.html)
        except OSError as error:
            raise SideBySideError(f"{options.html}: cannot be written ({error.strerror}); name another file") from error
        print(f"written: {options.html}", file=sys.stderr)
    if not options.json and not options.html:
        from rich.console import Console

        from compare.lessons.terminal import print_lesson

        for result in results:
            print_lesson(result, Console())
    failures = [failure for result in results for failure in result.failures]
    for failure in failures:
        print(f"sidebyside: {failure}", file=sys.stderr)
    return FAILED if failures else OK


def predict(options: argparse.Namespace) -> int:
    """``sidebyside predict``."""
    from compare.model_commands import predict_command

    return predict_command(options, chosen_backends(options))


def convert(options: argparse.Namespace) -> int:
    """``sidebyside convert``."""
    from compare.model_commands import convert_command

    return convert_command(options)


if __name__ == "__main__":
    sys.exit(main())
