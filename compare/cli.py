"""The command line. Errors are one line on stderr that says what to do; exit status 2 where the words were wrong."""

import argparse
import io
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import backends
import tasks
from compare.api import REPORT_NAME, compare, shown_path
from compare.arguments import chosen_backends, chosen_modes, chosen_tasks, make_parser
from compare.text import clean
from tasks.errors import SideBySideError

if TYPE_CHECKING:
    from compare.results import Results

OK, FAILED, WRONG_WORDS, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may hold any bytes, a terminal may lack letters
    try:
        options = make_parser().parse_args(arguments)
        status = COMMANDS[options.command](options)
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

    from compare.plan import device_names, list_cells
    from compare.report.terminal import print_certificates
    from compare.run.progress import TerminalProgress
    from compare.runner import Options, run_cells

    names = chosen_backends(options)
    cells = [
        cell
        for name in chosen_tasks(options, default=tasks.available_tasks())
        for recipe in ([options.recipe] if options.recipe else tasks.available_recipes(name))
        for cell in list_cells(
            [name], names, modes=chosen_modes(options), devices=device_names(options.device), recipe=recipe
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
    from compare.results import read_results
    from tasks.files import write_whole

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
    from compare.analysis.changes import find_changes
    from compare.results import read_results

    found = find_changes(read_results(options.first), read_results(options.second))
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


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": list_names,
    "run": run,
    "parity": parity,
    "report": report,
    "diff": diff,
    "lesson": lesson,
    "predict": predict,
    "convert": convert,
}

if __name__ == "__main__":
    sys.exit(main())
