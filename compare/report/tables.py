"""Tables that other programs read: CSV, JSON and LaTeX; and the columns that all tables share."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from compare.analysis.rows import Row
from compare.analysis.sections import Section, summarize
from compare.analysis.statistics import Estimate
from compare.records.results import SCHEMA_VERSION, Results
from compare.records.run import Run
from compare.text import clean, times_range

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # and the full-width forms
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    '"': r"\textquotedbl{}", "|": r"\textbar{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}",
    "-": "{-}", "[": "{[}", "*": "{*}",
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One number of a table.

    Attributes:
        value: as in the results, unrounded; None where there is none.
        text: as people read it.
        interval: the 95 % interval as people read it; empty where there is none.
    """

    value: float | None
    text: str
    interval: str = ""


@dataclass(frozen=True)
class Column:
    """A column of the main table: the figure is the median over a row's runs; accuracy is the mean over seeds."""

    name: str
    heading: str
    figure: Callable[[Row], Figure]


def _plain(field: str, form: str, factor: float = 1) -> Callable[[Row], Figure]:
    def figure(row: Row) -> Figure:
        value = row.median_of(field)
        return Figure(None, "-") if value is None else Figure(value, format(value * factor, form))

    return figure


def _estimate(field: str, form: str) -> Callable[[Row], Figure]:
    def figure(row: Row) -> Figure:
        estimate: Estimate | None = getattr(row, field)
        if estimate is None:
            return Figure(None, "-")
        words = " to ".join(format(end, form) for end in estimate.interval) if estimate.interval else ""
        return Figure(estimate.value, format(estimate.value, form), words)

    return figure


def _compile(*, warm: bool) -> Callable[[Row], Figure]:
    def figure(row: Row) -> Figure:
        value = row.compile_seconds(warm=warm)
        return Figure(None, "-") if value is None else Figure(value, f"{value:.1f}")

    return figure


def _to_target(row: Row) -> Figure:
    """The median over the runs that reached the target, and how many of how many did, where not all."""
    figure = _plain("seconds_to_target", ".2f")(row)
    reached = sum(run.seconds_to_target is not None for run in row.completed)
    if figure.value is None or reached == len(row.completed):
        return figure
    return Figure(figure.value, f"{figure.text}, {reached} of {len(row.completed)} runs")


def _matrix_share(row: Row) -> Figure:
    """The arithmetic of training over what a large matrix product reaches in the same process."""
    shares = [run.share_of_matrix_rate for run in row.completed if run.share_of_matrix_rate is not None]
    return Figure(median(shares), f"{median(shares) * 100:.2g} %") if shares else Figure(None, "-")


COLUMNS = (
    Column("accuracy", "test accuracy", _estimate("accuracy", ".4f")),
    Column("parameter_count", "parameters", _plain("parameter_count", ",.0f")),
    Column("examples_per_second", "training, examples/s", _estimate("speed", ",.0f")),
    Column("first_epoch_end_seconds", "first epoch's end, s", _plain("first_epoch_end_seconds", ".1f")),
    Column("import_seconds", "import, s", _plain("import_seconds", ".1f")),
    Column("build_seconds", "build, s", _plain("build_seconds", ".1f")),
    Column("compile_seconds", "compile, s", _compile(warm=False)),
    Column("compile_warm_seconds", "compile with a warm cache, s", _compile(warm=True)),
    Column("total_seconds", "total, s", _plain("total_seconds", ".1f")),
    Column("seconds_to_target", "to target accuracy, s", _to_target),
    Column("inference_examples_per_second", "inference, examples/s", _plain("inference_examples_per_second", ",.0f")),
    Column("latency_seconds", "latency of one example, ms", _plain("latency_seconds", ".3f", 1e3)),
    Column("latency_95_seconds", "95 % of latencies under, ms", _plain("latency_95_seconds", ".3f", 1e3)),
    Column("peak_memory_bytes", "peak memory, MB", _plain("peak_memory_bytes", ",.0f", 1e-6)),
    Column("matrix_share", "share of the machine's matrix rate", _matrix_share),
)
MAIN = ("accuracy", "parameter_count", "examples_per_second", "first_epoch_end_seconds", "total_seconds")
"""The columns of a narrow table."""


def main_columns() -> tuple[Column, ...]:
    return tuple(column for column in COLUMNS if column.name in MAIN)


def ratio_text(section: Section, row: Row) -> str:
    """The row's speed beside the fastest of its group, as an interval; or why there is none."""
    if section.refusal(row):
        return "not ranked"
    for group in section.groups:
        if not any(other is row for other in group.rows):
            continue
        if group.conflict:
            return "not comparable"
        if not group.decided:
            return "alone" if len(group.rows) == 1 else "too few rounds"
        leader = group.rows[group.leader]
        if row is leader:
            return "1 (the fastest)" if list(group.ranks.values()).count(1) == 1 else "1 (reference)"
        for pair in group.comparisons:
            if pair.first is leader and pair.second is row and pair.speed.interval:
                low, high = pair.speed.interval
                words = times_range(1 / high, 1 / low)
                return f"{words}, not distinguishable" if pair.speed.verdict == "not distinguishable" else words
    return "too few rounds"


def records(results: Results) -> list[dict[str, Any]]:
    """One flat dictionary a run, in the order of the file: what CSV holds, and what a data frame is made of."""
    found = []
    for run in results.runs:
        certificate = results.certificate_of(run)
        values: dict[str, Any] = {name: _flat(getattr(run, name)) for name in type(run).model_fields}
        values["verified"] = certificate is not None and certificate.granted
        values["certificate_failure"] = certificate.failure if certificate else "no certificate"
        values |= {f"host_{name}": results.host.get(name) for name in ("cpu", "cores", "system")}
        values["created"] = results.created
        found.append(values)
    return found


def _flat(value: Any) -> Any:
    if isinstance(value, dict):
        return "; ".join(f"{name}={_flat(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        if any(not isinstance(part, int | float) for part in value):
            return json.dumps(value, default=str)
        return value[0] if len(value) == 1 else " ".join(map(repr, value))
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def neutral(text: str) -> str:
    """Text that a spreadsheet shows and does not compute."""
    harmless = clean(text)
    return f"'{harmless}" if text.startswith(_FORMULA) or harmless.startswith(_FORMULA) else harmless


def render_csv(results: Results) -> str:
    """One line a run. Lists stand in one cell, parted by blanks."""
    names = [*Run.model_fields, "verified", "certificate_failure", "host_cpu", "host_cores", "host_system", "created"]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    for values in records(results):
        writer.writerow([neutral(value) if isinstance(value, str) else value for value in map(values.get, names)])
    return file.getvalue()


def render_json(results: Results) -> str:
    """The results as ``results.json`` holds them, in visible ASCII: what else a text holds is escaped."""
    text = json.dumps(results.model_dump(mode="json"), indent=1)
    return text.replace("\x7f", "\\u007f") + "\n"


def json_schema() -> str:
    """The JSON Schema of ``results.json`` and of what :func:`render_json` gives; published in ``compare/schema``."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    title = {"title": f"sidebyside results, version {SCHEMA_VERSION}"}
    return json.dumps(dialect | Results.model_json_schema() | title, indent=1) + "\n"


def latex_text(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in clean(text))


def render_latex(results: Results) -> str:
    """A table for each task, for LaTeX with the package booktabs."""
    parts = ["% needs \\usepackage{booktabs,textcomp} and UTF-8"]
    for section in summarize(results):
        columns = main_columns()
        heads = [
            "backend",
            *(column.heading for column in columns),
            "speed beside the fastest",
            "status",
            "certificate",
        ]
        lines = [
            r"\begin{table}",
            rf"\caption{{{latex_text(section.sentence)}}}",
            rf"\begin{{tabular}}{{l{'r' * len(columns)}lll}}",
            r"\toprule",
            " & ".join(map(latex_text, heads)) + r" \\",
            r"\midrule",
        ]
        for row in section.rows:
            figures = [column.figure(row) for column in columns]
            cells = [f"{f.text} ({f.interval})" if f.interval else f.text for f in figures]
            words = [section.label(row), *cells, ratio_text(section, row), row.status, row.certificate_text]
            lines.append(" & ".join(map(latex_text, words)) + r" \\")
        lines += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
