"""The results for other programs: CSV, JSON with its schema, and LaTeX."""

import csv
import io
import json
import re
from typing import Any

from compare.analysis.sections import summarize
from compare.records.certificate import Certificate
from compare.records.profile import Profile
from compare.records.results import SCHEMA_VERSION, Results
from compare.records.run import Curve, Gpu, Run
from compare.report.columns import LAST_COLUMN, MAIN_COLUMNS, ratio_text
from compare.text import clean, label, workload_label

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # and the full-width forms
_LATEX_HEADINGS = "framework & loop & {%s} & {param.} & {ex./s} & {ratio} & {epoch} & cert."
_LATEX_NOTE = (
    "{} on the test set, parameters, training examples per second, ratio of the speed to that of the fastest of the"
    " same loop, seconds from the start of the process to the end of the first epoch, certificate."
)
LONGEST_CELL = 32_767
"""Characters that a cell of Excel holds; of a longer one it loses the end, or refuses the file."""
_CUT = "... (cut; whole in results.json)"
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    '"': r"\textquotedbl{}", "|": r"\textbar{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}",
    "-": "{-}", "[": "{[}", "*": "{*}",
}  # fmt: skip


def _flat(value: Any) -> Any:
    """A field of a run as the value of one cell."""
    if isinstance(value, dict):
        return "; ".join(f"{name}={_flat(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        if any(not isinstance(part, int | float) for part in value):
            return json.dumps(value, default=str)
        text = " ".join(map(repr, value))
        if len(text) > LONGEST_CELL:
            return f"{len(value)} values, in results.json"
        return value[0] if len(value) == 1 else text
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def neutral(text: str) -> str:
    """Text that a spreadsheet shows as it is, instead of computing it as a formula; cut to what a cell may hold."""
    harmless = clean(text)
    harmless = f"'{harmless}" if text.startswith(_FORMULA) or harmless.startswith(_FORMULA) else harmless
    return harmless if len(harmless) <= LONGEST_CELL else harmless[: LONGEST_CELL - len(_CUT)] + _CUT


def render_csv(results: Results) -> str:
    """One line per run, in the order of the results; the values of a list stand in one cell, separated by blanks."""
    host = ("cpu", "cores", "system")
    fields = [
        name
        for name in Run.model_fields
        if name not in ("check", "nudged_losses", "second_losses", "race", "machine", "curve", "gpu", "profile")
    ]
    curve = [name for name in Curve.model_fields if name != "training_losses"]
    profile = [name for name in Profile.model_fields if name != "longest"]
    names = [
        *fields,
        *(f"curve_{name}" for name in curve),
        *(f"gpu_{name}" for name in Gpu.model_fields),
        *(f"profile_{name}" for name in profile),
        "verified",
        "certificate_failure",
        *(f"host_{name}" for name in host),
        "created",
    ]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    certificates = {certificate.subject: certificate for certificate in reversed(results.certificates)}
    for run in results.runs:
        certificate = certificates.get(run.subject)
        cells = [
            *(_flat(getattr(run, name)) for name in fields),
            *(_flat(getattr(run.curve, name, None)) for name in curve),
            *(_flat(getattr(run.gpu, name, None)) for name in Gpu.model_fields),
            *(_flat(getattr(run.profile, name, None)) for name in profile),
            certificate is not None and certificate.granted and run.check is not None and run.check.passed,
            _failure(run, certificate),
            *(results.host.get(name) for name in host),
            results.created,
        ]
        writer.writerow([neutral(cell) if isinstance(cell, str) else cell for cell in cells])
    return file.getvalue()


def _failure(run: Run, certificate: Certificate | None) -> str:
    """What speaks against a run; empty if nothing does."""
    if certificate is None:
        return "no certificate"
    if run.status == "ok" and run.check is None:
        return "not checked"
    return certificate.failure or (run.check.failure if run.check else "")


def render_json(results: Results) -> str:
    """The results as in ``results.json``, in printable ASCII; all other characters are escaped."""
    text = json.dumps(results.model_dump(mode="json"), indent=1)
    return text.replace("\x7f", "\\u007f") + "\n"


def render_pyperf(results: Results) -> str:
    """The seconds of the steady epochs as pyperf's own file, version 1.0: ``pyperf compare_to A.json B.json``.

    A benchmark for each row, a run for each run of it that was completed.
    """
    benchmarks = []
    for section in summarize(results):
        for row in section.rows:
            runs = [
                {"metadata": {"date": clean(results.created)}, "values": run.epoch_seconds}
                for run in row.completed
                if run.epoch_seconds
            ]
            name = f"{section.title} {label(row.first, ('backend', 'mode', 'device'))}, {workload_label(*row.workload)}"
            about = {"name": clean(name), "unit": "second", "description": clean(row.certificate_text)}
            benchmarks += [{"metadata": about, "runs": runs}] if runs else []
    host = {"cpu_model_name": "cpu", "platform": "system", "python_version": "python"}
    metadata = {name: clean(results.host[key]) for name, key in host.items() if key in results.host}
    suite = {"version": "1.0", "metadata": metadata, "benchmarks": benchmarks}
    return json.dumps(suite, indent=1) + "\n"


def json_schema() -> str:
    """The JSON Schema of ``results.json`` and of :func:`render_json`; it is published in ``compare/schema``."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    title = {"title": f"sidebyside results, version {SCHEMA_VERSION}"}
    return json.dumps(dialect | Results.model_json_schema() | title, indent=1) + "\n"


def latex_text(text: str) -> str:
    """Text that LaTeX shows as it is."""
    return "".join(_LATEX.get(character, character) for character in clean(text))


def render_latex(results: Results) -> str:
    """A table for each task, as wide as a column of an article; intervals stand in the caption.

    The document needs the packages booktabs, siunitx and textcomp.
    """
    parts = ["% needs \\usepackage{booktabs,siunitx,textcomp} and UTF-8"]
    for section in summarize(results):
        rows = [row for row in section.rows if row.status != "skipped"]
        figures = [column.figure for column in (*MAIN_COLUMNS, LAST_COLUMN)]
        numbers = [[figure(row).text for row in rows] for figure in figures]
        numbers.insert(-1, [ratio_text(section, row).partition(" (")[0] for row in rows])
        certificates = [row.certificate_text.partition(":")[0] if row.completed else row.status for row in rows]
        kinds, cells = zip(*map(_aligned, numbers), strict=True)
        note = _LATEX_NOTE.format(latex_text(section.measure[:1].upper() + section.measure[1:]))
        words = [[latex_text(section.framework(row)), latex_text(row.first.mode)] for row in rows]
        lines = [
            r"\begin{table}",
            rf"\caption{{{latex_text(section.answer)} {note}}}",
            r"\vspace{4pt}\scriptsize\setlength{\tabcolsep}{2pt}\sisetup{group-digits=integer,group-separator={,},group-minimum-digits=4}",
            rf"\begin{{tabular}}{{@{{}}ll{''.join(kinds)}l@{{}}}}",
            r"\toprule",
            _LATEX_HEADINGS % ("acc." if section.measure == "accuracy" else latex_text(section.measure)) + r" \\",
            r"\midrule",
        ]
        for at, (names, certificate) in enumerate(zip(words, certificates, strict=True)):
            lines.append(" & ".join([*names, *(column[at] for column in cells), latex_text(certificate)]) + r" \\")
        lines += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _aligned(cells: list[str]) -> tuple[str, list[str]]:
    """The kind of a column of siunitx that aligns these numbers, and its cells; what is no number is a dash."""
    plain = [cell.replace(",", "") for cell in cells]
    parts = [number.lstrip("-").partition(".") for number in plain if re.fullmatch(r"-?[\d.]+", number)]
    whole, decimals = (max((len(part[at]) for part in parts), default=1) for at in (0, 2))
    minus = "-" if any(number.startswith("-") for number in plain) else ""
    kind = f"S[table-format={minus}{whole}{f'.{decimals}' if decimals else ''}]"
    return kind, [number if re.fullmatch(r"-?[\d.]+", number) else "{--}" for number in plain]
