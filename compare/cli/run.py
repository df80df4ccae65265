"""The commands that train and certify: ``sidebyside list``, ``run`` and ``parity``."""

import json as json_module
import shlex
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import backends
import tasks as registry
from compare.api import absent_backends, check_data, run_apart, run_comparison
from compare.cli.status import FAILED, OK
from compare.comparison import REPORT_NAME, RunInterruptedError, UnfinishedRunError, shown_path
from compare.run.checks import check_names
from compare.run.options import RunOptions, Selection, make_options
from compare.run.plan_file import read_plan
from compare.run.reading import HEAD
from compare.run.repeating import as_command
from tasks.errors import SideBySideError
from tasks.plugins import BACKENDS, TASKS, package_of, plugins
from tasks.registry import BUILT_IN
from tasks.task import RecipeName
from tasks.toml_task import is_task, read_document
from tasks.variation import QUICK, read_sweep, without_spaces
from tasks.variation import sweep as sweep_of

Tasks = Annotated[str, Parameter(name="TASK", help="Tasks to train, names or files (.toml); or a plan file (.toml).")]
Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print JSON.")]
_SET = "Change values of the tasks' files: layers.1.units=128 optimizer.learning_rate=0.05."
Changes = Annotated[tuple[str, ...], Parameter(name="--set", consume_multiple=True, negative_iterable=(), help=_SET)]
_SWEEP = "Run every combination of values: batch_size=32,64,128 layers.1.units=128,512."
Sweep = Annotated[tuple[str, ...], Parameter(name="--sweep", consume_multiple=True, negative_iterable=(), help=_SWEEP)]
_ALL = Parameter(name="*")
_ONCE = {
    "seeds": 1,
    "rounds": 1,
    "precision": None,
    "self_check": False,
    "certify": True,
    "save_models": False,
    "own_randomness": False,
}
"""What a plan may say of training does not matter where models are only certified, each of them once."""


def list_names(*, json: Json = False) -> int:
    """List tasks, recipes and backends."""
    from compare.report.layout import print_lines

    tasks_there = [registry.load_task(name) for name in registry.available_tasks()]
    missing = {name: backends.missing(name) for name in backends.available_backends()}
    if json:
        listed_tasks = [
            {
                "task": task.name,
                "summary": task.summary,
                "parameters": task.architecture.parameter_count,
                "recipes": {name: recipe.flaw for name, recipe in task.recipes.items()},
            }
            for task in tasks_there
        ]
        listed_backends = [{"backend": name, "missing": message} for name, message in missing.items()]
        others = {group: _of_other_packages(group) for group in (TASKS, BACKENDS)}
        shown = {"tasks": listed_tasks, "backends": listed_backends, "of_other_packages": others}
        print(json_module.dumps(shown, indent=1))
        return OK
    lines = ["tasks"]
    for task in tasks_there:
        lines.append(f"  {task.name:12} {task.summary}, {task.architecture.parameter_count:,} parameters")
        lines += [f"{'':14} --recipe {name}: {recipe.flaw}" for name, recipe in task.recipes.items() if recipe.flaw]
    lines.append("backends")
    for name, message in missing.items():
        lines.append(f"  {name:12} {message or ('the reference' if name == backends.REFERENCE else 'installed')}")
    for group, what in ((TASKS, "tasks"), (BACKENDS, "backends")):
        if packages := _of_other_packages(group):
            lines.append(f"{what} of other packages")
            lines += [f"  {name:12} {package}" for name, package in packages.items()]
    print_lines(lines, indent=17)
    return OK


def _of_other_packages(group: str) -> dict[str, str]:
    """The package of each name of an entry point that can be loaded: a built-in name stands for what is built in."""
    built_in = BUILT_IN if group == TASKS else backends.available_backends()
    return {name: package_of(group, name) for name in plugins(group) if name not in built_in}


def run(
    *tasks: Tasks,
    options: Annotated[RunOptions, _ALL] = RunOptions(),  # noqa: B008 - cannot be changed
    changes: Changes = (),
    sweep: Sweep = (),
    verbose: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Train and compare.

    Args:
        verbose: Also print every column of the tables and the fairness ledger, as they stand in the report.
    """
    from rich.console import Console

    from compare.report.terminal import print_results

    options = _combined(tasks, options, changes, sweep)
    if options.scheduler is None and _none_installed(options):
        return FAILED
    try:
        comparison = run_comparison(options, as_command(options))
    except (RunInterruptedError, UnfinishedRunError) as error:
        print_results(error.comparison.results, Console(), verbose=verbose)
        cluster = [] if options.scheduler is None else ["--scheduler", options.scheduler]
        cluster += ["--insecure"] if options.insecure else []
        again = shlex.join(["sidebyside", "run", "--resume", str(shown_path(error.comparison.folder)), *cluster])
        if isinstance(error, UnfinishedRunError):
            raise SideBySideError(f"{error}; once that is mended, go on with: {again}") from error
        begun = (error.comparison.folder / HEAD).exists()
        kept = f"what was done is kept; go on with: {again}" if begun else "nothing had been done yet"
        print(f"sidebyside: interrupted; {kept}", file=sys.stderr)
        return error.exit_status
    results, folder = comparison.results, shown_path(comparison.folder)
    try:
        print_results(results, Console(), verbose=verbose)
        print(f"written: {folder / 'results.json'}", flush=True)
    except (OSError, SystemExit):  # by which rich ends where the reader of the output has gone
        comparison.draw_report()
        raise
    if failure := comparison.draw_report():
        print(f"sidebyside: {failure}", file=sys.stderr)
    else:
        print(f"written: {folder / REPORT_NAME}, for a browser")
    completed = all(run.status in ("ok", "skipped") for run in results.runs) and not failure
    completed = completed and any(run.status == "ok" for run in results.runs)
    verified = all(results.verified(run) for run in results.runs if run.status == "ok")
    return OK if completed and (verified or not options.certify) else FAILED


def parity(
    *tasks: Tasks,
    selection: Annotated[Selection, _ALL] = Selection(),  # noqa: B008 - cannot be changed
    changes: Changes = (),
    recipe: RecipeName | None = None,
    json: Json = False,
    explain: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Certify that the models are the same.

    Args:
        explain: Say what certificates and checks compare, and what they do not see; nothing is run.
        recipe: The recipe to certify; the plan's, else every recipe of a task, unless named.
    """
    from rich.console import Console

    from compare.report.terminal import print_certificates
    from compare.run.plan import list_cells

    if explain:
        print_explanation()
        return OK
    options = _combined(tasks or registry.available_tasks(), selection, changes)
    options = options.model_copy(update=_ONCE)
    if _none_installed(options):
        return FAILED
    check_data(options)
    if recipe is None and "recipe" in options.model_fields_set:
        recipe = options.recipe
    cells = []
    for name in options.tasks:
        for chosen in [recipe] if recipe else registry.available_recipes(name):
            cells += list_cells(options.model_copy(update={"tasks": (name,), "recipe": chosen}))
    results = run_apart(options, cells, train=False)
    if json:
        shown = results.model_dump(include={"certificates", "pairs", "runs"}, exclude_unset=True)
        print(json_module.dumps(shown, indent=1))
    else:
        print_certificates(results, Console())
    failed = any(run.status not in ("ok", "skipped") for run in results.runs)
    granted = results.certificates and all(certificate.granted for certificate in results.certificates)
    return OK if granted and not failed else FAILED


def print_explanation() -> None:
    """Prints what certificates and checks compare, and what they do not see."""
    from rich.console import Console

    from compare.certify.explained import BLIND_SPOTS, COMPARED
    from compare.report.layout import print_line, widen_for_a_file

    widen_for_a_file(console := Console())
    for paragraph in ("What is compared", *COMPARED, "What is not seen"):
        print_line(paragraph, console)
        console.print()
    for sentence in BLIND_SPOTS:
        print_line(f"- {sentence}", console)


def _combined(
    words: tuple[str, ...], options: Selection, changes: tuple[str, ...], swept: tuple[str, ...] = ()
) -> RunOptions:
    """The options of a plan file, if one is named, with those of the command line in place of its own."""
    files = {word: read_document(Path(word)) for word in words if word.lower().endswith(".toml")}
    plans = [word for word, document in files.items() if not is_task(document)]
    if len(plans) > 1 or (plans and len(words) > 1):
        raise SideBySideError("name one plan file, or tasks, not both: a plan file names its tasks itself")
    values = read_plan(Path(plans[0])) if plans else {}
    if words and not plans:
        values["tasks"] = words
    values |= {name: getattr(options, name) for name in options.model_fields_set}
    if changes or swept:
        changes = tuple(map(without_spaces, changes))
        if "tasks" not in values:
            option = "--set" if changes else "--sweep"
            raise SideBySideError(f"{option} changes the tasks that are named before it: name one")
        for word in (*changes, *swept):
            option = QUICK.get(word.partition("=")[0], "")
            if values.get(option) is not None:
                where = "--set or --sweep changes it already"
                raise SideBySideError(f"leave out --{option.replace('_', '-')}: {where}, by {word}")
        names = [" ".join([name, *changes]) for name in check_names(values["tasks"], "tasks")]
        values["tasks"] = [each for name in names for each in sweep_of(name, read_sweep(swept))]
    return make_options(values)


def _none_installed(options: RunOptions) -> bool:
    """Whether no backend that is asked for is installed; if so, says on stderr what to install."""
    messages = absent_backends(options)
    if len(messages) < len(options.backend_names):
        return False
    for message in messages:
        print(f"sidebyside: {message}", file=sys.stderr)
    return True
