"""The README's table of published accuracies: ``python -m tests.published`` writes it from ``compare/published``.

Each file there is the ``results.json`` of a run of one task with the preset ``full`` and three seeds.
"""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from statistics import fmean

from compare.analysis.equivalence import equivalent
from compare.analysis.rows import Row
from compare.analysis.sections import summarize
from compare.records.results import Results
from compare.run.reading import read_results

ROOT = Path(__file__).parent.parent
README, FOLDER = ROOT / "README.md", ROOT / "compare" / "published"
MARKERS = "<!-- published -->", "<!-- /published -->"
ASKED = {
    "mnist-pytorch-example": 0.991,
    "mnist-keras-example": 0.991,
    "mnist-flax-example": 0.990,
    "mnist-resnet": 0.993,
}
"""The mean accuracy that each framework is to reach."""
MARGIN = 0.002
SEEDS = 3


def main() -> None:
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKERS[0])
    _, _, after = rest.partition(MARKERS[1])
    README.write_text(before + "\n".join([MARKERS[0], *lines(), MARKERS[1]]) + after, encoding="utf-8")


def published() -> dict[str, Results]:
    """The results by task, in the order of ``ASKED``."""
    return {task: read_results(path) for task in ASKED if (path := FOLDER / f"{task}.json").exists()}


def lines() -> Iterator[str]:
    """The lines of the table."""
    yield "| task | asked | PyTorch | Keras | JAX | equivalent within 0.2 points | measured |"
    yield "|---|---:|---:|---:|---:|---|---|"
    for task, results in published().items():
        rows = {row.key[0]: row for row in rows_of(results)}
        means = " | ".join(f"{100 * mean_of(rows[name]):.2f} %" for name in ("pytorch", "keras", "jax"))
        host = f"{results.created[:10]}, {results.host['cpu']}, {results.host['cores']} cores"
        said = "yes" if all(equal for _, _, equal in equivalences(results)) else "not shown"
        yield f"| `{task}` | {100 * ASKED[task]:.1f} % | {means} | {said} | {host} |"


def rows_of(results: Results) -> list[Row]:
    (section,) = summarize(results)
    return section.rows


def mean_of(row: Row) -> float:
    return fmean(row.accuracies.values())


def equivalences(results: Results) -> Iterator[tuple[str, str, bool]]:
    """Of every two frameworks, whether their accuracies are equivalent, by two one-sided t tests."""
    for first, second in combinations(rows_of(results), 2):
        pairs = [(first.accuracies[seed], second.accuracies[seed]) for seed in range(SEEDS)]
        test = equivalent(*zip(*pairs, strict=True), margin=MARGIN)
        yield first.key[0], second.key[0], bool(test.equivalent)


if __name__ == "__main__":
    main()
