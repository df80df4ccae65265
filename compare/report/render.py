"""The report as text, in any of its forms."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from compare.records.results import Results

Format = Literal["markdown", "html", "csv", "json", "latex", "pyperf"]
FORMATS: tuple[Format, ...] = get_args(Format)
ENDINGS: dict[str, Format] = {
    ".html": "html", ".md": "markdown", ".csv": "csv", ".json": "json", ".tex": "latex",
}  # fmt: skip
"""Endings of file names, each with the form that a report in such a file has."""


def render(results: "Results", folder: Path | None, format: Format, beside: Path | None = None) -> str:
    """The report as text.

    Args:
        results: what is shown.
        folder: of the run, for the arrays beside its results; None leaves out what is drawn from them.
        format: ``markdown``, ``html``, ``csv``, ``json``, ``latex`` or ``pyperf``.
        beside: the folder that it is written to, for links to what lies there.

    Raises:
        ValueError: there is no such format.
    """
    # Each form is imported only when it is asked for: jinja2 and altair are slow to import, and a CSV needs neither.
    if format == "html":
        from compare.report.html import render_html

        return render_html(results, folder, beside)
    if format == "markdown":
        from compare.report.markdown import render_markdown

        return render_markdown(results)
    from compare.report.exports import render_csv, render_json, render_latex, render_pyperf

    tables = {"csv": render_csv, "json": render_json, "latex": render_latex, "pyperf": render_pyperf}
    if format not in tables:
        raise ValueError(f"unknown format {format!r}: choose from {', '.join(FORMATS)}")
    return tables[format](results)
