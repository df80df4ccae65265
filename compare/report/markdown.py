"""The report as Markdown, for a README or an issue."""

import re

from compare.analysis.overview import overview
from compare.analysis.profiles import time_spent
from compare.analysis.remarks import machine_warning
from compare.analysis.sections import Section, summarize
from compare.analysis.sweeps import Sweep, find_sweeps
from compare.records.results import Results
from compare.report.columns import text_table
from compare.report.sweeps import SWEPT_COLUMNS, sweep_table
from compare.text import NO_RUNS, clean, times_range

_SPECIAL = re.compile(r"[\\`*_\[\]#|~$]|^[-+=](?!$)|^\d+(?=[.)](?:\s|$))")


def markdown_text(text: object) -> str:
    """Text that Markdown shows as it is: it makes no markup, no table cell, no HTML and no link."""
    harmless = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    harmless = _SPECIAL.sub(lambda match: match[0] + "\\" if match[0].isdigit() else "\\" + match[0], harmless)
    return harmless.replace("://", ":&#47;&#47;").replace("@", "&#64;").replace("www.", "www&#46;")


def render_markdown(results: Results) -> str:
    """A sentence and a table for each task, the runs that failed, and the machine."""
    lines = ["# Side by Side", ""]
    sections = summarize(results)
    if not sections:
        lines += [NO_RUNS, ""]
    for sweep in find_sweeps(sections):
        lines += _sweep(sweep)
    if sentence := overview(sections).sentence:
        lines += [markdown_text(sentence), ""]
    for section in sections:
        lines += _section(section)
    lines += ["## Machine and settings", ""]
    if warning := machine_warning(results.host):
        lines += [markdown_text(warning), ""]
    metadata = {"created": results.created, **results.host, **results.settings}
    lines += [f"- {markdown_text(name)}: {markdown_text(value)}" for name, value in metadata.items()]
    versions = {
        (clean(run.backend), ", ".join(f"{name} {number}" for name, number in run.versions.items())): None
        for run in results.runs
        if run.versions
    }
    lines += [f"- {markdown_text(backend)}: {markdown_text(text)}" for backend, text in versions]
    lines.append("")
    if results.command:
        lines += ["Reproduce with:", "", f"    {clean(results.command)}", ""]
    return "\n".join(lines)


def _sweep(sweep: Sweep) -> list[str]:
    headings, rows = sweep_table(sweep)
    lines = [f"## {markdown_text(sweep.heading)}", ""]
    lines.append(f"| {' | '.join(map(markdown_text, headings))} |")
    lines.append(f"|{' ---: |' * len(sweep.keys)} --- |{' ---: |' * len(SWEPT_COLUMNS)} --- |")
    return [*lines, *(f"| {' | '.join(map(markdown_text, cells))} |" for cells in rows), ""]


def _section(section: Section) -> list[str]:
    lines = [f"## {markdown_text(section.title)}", ""]
    lines += [line for text in (section.answer, section.caveats) if text for line in (markdown_text(text), "")]
    headings, rows = text_table(section)
    lines.append(f"| {' | '.join(headings)} |")
    lines.append("| --- | --- |" + " ---: |" * (len(headings) - 3) + " --- |")
    lines += [f"| {' | '.join(markdown_text(cell) if cell else ' ' for cell in cells)} |" for cells in rows]
    lines.append("")
    for pair in section.tutorial_costs:
        if pair.speed.interval:
            name = markdown_text(pair.first.key[0])
            line = f"- {name}, tuned beside its tutorial: {times_range(*pair.speed.interval)} times the speed"
            lines.append(f"{line}; the tutorial's input: {markdown_text(pair.input)}" if pair.input else line)
    lines += [f"- {markdown_text(who)}: {markdown_text(time_spent(profile))}" for who, profile in section.profiles]
    lines += [f"- {markdown_text(who)}: {warning}" for who, warning in section.warnings]
    if section.outliers:
        lines.append(f"- outliers, which are kept: {markdown_text(section.outliers)}")
    for row in section.rows:
        for run in row.runs:
            if run.status != "ok" or run.message:
                where = f"{section.label(row)}, seed {run.seed}, round {run.round}: {run.status}"
                lines.append(f"- {markdown_text(where)}: {markdown_text(run.message) or 'no message'}")
    return [*lines, ""] if lines[-1] else lines
