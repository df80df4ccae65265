"""Continuing an earlier run: what may not differ, and which cells are run."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from backends.registry import framework_backends
from compare.records.cell import Cell
from compare.records.results import Results
from compare.run.options import RunOptions
from compare.run.store import Store
from compare.text import workload_label
from tasks import load_task
from tasks.errors import SideBySideError
from tasks.registry import BUILT_IN, own_documents
from tasks.schedules import CONSTANT
from tasks.variation import split

SAME_HOST = ("cpu", "machine", "cores", "cpu_quota", "python", "sidebyside")


class DifferentRunError(SideBySideError):
    """An earlier run whose cells may not be mixed with those that are asked for."""


def definitions(cells: Iterable[Cell]) -> dict[str, str]:
    """By task and recipe: the hash of the architecture and the recipe, and of its data where it is not built in."""
    found = {}
    for name, recipe in dict.fromkeys((cell.task, cell.recipe) for cell in cells):
        task = load_task(name, recipe)
        described: tuple[object, ...] = (task.architecture, task.recipe)
        if name not in BUILT_IN:
            described += (task.source,)
        found[f"{name} {recipe}"] = hashlib.sha256(repr(described).encode()).hexdigest()
    return found


def documents(cells: Iterable[Cell]) -> dict[str, dict[str, JsonValue]]:
    """What the user's own tasks among those of the cells are made from, by name."""
    names = {name for cell in cells for name in (cell.task, split(cell.task)[0])}  # of a variation, that from which too
    return {name: document for name, document in own_documents().items() if name in names}


def check_same(
    earlier: Results, now: Results, cells: Sequence[Cell], versions: Callable[[str], Mapping[str, str]]
) -> None:
    """Refuses to mix cells of another task, recipe, version, setting, data set or machine into one comparison.

    Args:
        earlier: the run that is continued.
        now: what goes on with it.
        cells: those that are asked for.
        versions: tells which packages the workers of a backend would find now.

    Raises:
        DifferentRunError: names everything that differs.
    """
    different = [
        *_differences(earlier.host, now.host, [n for n in SAME_HOST if n in earlier.host or n == "cpu_quota"]),
        *_differences(earlier.settings, now.settings, ["threads"]),
        *_different_words(_randomness(earlier), _randomness(now)),
        *_data(earlier.settings.get("data_sha256"), now.settings.get("data_sha256")),
        *(f"another definition of {name}" for name, sha in now.definitions.items() if _other(earlier, name, sha)),
        *_versions(earlier, {cell.backend: versions(cell.backend) for cell in cells}),
        *_work(earlier, cells),
    ]
    if different:
        raise DifferentRunError(f"the earlier run had {', '.join(different)}: make it the same, or begin a new run")


def _randomness(results: Results) -> str:
    return "the frameworks' own randomness" if results.settings.get("own_randomness") else "the task's masks of dropout"


def _data(then: object, now: object) -> list[str]:
    if None in (then, now):
        return _different_words(*("MNIST's own data" if sha is None else "a data file" for sha in (then, now)))
    return ["another data file"] if then != now else []


def _different_words(then: str, now: str) -> list[str]:
    return [f"{then}, this one has {now}"] if then != now else []


def _work(earlier: Results, cells: Sequence[Cell]) -> list[str]:
    """The tasks whose earlier certificates do not speak for this run: of another batch size, or rates of its length."""
    of_now = {(cell.task, cell.recipe): cell for cell in cells}
    pairs = [(run, of_now[key]) for run in earlier.runs if (key := (run.task, run.recipe)) in of_now]
    texts = [
        f"{words(run)} for {run.task}, this one has {words(cell)}"
        for words in (_batch_size, _learning_rate, _length)
        for run, cell in pairs
        if words(run) != words(cell)
    ]
    return list(dict.fromkeys(texts))


def _batch_size(cell: Cell) -> str:
    return "the recipe's batch size" if cell.batch_size is None else f"batch size {cell.batch_size}"


def _learning_rate(cell: Cell) -> str:
    return "the recipe's learning rate" if cell.learning_rate is None else f"learning rate {cell.learning_rate:g}"


def _length(cell: Cell) -> str:
    """The length of a run whose learning rates depend on it."""
    if load_task(cell.task, cell.recipe).recipe.schedule == CONSTANT:
        return ""
    return f"a schedule over {workload_label(cell.epochs, cell.examples, None)}"


def _other(earlier: Results, name: str, sha: str) -> bool:
    return earlier.definitions.get(name, sha) != sha


def _differences(then: Mapping[str, object], now: Mapping[str, object], names: Iterable[str]) -> list[str]:
    different = [name for name in names if then.get(name) != now.get(name)]
    return [f"{_value(name, then)}, this one has {_value(name, now)}" for name in different]


def _value(name: str, values: Mapping[str, object]) -> str:
    word = name.replace("_", " ")
    return f"no {word}" if values.get(name) is None else f"{word} {values[name]}"


def _versions(earlier: Results, now: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The packages of the backends that are now installed in another version than the earlier cells used."""
    runs = [run for run in earlier.runs if run.backend in now and run.status == "ok"]
    different = []
    for run in runs:
        found = now[run.backend]
        then = run.versions | {name: str(run.settings.get(name, "")) for name in ("python",) if name in found}
        different.append(_differences(then, found, then) if found else [])
    return list(dict.fromkeys(text for texts in different for text in texts))


def widened(earlier: Results, options: RunOptions) -> RunOptions:
    """The options with everything that the earlier run had been asked for besides: a resume for some adds to it."""
    if not earlier.definitions:  # an earlier version kept no options
        return options
    first = RunOptions.model_validate({n: v for n, v in earlier.options.items() if n in RunOptions.model_fields})
    update: dict[str, object] = {
        name: tuple(dict.fromkeys([*getattr(first, name), *getattr(options, name)]))
        for name in ("tasks", "modes", "devices")
    }
    of_both = first.interpreters | options.interpreters
    update["python"] = tuple(f"{name}={path}" for name, path in of_both.items())
    update |= {name: max(getattr(first, name), getattr(options, name)) for name in ("seeds", "rounds", "save_models")}
    # None stands for every framework, and the reference may have been named besides.
    both = [*first.backend_names, *options.backend_names]
    update["backends"] = None if set(both) == set(framework_backends()) else tuple(dict.fromkeys(both))
    return options.model_copy(update=update)


def pending(cells: Sequence[Cell], options: RunOptions, store: Store, host: str | None = None) -> list[Cell]:
    """The cells that are missing, that failed, or that lack what is now asked for: parameters, or a certificate.

    Args:
        cells: that are asked for.
        options: of the run.
        store: with what there is.
        host: the name of the machine that they must have run on; None for any.
    """
    certified = {certificate.subject for certificate in store.results.certificates}
    chosen = []
    for cell in cells:
        run = store.run_of(cell)
        lacks_model = options.save_models and not model_file(store.folder, cell).exists()
        lacks_certificate = options.certify and cell.subject not in certified
        lacks_check = options.certify and run is not None and (run.check is None or run.unchecked)
        elsewhere = run is not None and host not in (None, run.host)
        if run is None or run.status != "ok" or lacks_model or lacks_certificate or lacks_check or elsewhere:
            chosen.append(cell)
            certified.add(cell.subject)  # by the first of its cells
    return chosen


def model_file(folder: Path, cell: Cell) -> Path:
    """Where the trained parameters of a cell are kept."""
    return folder / "models" / f"{cell.file_name}.safetensors"
