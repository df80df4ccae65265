"""The benchmark: ``tox -e benchmark``. Runs the README's comparison, prints what is asked of speed and what is reached.

Every figure is a ratio within one run: machines differ, and share their time. The table that it writes into the README
between its markers is that of this run.
"""

import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from statistics import median

from compare.results import Results, Run, read_results

README = Path(__file__).parent.parent / "README.md"
MARKERS = "<!-- run -->", "<!-- /run -->"
ROUNDS = 5
TUNED_OVER_STOCK = {
    ("mnist-cnn", "pytorch"): 2.4,
    ("mnist-cnn", "keras"): 1.8,
    ("mnist-cnn", "jax"): 2.0,
    ("mnist-mlp", "pytorch"): 5.5,
    ("mnist-mlp", "keras"): 3.0,
    ("mnist-mlp", "jax"): 1.7,
    ("iris-mlp", "pytorch"): 6.0,
    ("iris-mlp", "keras"): 35.0,
    ("iris-mlp", "jax"): 50.0,
}
SHARE_OF_MATRIX_RATE = {"mnist-cnn": 0.15, "mnist-mlp": 0.55}
APART = 1.25


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="sidebyside-") as name:
        folder = Path(name) / "run"
        command = [sys.executable, "-m", "compare", "run", "--mode", "both", "--rounds", str(ROUNDS)]
        status = subprocess.run([*command, "--output", str(folder), *sys.argv[1:]], check=False).returncode
        results = read_results(folder)
    print_asked_and_reached(results)
    write_readme(results)
    return status


def of(results: Results, task: str, backend: str, mode: str) -> list[Run]:
    """The certified runs of a cell, by round."""
    runs = [run for run in results.runs if (run.task, run.backend, run.mode, run.status) == (task, backend, mode, "ok")]
    return sorted((run for run in runs if results.verified(run)), key=lambda run: run.round)


def speed(runs: list[Run]) -> float:
    return median(run.examples_per_second or 0 for run in runs)


def share(runs: list[Run]) -> float:
    """Of the matrix rate that the same process reaches."""
    return median(run.share_of_matrix_rate or 0 for run in runs)


def print_asked_and_reached(results: Results) -> None:
    print(f"\n{'':44} {'asked':>8} {'reached':>8}")
    for (task, backend), asked in TUNED_OVER_STOCK.items():
        tuned, stock = of(results, task, backend, "tuned"), of(results, task, backend, "stock")
        if tuned and stock:
            ratios = [
                (a.examples_per_second or 0) / (b.examples_per_second or 1) for a, b in zip(tuned, stock, strict=False)
            ]
            line(f"{task}, {backend}: tuned over stock", asked, median(ratios), median(ratios) >= asked)
    fastest = {}
    for task in ("mnist-cnn", "mnist-mlp"):
        runs = {backend: of(results, task, backend, "tuned") for backend in ("pytorch", "keras", "jax")}
        found = {backend: tuned for backend, tuned in runs.items() if tuned}
        if found:
            fastest[task] = max(found, key=lambda backend: speed(found[backend]))
            if task == "mnist-cnn":
                apart = speed(found[fastest[task]]) / min(map(speed, found.values()))
                line("mnist-cnn: fastest tuned over the slowest", APART, apart, apart <= APART)
            reached = share(found[fastest[task]])
            asked = SHARE_OF_MATRIX_RATE[task]
            line(f"{task}, {fastest[task]}: share of the matrix rate", asked, reached, reached >= asked)
    parent = max((run.runner_cpu_share or 0 for run in results.runs), default=0)
    line("parent process, share of a core", 0.01, parent, parent < 0.01)


def line(what: str, asked: float, reached: float, well: bool) -> None:
    print(f"{what:44} {asked:8.2f} {reached:8.2f} {'' if well else ' short'}")


def write_readme(results: Results) -> None:
    """Puts the run's table between the markers."""
    host = results.host
    newest = results.runs[0].versions
    for run in results.runs:
        newest = {**newest, **run.versions}
    lines = [
        f"{date.today():%Y-%m-%d}, {host['cpu']}, {host['cores']} cores, {str(host['system']).partition(' ')[0]},"
        f" Python {host['python']}; {', '.join(map(' '.join, sorted(newest.items())))};"
        f" the median of {ROUNDS} rounds, `quick` preset:",
        "",
        "| task | backend | mode | test accuracy | parameters | training examples/s | tuned over stock |"
        " first epoch's end, s | total, s | certificate |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for task, backend, mode in dict.fromkeys((run.task, run.backend, run.mode) for run in results.runs):
        runs = of(results, task, backend, mode)
        if not runs:
            lines.append(f"| {task} | {backend} | {mode} | | | | | | | unverified |")
            continue
        stock = of(results, task, backend, "stock")
        ratio = f"{speed(runs) / speed(stock):.1f}" if mode == "tuned" and stock else ""
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
