"""The benchmark: ``tox -e benchmark``. Runs the README's comparison, prints what is asked of speed and what is reached.

Every figure is a ratio within one run: machines differ, and share their time. The table that it writes into the README
between its markers is that of this run, whose results and report stay in ``runs``.
"""

import random
import subprocess
import sys
from datetime import datetime
from itertools import product
from pathlib import Path
from statistics import median

from backends.about import MODES
from backends.cores import usable_cores
from backends.registry import about
from compare import compare
from compare.analysis.sections import summarize
from compare.executors.local import LocalExecutor
from compare.records.request import CellRequest
from compare.records.results import Results
from compare.records.run import Run
from compare.run.options import RunOptions
from compare.run.plan import list_cells
from compare.run.reading import read_results
from tasks import load_task
from tests.remote import RemoteBackend
from tests.worker.timing import SIZES, clock_share

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
MARKERS = "<!-- run -->", "<!-- /run -->"
FRAMEWORKS = ("pytorch", "keras", "jax")
NETWORKS = "mnist-keras-example", "mnist-resnet"
ROUNDS = 5
TUNED_OVER_STOCK = {
    ("mnist-cnn", "pytorch"): 3.3,
    ("mnist-cnn", "keras"): 3.0,
    ("mnist-cnn", "jax"): 3.6,
    ("mnist-mlp", "pytorch"): 6.5,
    ("mnist-mlp", "keras"): 3.2,
    ("mnist-mlp", "jax"): 1.8,
    ("iris-mlp", "pytorch"): 6.0,
    ("iris-mlp", "keras"): 35.0,
    ("iris-mlp", "jax"): 50.0,
} | {(task, backend): 1.5 for task in NETWORKS for backend in FRAMEWORKS}
SHARE_OF_MATRIX_RATE = {"mnist-mlp": 0.55}
SHARE_AT_256 = {"mnist-cnn": 0.40}
APART = {"mnist-mlp": 1.25, "mnist-cnn": 1.4}
SPREAD = 1.15
"""The fastest round of a framework over its slowest."""
OF_THE_BEST_FORMULATION = 0.97
FIRST_STEP_SECONDS = {"pytorch": 6.0, "keras": 9.0, "jax": 4.0}
"""From the start of the process, compilers' caches warm: guides, as these are no ratios."""
PROPORTIONAL = 0.05
CLOCK_SHARE = 0.001


def main() -> int:
    folder = ROOT / "runs" / f"{datetime.now():benchmark-%Y%m%d-%H%M%S}"
    command = [sys.executable, "-m", "compare", "run", "--mode", "both", "--rounds", str(ROUNDS)]
    status = subprocess.run([*command, "--output", str(folder), *sys.argv[1:]], check=False).returncode
    results = read_results(folder)
    write_readme(results)
    print(f"\n{'':58} {'asked':>9} {'reached':>9}")
    print_ratios(results)
    print_formulations(results)
    print_large_batches(folder / "batch-256")
    networks = compare(tasks=NETWORKS, backends=FRAMEWORKS, modes=MODES, rounds=ROUNDS, output=folder / "networks")
    print_tuned_over_stock(networks.results)
    print_first_steps()
    print_growth()
    parent = median(run.runner_cpu_share or 0 for run in results.runs)
    line("parent process, share of a core", 0.01, parent, parent < 0.01)
    share = clock_share()
    line("the clock, share of a timed call", CLOCK_SHARE, share, share < CLOCK_SHARE)
    return status


def line(what: str, asked: float, reached: float, well: bool) -> None:
    print(f"{what:58} {asked:9.3g} {reached:9.3g} {'' if well else ' short'}", flush=True)


def of(results: Results, task: str, backend: str, mode: str) -> list[Run]:
    """The certified runs of a cell, by round."""
    runs = [run for run in results.runs if (run.task, run.backend, run.mode, run.status) == (task, backend, mode, "ok")]
    return sorted((run for run in runs if results.verified(run)), key=lambda run: run.round)


def speed(runs: list[Run]) -> float:
    return median(run.examples_per_second or 0 for run in runs)


def tuned_over_stock(results: Results, task: str, backend: str) -> float | None:
    """The median of the rounds' ratios; None where a loop has no certified run."""
    pairs = zip(of(results, task, backend, "tuned"), of(results, task, backend, "stock"), strict=False)
    ratios = [(tuned.examples_per_second or 0) / (stock.examples_per_second or 1) for tuned, stock in pairs]
    return median(ratios) if ratios else None


def tuned_runs(results: Results, task: str) -> dict[str, list[Run]]:
    """The certified runs of the tuned loops, the fastest framework first."""
    found = {backend: runs for backend in FRAMEWORKS if (runs := of(results, task, backend, "tuned"))}
    return dict(sorted(found.items(), key=lambda item: speed(item[1]), reverse=True))


def print_shares(results: Results, asked: dict[str, float], where: str = "") -> None:
    """Each framework's share of the highest matrix rate that any process reached."""
    rows = [(section.task, row) for section in summarize(results) for row in section.rows]
    for (task, share), backend in product(asked.items(), FRAMEWORKS):
        for of_task, row in rows:
            if (of_task, row.key[:2]) == (task, (backend, "tuned")) and row.verified:
                reached = row.share_of_matrix_rate or 0.0
                line(f"{task}{where}, {backend}: share of the matrix rate", share, reached, reached >= share)


def print_tuned_over_stock(results: Results) -> None:
    for (task, backend), asked in TUNED_OVER_STOCK.items():
        ratio = tuned_over_stock(results, task, backend)
        if ratio is not None:
            line(f"{task}, {backend}: tuned over stock", asked, ratio, ratio >= asked)


def print_ratios(results: Results) -> None:
    """Tuned over stock; the frameworks beside each other; the share of the machine's rate; how well rounds agree."""
    print_tuned_over_stock(results)
    for task, asked in APART.items():
        found = tuned_runs(results, task)
        if found:
            speeds = list(map(speed, found.values()))
            apart = speeds[0] / speeds[-1]
            line(f"{task}: fastest tuned over the slowest", asked, apart, apart <= asked)
        for backend, runs in found.items():
            speeds = [run.examples_per_second or 0 for run in runs]
            spread = max(speeds) / min(speeds)
            line(f"{task}, {backend}: fastest round over the slowest", SPREAD, spread, spread <= SPREAD)
    print_shares(results, SHARE_OF_MATRIX_RATE)


def print_formulations(results: Results) -> None:
    """The formulation that was chosen over the best of all, each timed in the same rounds."""
    executor = LocalExecutor(usable_cores())
    for task, backend in product(APART, FRAMEWORKS):
        runs = of(results, task, backend, "tuned")
        if not (runs and runs[0].race):
            continue
        speeds: dict[str, list[float]] = {name: [] for name in about(backend).formulations}
        for _ in range(ROUNDS):
            for name in random.sample(list(speeds), len(speeds)):
                run = executor.ask(backend, CellRequest(cell=runs[0].cell, formulation=name)).run
                if run is not None and run.settings.get("formulation") == name:
                    speeds[name].append(run.examples_per_second or 0)
        medians = {name: median(found) for name, found in speeds.items() if found}
        chosen = str(runs[0].settings["formulation"])
        ratio = medians[chosen] / max(medians.values())
        what = f"{task}, {backend}: {chosen} over the best formulation"
        line(what, OF_THE_BEST_FORMULATION, ratio, ratio >= OF_THE_BEST_FORMULATION)


def print_large_batches(folder: Path) -> None:
    """The shares of the matrix rate at batch 256, with certificates granted."""
    results = compare(tasks="mnist-cnn", backends=FRAMEWORKS, rounds=ROUNDS, batch_size=256, output=folder).results
    print_shares(results, SHARE_AT_256, " at batch 256")


def print_first_steps() -> None:
    """Seconds from the start of a process to the end of its first step, the compilers' caches warm."""
    examples = load_task("mnist-cnn").recipe.batch_size
    options = RunOptions(tasks=("mnist-cnn",), backends=FRAMEWORKS, epochs=1, examples=examples)
    executor = LocalExecutor(usable_cores())
    for cell in list_cells(options):
        executor.ask(cell.backend, CellRequest(cell=cell))  # fills the cache
        run = executor.ask(cell.backend, CellRequest(cell=cell)).run
        seconds = (run and run.first_epoch_end_seconds) or 0.0
        asked = FIRST_STEP_SECONDS[cell.backend]
        line(f"mnist-cnn, {cell.backend}: first step, s", asked, seconds, 0 < seconds <= asked)


def print_growth() -> None:
    """Whether seconds an epoch grow as the examples do, and memory does not."""
    task = load_task("mnist-mlp")
    for name in FRAMEWORKS:
        backend = RemoteBackend(name)
        backend.build(task, task.parameters(0))
        growth, held = backend.call("apply", "tests.worker.timing", "time_sizes", 6 * ROUNDS)
        backend.close()
        for size, ratio in zip(SIZES[1:], growth, strict=True):
            what = f"mnist-mlp, {name}: {size / SIZES[0]:.0f}x examples, time for each"
            line(what, 1, ratio, abs(ratio - 1) <= PROPORTIONAL)
        ratio = held[-1] / held[0]
        line(f"mnist-mlp, {name}: {SIZES[-1] / SIZES[0]:.0f}x examples, memory", 1, ratio, ratio <= 1 + PROPORTIONAL)


def write_readme(results: Results) -> None:
    """Puts the run's table between the markers."""
    host = results.host
    newest = results.runs[0].versions
    for run in results.runs:
        newest = {**newest, **run.versions}
    lines = [
        f"{datetime.now():%Y-%m-%d}, {host['cpu']}, {host['cores']} cores, {str(host['system']).partition(' ')[0]},"
        f" Python {host['python']}; {', '.join(map(' '.join, sorted(newest.items())))};"
        f" the median of {ROUNDS} rounds, `quick` preset:",
        "",
        "| task | backend | mode | test accuracy | parameters | training examples/s | tuned over stock |"
        " first epoch's end, s | total, s | certificate |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    cells = {(run.task, run.backend, run.mode) for run in results.runs}
    for task, backend, mode in product(dict.fromkeys(run.task for run in results.runs), FRAMEWORKS, MODES):
        if (task, backend, mode) not in cells:
            continue
        runs = of(results, task, backend, mode)
        if not runs:
            lines.append(f"| {task} | {backend} | {mode} | | | | | | | unverified |")
            continue
        over_stock = tuned_over_stock(results, task, backend) if mode == "tuned" else None
        ratio = "" if over_stock is None else f"{over_stock:.1f}"
        ends = median(run.first_epoch_end_seconds or 0 for run in runs)
        total = median(run.total_seconds or 0 for run in runs)
        lines.append(
            f"| {task} | {backend} | {mode} | {runs[0].accuracy:.4f} | {runs[0].parameter_count:,} |"
            f" {speed(runs):,.0f} | {ratio} | {ends:.1f} | {total:.1f} | granted |"
        )
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKERS[0])
    _, _, after = rest.partition(MARKERS[1])
    README.write_text(before + "\n".join([MARKERS[0], *lines, MARKERS[1]]) + after, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
