"""The report as one HTML page that needs nothing else: no script, no request, a strict content-security policy."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compare.analysis.overview import overview
from compare.analysis.profiles import longest
from compare.analysis.remarks import machine_warning
from compare.analysis.sections import Section, summarize
from compare.analysis.sweeps import Sweep, find_sweeps
from compare.page.drawing import Drawing, color_rules, inline
from compare.page.network import draw_network
from compare.page.page import read_style, render_page
from compare.records.certificate import Certificate, Distance, Pair
from compare.records.check import Check, Window
from compare.records.results import Results
from compare.report.arrays import unread_arrays
from compare.report.charts import PHASES, ROWS, draw, phase_seconds
from compare.report.columns import (
    LAST_COLUMN,
    MAIN_COLUMNS,
    certificate_cell,
    headings,
    make_figure,
    ratio_text,
    themes,
)
from compare.report.described import Described, describe
from compare.report.distances import by_task, worst_by_group
from compare.report.phrases import mean, prose, ratio, result, row_settings
from compare.report.pictures import Pictures, section_pictures
from compare.report.sweeps import SWEPT_COLUMNS, draw_sweep
from compare.report.weights import ShownWeights, section_weights
from compare.text import NO_RUNS, clean, label, times, times_range
from tasks.mnist import SHA256

if TYPE_CHECKING:
    from markupsafe import Markup

LEARNING = (
    "validation", "accuracy-by-epoch", "loss-by-time", "learning-curves", "distances", "accuracy", "predictions",
)  # fmt: skip
"""The charts of how the models learned, by name."""
CHART_BYTES = 3_000_000
"""Limit for all charts and pictures of a page; the page says what was left out."""
CHECKS = 12
"""Runs of a task whose checks a page shows."""
DISTANCES = 500
"""Distances of certificates that a page shows; if there are more, it shows only the worst of each group."""


@dataclass(frozen=True)
class _Picture:
    name: str
    title: str
    caption: str
    svg: "Markup"


class _Page:
    """What the template asks for. The template escapes text and removes control characters."""

    def __init__(self, results: Results, folder: Path | None) -> None:
        self.results = results
        self.folder = folder
        self.sections = summarize(results)
        self.sweeps = find_sweeps(self.sections)
        self.overview = overview(self.sections)
        self.phases = PHASES
        self.no_runs = NO_RUNS
        self.warning = machine_warning(results.host)
        self.brief = sum(len(certificate.distances) for certificate in results.certificates) > DISTANCES
        self._certificates = by_task(results.certificates)
        self._pairs = by_task(results.pairs)
        self._left = CHART_BYTES
        self._own_data = results.settings.get("data_sha256") in (None, SHA256)

    @property
    def subtitle(self) -> str:
        host = self.results.host
        words = [clean(host[name]) for name in ("cpu", "system") if name in host]
        words[1:1] = [f"{clean(host['cores'])} cores"] if "cores" in host else []
        return ", ".join([*words, clean(self.results.created)])

    def charts(self, section: Section) -> tuple[list[_Picture], bool]:
        """The section's charts, and whether some were left out to keep the page small."""
        if self._left <= 0:
            return [], any(row.completed for row in section.rows)
        pictures: list[_Picture] = []
        for drawing in draw(section, self.folder):
            picture = _picture(drawing, section.title)
            self._left -= len(picture.svg)
            if self._left <= 0:
                return pictures, True
            pictures.append(picture)
        return pictures, False

    def pictures(self, section: Section) -> Pictures:
        """Confusion matrices, wrong digits and first-layer weights; not the last two if the page has no room left."""
        pictures = section_pictures(section, self.folder, own_data=self._own_data)
        self._left -= pictures.characters
        if self._left > 0 or not pictures.characters:
            return pictures
        return replace(pictures, first_digits=[], digits=[], weights=[], omitted=True)

    def sweep_chart(self, sweep: Sweep) -> _Picture | None:
        """The chart of a sweep."""
        drawing = draw_sweep(sweep)
        return None if drawing is None else _picture(drawing, sweep.title)

    def weights(self, section: Section) -> list[tuple[ShownWeights, str, "Markup | None"]]:
        """Each kernel and bias, its shape in words, and its histograms if there is room."""
        found: list[tuple[ShownWeights, str, Markup | None]] = []
        for shown in section_weights(section, self.folder):
            about = f"Histogram of the values of {shown.name}, {section.title}; the table below has their statistics."
            svg = inline(shown.chart, about) if self._left > 0 else None
            self._left -= len(svg or "")
            found.append((shown, " x ".join(map(str, shown.shape)), svg if self._left > 0 else None))
        return found

    def described(self, section: Section) -> Described | None:
        """What the section's rows trained."""
        return describe(section)

    def checks(self, section: Section) -> list[tuple[str, Check, list[tuple[Window, Distance]]]]:
        """The checks of a task's runs, each with its name, and of each window the quantity nearest to its limit.

        Where there are many runs, those that are not granted come first.
        """
        found = []
        checked = [run for row in section.rows for run in row.completed if run.check is not None and not run.unchecked]
        for run in sorted(checked, key=lambda run: run.check is None or run.check.passed)[:CHECKS]:
            assert run.check is not None
            worst = [
                (w, max(w.distances, key=lambda distance: distance.share)) for w in run.check.windows if w.distances
            ]
            name = label(run, ("backend", "mode", "device"), seed=run.seed, round=run.round)
            found.append((name, run.check, worst))
        return found

    def checked(self, section: Section) -> int:
        """How many runs of a task were checked."""
        return sum(run.check is not None and not run.unchecked for row in section.rows for run in row.completed)

    def unread(self, section: Section) -> str:
        """The files of arrays that should be shown and cannot be read, with the reasons."""
        rows = [row for row in section.rows if row.completed]
        return ", ".join(unread_arrays(rows[:ROWS], self.folder))

    def layers(self, section: Section) -> list[tuple[str, list[int | None]]]:
        """The parameters of each layer, as a count for each row."""
        counts = [row.completed[0].parameter_counts if row.completed else {} for row in section.rows]
        names = dict.fromkeys(name for count in counts for name in count)
        return [(name, [count.get(name) for count in counts]) for name in names]

    def ledger(self, section: Section) -> tuple[list[tuple[str, str]], list[tuple[str, list[str]]]]:
        """The settings that all completed rows share, and those that differ, as a value for each row."""
        settings = [row_settings(row) for row in section.rows]
        shared, different = [], []
        for name in dict.fromkeys(name for of_row in settings for name in of_row):
            values = {of_row.get(name) for of_row, row in zip(settings, section.rows, strict=True) if row.completed}
            if len(values) == 1 and (value := values.pop()) is not None:
                shared.append((name, value))
            else:
                different.append((name, [of_row.get(name, "-") for of_row in settings]))
        return shared, different

    def certificates(self, section: Section) -> list[tuple[str, Certificate, list[Distance]]]:
        """The certificates of a task, each with its name and the distances that are shown."""
        return [
            (
                label(c, ("backend", "mode", "device")),
                c,
                list(worst_by_group(c.distances).values()) if self.brief else c.distances,
            )
            for c in self._certificates.get((section.task, section.recipe), [])
        ]

    def pairs(self, section: Section) -> list[Pair]:
        return self._pairs.get((section.task, section.recipe), [])


def render_html(results: Results, folder: Path | None, beside: Path | None = None) -> str:
    """The whole page.

    Args:
        results: what is shown.
        folder: of the run, for the arrays beside its results; None leaves out what is drawn from them.
        beside: the folder that the page is written to; where it holds ``lessons.html``, the page links to that.
    """
    return _render(results, folder, whole=True, lessons=beside is not None and (beside / "lessons.html").is_file())


def render_cell(results: Results, folder: Path | None) -> str:
    """The same tables and charts as one element for a notebook's cell; its style affects nothing outside."""
    return _render(results, folder, whole=False, lessons=False)


def _render(results: Results, folder: Path | None, *, whole: bool, lessons: bool) -> str:
    values = {
        "page": _Page(results, folder),
        "results": results,
        "whole": whole,
        "lessons": lessons,
        "headings": headings,
        "main_columns": MAIN_COLUMNS,
        "last_column": LAST_COLUMN,
        "certificate_cell": certificate_cell,
        "themes": themes,
        "learning": LEARNING,
        "result": result,
        "mean": mean,
        "swept_columns": SWEPT_COLUMNS,
        "ratio_text": ratio_text,
        "ratio": ratio,
        "prose": prose,
        "times": times,
        "times_range": times_range,
        "longest": longest,
        "phase_seconds": phase_seconds,
        "figure": make_figure,
        "draw_network": draw_network,
    }
    return render_page("report.html.j2", read_style("report.css") + color_rules(), values, finalize=_cleaned)


def _picture(drawing: Drawing, title: str) -> _Picture:
    svg = inline(drawing.chart, f"{drawing.title} of {title}. {drawing.caption}")
    return _Picture(drawing.name, drawing.title, drawing.caption, svg)


def _cleaned(value: Any) -> Any:
    return clean(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
