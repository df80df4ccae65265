"""The columns of the main table, which all forms of the report share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from compare.analysis.rows import Row, measure_of
from compare.analysis.sections import Section
from compare.analysis.statistics import Estimate
from compare.text import times_range


@dataclass(frozen=True)
class Figure:
    """One number of a table.

    Attributes:
        value: the number, unrounded; None if there is none.
        text: the number as it is shown.
        interval: its 95 % interval as it is shown; empty if there is none.
    """

    value: float | None
    text: str
    interval: str = ""

    def __str__(self) -> str:
        return f"{self.text} ({self.interval})" if self.interval else self.text


@dataclass(frozen=True)
class Column:
    """A column of the main table.

    Attributes:
        name: as in the results.
        heading: as it is shown; :meth:`title` gives it for rows that have R² instead of an accuracy.
        figure: gives a row's number: the median over its runs, for accuracy the mean over its seeds.
    """

    name: str
    heading: str
    figure: Callable[[Row], Figure]

    def title(self, rows: Iterable[Row]) -> str:
        """The heading over these rows."""
        return self.heading.replace("accuracy", measure_of(rows))


def make_figure(value: float | None, form: str, factor: float = 1) -> Figure:
    """A number in the given format, multiplied by a factor that changes its unit."""
    return Figure(None, "-") if value is None else Figure(value, format(value * factor, form))


def _median(field: str, form: str, factor: float = 1) -> Callable[[Row], Figure]:
    return lambda row: make_figure(row.median_of(field), form, factor)


def _estimate(field: str, form: str) -> Callable[[Row], Figure]:
    def figure(row: Row) -> Figure:
        estimate: Estimate | None = getattr(row, field)
        if estimate is None:
            return Figure(None, "-")
        words = " to ".join(format(end, form) for end in estimate.interval) if estimate.interval else ""
        return Figure(estimate.value, format(estimate.value, form), words)

    return figure


def _to_target(row: Row) -> Figure:
    """The median over the runs that reached the target, and how many did if not all of them."""
    figure = _median("seconds_to_target", ".2f")(row)
    reached = sum(run.seconds_to_target is not None for run in row.completed)
    if figure.value is None or reached == len(row.completed):
        return figure
    return Figure(figure.value, f"{figure.text}, {reached} of {len(row.completed)} runs")


def _matrix_share(row: Row) -> Figure:
    share = row.share_of_matrix_rate
    return Figure(None, "-") if share is None else Figure(share, f"{share * 100:.2g} %")


COLUMNS = (
    Column("accuracy", "test accuracy", _estimate("accuracy", ".4f")),
    Column("parameter_count", "parameters", _median("parameter_count", ",.0f")),
    Column("examples_per_second", "training, examples/s", _estimate("speed", ",.0f")),
    Column("first_epoch_end_seconds", "first epoch's end, s", _median("first_epoch_end_seconds", ".1f")),
    Column("import_seconds", "import, s", _median("import_seconds", ".1f")),
    Column("build_seconds", "build, s", _median("build_seconds", ".1f")),
    Column("compile_seconds", "compile, s", lambda row: make_figure(row.compile_seconds(warm=False), ".1f")),
    Column(
        "compile_warm_seconds",
        "compile with a warm cache, s",
        lambda row: make_figure(row.compile_seconds(warm=True), ".1f"),
    ),
    Column("total_seconds", "total, s", _median("total_seconds", ".1f")),
    Column("seconds_to_target", "to target accuracy, s", _to_target),
    Column("inference_examples_per_second", "inference, examples/s", _median("inference_examples_per_second", ",.0f")),
    Column("latency_seconds", "latency of one example, ms", _median("latency_seconds", ".3f", 1e3)),
    Column("latency_95_seconds", "95 % of latencies under, ms", _median("latency_95_seconds", ".3f", 1e3)),
    Column("peak_memory_bytes", "peak memory, MB", _median("peak_memory_bytes", ",.0f", 1e-6)),
    Column("matrix_share", "share of the machine's matrix rate", _matrix_share),
)
_MAIN = ("accuracy", "parameter_count", "examples_per_second", "first_epoch_end_seconds", "total_seconds")
_FIRST = ("accuracy", "examples_per_second")
MAIN_COLUMNS = tuple(column for column in COLUMNS if column.name in _MAIN)
"""The columns of a narrow table."""
NARROW_COLUMNS = tuple(sorted(MAIN_COLUMNS, key=lambda column: column.name not in _FIRST))
"""The same, the most important first: a terminal may not have room for all in one table."""


def filled_columns(section: Section) -> list[Column]:
    """The columns in which any row of the section has a number."""
    return [column for column in COLUMNS if any(column.figure(row).value is not None for row in section.rows)]


def text_table(section: Section) -> tuple[list[str], list[list[str]]]:
    """The narrow table of a section as text: its headings, and a list of cells for each row."""
    headings = ["backend", *(column.title(section.rows) for column in MAIN_COLUMNS)]
    headings += ["speed beside the fastest", "status", "certificate"]
    lines = []
    for row in section.rows:
        figures = [str(column.figure(row)) for column in MAIN_COLUMNS]
        lines.append([section.label(row), *figures, ratio_text(section, row), row.status, row.certificate_text])
    return headings, lines


def ratio_text(section: Section, row: Row) -> str:
    """The row's speed relative to the fastest row of its group, as an interval; or why there is none."""
    if section.refusal(row):
        return "not ranked"
    group = section.group_of(row)
    if group.conflict:
        return "not comparable"
    if not group.decided:
        return "alone" if len(group.rows) == 1 else "too few rounds"
    if row is group.rows[group.leader]:
        return "1 (the fastest)" if list(group.ranks.values()).count(1) == 1 else "1 (reference)"
    pair = group.beside_leader(row)
    if pair is None or pair.speed.interval is None:
        return "too few rounds"
    low, high = pair.speed.interval
    words = times_range(1 / high, 1 / low)
    return f"{words}, not distinguishable" if pair.speed.verdict == "not distinguishable" else words
