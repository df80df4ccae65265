"""The report as one HTML page that needs nothing else: no script, no request, a strict content-security policy."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from compare.analysis.groups import Compared
from compare.analysis.rows import Row
from compare.analysis.sections import Section, summarize
from compare.page.drawing import data_uris
from compare.page.page import read_style, render_page
from compare.records.certificate import Certificate, Distance
from compare.records.results import Results
from compare.report.arrays import first_arrays
from compare.report.charts import PHASES, draw, phase_seconds
from compare.report.columns import COLUMNS, Column, Figure, ratio_text
from compare.report.pictures import confusion, evaluation_set_of, weights_picture, wrong_digits
from compare.text import clean, times_range

CHART_BYTES = 3_000_000
"""Of all charts and pictures on the page; what would go beyond is left out, and said to be."""
PICTURED = 6
"""Rows of a task whose confusions, digits and weights are shown."""
DISTANCES = 4000
"""Figures of certificates on the page; with more, only the worst of each kind is shown."""


@dataclass(frozen=True)
class _Picture:
    title: str
    caption: str
    light: str
    dark: str


@dataclass(frozen=True)
class _Confusion:
    names: str
    classes: tuple[str, ...]
    counts: list[list[int]]
    shades: list[list[int]]


class _Page:
    """What the template asks for. Text is escaped by the template, and cleaned of control characters."""

    def __init__(self, results: Results, folder: Path | None) -> None:
        self.results = results
        self.folder = folder
        self.sections = summarize(results)
        self.phases = PHASES
        self.brief = sum(len(certificate.distances) for certificate in results.certificates) > DISTANCES
        self._left = CHART_BYTES

    @property
    def subtitle(self) -> str:
        host = self.results.host
        words = [clean(host[name]) for name in ("cpu", "system") if name in host]
        words[1:1] = [f"{clean(host['cores'])} cores"] if "cores" in host else []
        return ", ".join([*words, clean(self.results.created)])

    def columns(self, section: Section) -> list[Column]:
        """The columns in which any row has a figure."""
        return [c for c in COLUMNS if any(c.figure(row).value is not None for row in section.rows)]

    def charts(self, section: Section) -> tuple[list[_Picture], bool]:
        """The section's charts, and whether some were left out to keep the page small."""
        if self._left <= 0:
            return [], any(row.completed for row in section.rows)
        found: list[_Picture] = []
        for drawing in draw(section, self.folder):
            picture = _Picture(drawing.title, drawing.caption, *data_uris(drawing.chart))
            self._left -= len(picture.light) + len(picture.dark)
            if self._left <= 0:
                return found, True
            found.append(picture)
        return found, False

    def pictures(self, section: Section) -> dict[str, Any]:
        """Confusions, wrong digits and first-layer weights, as far as there are arrays, of the seed most rows have."""
        seeds = Counter(seed for row in section.rows for seed in dict.fromkeys(run.seed for run in row.completed))
        seed = seeds.most_common(1)[0][0] if seeds else 0
        rows = [Row(tuple(run for run in row.completed if run.seed == seed), row.certificate) for row in section.rows]
        rows = [row for row in rows if row.runs][:PICTURED]
        arrays = first_arrays(rows, self.folder)
        names = [section.label(row) for row in rows]
        found: dict[str, Any] = {"confusions": [], "digits": [], "digit_count": 0, "weights": [], "weights_apart": None}
        found |= {"seed": seed, "more": sum(bool(row.completed) for row in section.rows) - len(rows)}
        kernels = [(n, a["first_kernel"]) for n, a in zip(names, arrays, strict=True) if "first_kernel" in a]
        largest = max((float(abs(kernel).max()) for _, kernel in kernels), default=0.0)
        for name, kernel in kernels:
            if drawn := weights_picture(kernel, largest):
                found["weights"].append((name, *drawn))
        if len(kernels) > 1 and len({kernel.shape for _, kernel in kernels}) == 1:
            found["weights_apart"] = max(float(abs(kernel - kernels[0][1]).max()) for _, kernel in kernels[1:])
        given = []
        for name, row, array in zip(names, rows, arrays, strict=True):
            if "predictions" in array and (test_set := evaluation_set_of(row, array["predictions"])):
                given.append((name, array["predictions"], test_set))
        matrices: dict[bytes, tuple[list[str], Any]] = {}
        for name, predictions, test_set in given:
            counts = confusion(predictions, test_set)
            matrices.setdefault(counts.tobytes(), ([], counts))[0].append(name)
        for together, counts in matrices.values():
            # Shades are for the mistakes: the diagonal would drown them.
            worst = max(int((counts - counts * _eye(counts)).max()), 1)
            shades = [[0 if i == j else -(-4 * int(c) // worst) for j, c in enumerate(r)] for i, r in enumerate(counts)]
            found["confusions"].append(_Confusion(", ".join(together), given[0][2].classes, counts.tolist(), shades))
        if given:
            digits = wrong_digits([g[0] for g in given], [g[1] for g in given], given[0][2])
            found["digits"], found["digit_count"] = digits
        self._left -= sum(len(image) for _, image, _, _ in found["weights"])
        self._left -= sum(len(digit.image) for digit in found["digits"])
        found["omitted"] = self._left <= 0 and bool(found["weights"] or found["digits"])
        return found | {"weights": [], "digits": []} if found["omitted"] else found

    def layers(self, section: Section) -> list[tuple[str, list[int | None]]]:
        """Parameters by layer, a count for each row."""
        counts = [row.completed[0].parameter_counts if row.completed else {} for row in section.rows]
        names = dict.fromkeys(name for count in counts for name in count)
        return [(name, [count.get(name) for count in counts]) for name in names]

    def ledger(self, section: Section) -> tuple[list[tuple[str, str]], list[tuple[str, list[str]]]]:
        """The settings that all rows share, and those that differ, a value for each row."""
        facts = [_facts(row) for row in section.rows]
        shared, parted = [], []
        for name in dict.fromkeys(name for fact in facts for name in fact):
            values = [fact.get(name, "-") for fact in facts]
            known = {fact.get(name) for fact, row in zip(facts, section.rows, strict=True) if row.completed}
            if len(known) == 1 and (value := known.pop()) is not None:
                shared.append((name, value))
            else:
                parted.append((name, values))
        return shared, parted

    def certificates(self, section: Section) -> list[tuple[Certificate, list[Distance]]]:
        return [
            (c, _worst(c.distances) if self.brief else c.distances)
            for c in self.results.certificates
            if (c.task, c.recipe) == (section.task, section.recipe)
        ]

    def pairs(self, section: Section) -> list[Any]:
        return [p for p in self.results.pairs if (p.task, p.recipe) == (section.task, section.recipe)]


def render_html(results: Results, folder: Path | None, beside: Path | None = None) -> str:
    """The whole page.

    Args:
        results: what is shown.
        folder: of the run, for the arrays beside its results; None leaves out what is drawn from them.
        beside: the folder that the page is written to; where it holds ``lessons.html``, the page links to that.
    """
    return _render(results, folder, whole=True, lessons=beside is not None and (beside / "lessons.html").is_file())


def render_cell(results: Results, folder: Path | None) -> str:
    """The same tables and charts as one element, for the output of a notebook's cell; its style holds in it alone."""
    return _render(results, folder, whole=False, lessons=False)


def _render(results: Results, folder: Path | None, *, whole: bool, lessons: bool) -> str:
    values = {
        "page": _Page(results, folder),
        "results": results,
        "whole": whole,
        "lessons": lessons,
        "ratio_text": ratio_text,
        "ratio": _ratio,
        "phase_seconds": phase_seconds,
        "brief_number": _brief,
        "run_figure": _run_figure,
    }
    return render_page("report.html.j2", read_style("report.css"), values, finalize=_cleaned)


def _cleaned(value: Any) -> Any:
    return clean(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _eye(counts: Any) -> Any:
    import numpy as np

    return np.eye(len(counts), dtype=np.int64)


def _ratio(pair: Compared) -> str:
    if pair.speed.interval is None:
        return "-"
    return times_range(*pair.speed.interval)


def _brief(value: float | None, form: str) -> Figure:
    return Figure(None, "-") if value is None else Figure(value, format(value, form))


def _run_figure(run: Any, field: str, form: str) -> Figure:
    return _brief(getattr(run, field), form)


def _facts(row: Row) -> dict[str, str]:
    """What bears on a row's speed, as recorded: by name, differing runs' values beside each other."""
    found: dict[str, list[str]] = {}
    for run in row.completed or row.runs[:1]:
        facts: dict[str, object] = {**run.settings}
        facts |= {"versions": ", ".join(f"{n} {v}" for n, v in run.versions.items())} if run.versions else {}
        facts |= {"compile cache": run.compile_cache} if run.compile_cache else {}
        facts |= {"memory is": run.memory_source} if run.memory_source else {}
        facts |= {"epochs a timed call": run.epochs_a_call} if run.epochs_a_call else {}
        for name, value in facts.items():
            values = found.setdefault(clean(name).replace("_", " "), [])
            if clean(value) not in values:
                values.append(clean(value))
    loads = [run.load_average for run in row.runs if run.load_average is not None]
    if loads:
        spread = f" ({min(loads):.2f} to {max(loads):.2f})" if len(loads) > 1 else ""
        found["load average before the cell"] = [f"{median(loads):.2f}{spread}"]
    return {name: " or ".join(values[:5]) for name, values in found.items()}


def _worst(distances: Sequence[Distance]) -> list[Distance]:
    """Of each kind of quantity the one nearest to its limit, or furthest beyond."""
    from compare.report.terminal import quantity_group

    found: dict[str, Distance] = {}
    for distance in distances:
        group = quantity_group(distance.quantity)
        key = (not distance.passed, distance.relative / (distance.limit or 1))
        there = found.get(group)
        if there is None or key > (not there.passed, there.relative / (there.limit or 1)):
            found[group] = distance
    return list(found.values())
