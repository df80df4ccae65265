"""The columns of the main table, which all forms of the report share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from compare.analysis.rows import Row, measure_of
from compare.analysis.sections import Section
from compare.analysis.statistics import Estimate
from compare.text import times, times_range


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


def _of_gpu(field: str, form: str, factor: float) -> Callable[[Row], Figure]:
    """The median over the runs whose GPU's driver told it."""

    def figure(row: Row) -> Figure:
        known = [value for run in row.completed if run.gpu and (value := getattr(run.gpu, field)) is not None]
        return make_figure(median(known) if known else None, form, factor)

    return figure


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
    Column("examples_per_second", "training examples/s", _estimate("speed", ",.0f")),
    Column(
        "first_epoch_end_seconds", "time to the end of the first epoch, s", _median("first_epoch_end_seconds", ".1f")
    ),
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
    Column("inference_examples_per_second", "inference examples/s", _median("inference_examples_per_second", ",.0f")),
    Column("latency_seconds", "median latency of one example, ms", _median("latency_seconds", ".3f", 1e3)),
    Column("latency_95_seconds", "95th-percentile latency, ms", _median("latency_95_seconds", ".3f", 1e3)),
    Column("peak_memory_bytes", "peak memory, MB", _median("peak_memory_bytes", ",.0f", 1e-6)),
    Column("driver_memory", "memory by the GPU's driver, MB", _of_gpu("memory_bytes", ",.0f", 1e-6)),
    Column("joules", "energy of the GPU for 1,000 examples, J", _of_gpu("joules_per_example", ",.3g", 1e3)),
    Column("operations_per_second", "matrix products, GFLOP/s", _median("operations_per_second", ",.1f", 1e-9)),
    Column("matrix_share", "share of peak matrix-multiply speed", _matrix_share),
)
_BY_NAME = {column.name: column for column in COLUMNS}
MAIN_COLUMNS = tuple(_BY_NAME[name] for name in ("accuracy", "parameter_count", "examples_per_second"))
"""The numbers of the main table before the ratio; :data:`LAST_COLUMN` stands after it."""
LAST_COLUMN = _BY_NAME["first_epoch_end_seconds"]
RATIO = "ratio to the fastest of its loop"
THEMES = {
    "Time": (
        "import_seconds",
        "build_seconds",
        "compile_seconds",
        "compile_warm_seconds",
        "total_seconds",
        "seconds_to_target",
    ),
    "Inference and memory": (
        "inference_examples_per_second",
        "latency_seconds",
        "latency_95_seconds",
        "peak_memory_bytes",
        "driver_memory",
    ),
    "Work": ("operations_per_second", "matrix_share", "joules"),
}
"""The columns of the other tables, by their headings."""


def themes(section: Section) -> dict[str, list[Column]]:
    """The other tables that have a number for any row of the section, each with its columns."""
    filled = {column.name for column in filled_columns(section)}
    found = {name: [_BY_NAME[column] for column in columns if column in filled] for name, columns in THEMES.items()}
    return {name: columns for name, columns in found.items() if columns}


def filled_columns(section: Section) -> list[Column]:
    """The columns in which any row of the section has a number."""
    return [column for column in COLUMNS if any(column.figure(row).value is not None for row in section.rows)]


def headings(section: Section) -> list[str]:
    """The headings of the main table; in each form of the report it is the same."""
    numbers = [column.title(section.rows) for column in MAIN_COLUMNS]
    return ["framework", "loop", *numbers, RATIO, LAST_COLUMN.heading, "certificate"]


def text_table(section: Section) -> tuple[list[str], list[list[str]]]:
    """The main table of a section as text: its headings, and a list of cells for each row."""
    lines = []
    for row in section.rows:
        numbers = [str(column.figure(row)) for column in MAIN_COLUMNS]
        last = [ratio_text(section, row), str(LAST_COLUMN.figure(row)), certificate_cell(row)]
        lines.append([section.framework(row), row.first.mode, *numbers, *last])
    return headings(section), lines


def certificate_cell(row: Row) -> str:
    """The row's certificate; where runs did not end well, what became of them."""
    if row.status == "ok":
        return row.certificate_text
    return f"{row.status}; {row.certificate_text}" if row.completed else row.status


def ratio_text(section: Section, row: Row) -> str:
    """The row's speed relative to the fastest row of its group, with its interval; or why there is none."""
    if section.refusal(row):
        return "not ranked"
    group = section.group_of(row)
    if group.conflict:
        return "not comparable"
    if not group.decided:
        return "alone" if len(group.rows) == 1 else "too few rounds"
    if row is group.rows[group.leader]:
        return "1"
    pair = group.beside_leader(row)
    if pair is None or pair.speed.interval is None:
        return "too few rounds"
    low, high = pair.speed.interval
    return f"{times(1 / pair.speed.ratio)} ({times_range(1 / high, 1 / low)})"
