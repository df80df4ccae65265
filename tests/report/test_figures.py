"""Every form of the report shows the figures of the results."""

import csv
import io
import json
import re
from collections.abc import Iterator
from statistics import median

import pytest
from rich.console import Console

from compare.analysis.sections import summarize
from compare.records.results import Results
from compare.report.columns import COLUMNS, ratio_text
from compare.report.exports import json_schema
from compare.report.render import FORMATS, render
from compare.report.terminal import print_results, print_tables
from tests.analysis.runs import make_results, make_run
from tests.report.page import Page


def test_ratios_are_of_the_fastest_row_of_the_loop() -> None:
    for rival, words in (("keras", r"0\.99\d \(0\.99\d? to 1\.0\d+\)"), ("pytorch", r"0\.87 \(0\.86\d? to 0\.87\d?\)")):
        runs = [make_run(name, round_=r) for r in range(5) for name in ("jax", rival)]
        (section,) = summarize(make_results(runs=runs))
        assert ratio_text(section, section.rows[0]) == "1"
        assert re.fullmatch(words, ratio_text(section, section.rows[1])), ratio_text(section, section.rows[1])


@pytest.mark.parametrize("earlier", [True, False])
def test_certificates_of_the_run_that_was_gone_on_with_are_not_denied(earlier: bool) -> None:
    results = make_results(settings={"certified": False}, **({} if earlier else {"certificates": []}))
    file = io.StringIO()
    print_results(results, Console(file=file))
    assert ("No certificates were made" in file.getvalue()) != earlier


def test_seconds_to_a_target_that_few_runs_reached_say_so() -> None:
    runs = [make_run("keras", round_=r, seconds_to_target=0.3 if r == 2 else None) for r in range(5)]
    assert "0.30, 1 of 5 runs" in Page(render(make_results(runs=runs), None, "html")).text
    assert "0.30, 1 of 5 runs" in printed(make_results(runs=runs))
    assert "of 5 runs" not in printed(make_results(runs=runs[2:3]))


def printed(results: Results, width: int = 400) -> str:
    file = io.StringIO()
    print_tables(results, Console(file=file, width=width))
    return file.getvalue()


def test_the_terminal_shows_the_figures_of_the_other_formats(results: Results) -> None:
    """Also of several workloads, where seeds have different numbers of rounds, and with caches cold and warm."""
    runs = [make_run("keras", seed=s, round_=r, accuracy=0.9 - s / 10) for s, r in ((0, 0), (0, 1), (0, 2), (1, 0))]
    runs += [make_run("keras", round_=r, epochs=9, accuracy=0.5) for r in range(3)]
    runs += [make_run("jax", compile_cache="empty", compile_seconds=77.7)]
    runs += [make_run("jax", round_=r, compile_cache="filled", compile_seconds=3.3) for r in (1, 2)]
    for shown in (results, make_results(runs=runs)):
        text = printed(shown)
        (section,) = summarize(shown)
        for row in section.rows:
            lines = [line.split("  ") for line in text.splitlines() if line.startswith(f"  {section.label(row)} ")]
            cells = {cell.strip() for line in lines for cell in line}
            if row.status == "skipped":  # it has no figures: a line below says why
                assert not cells
                continue
            assert {column.figure(row).text for column in COLUMNS} <= cells | {"-"}, section.label(row)
            assert {"granted" if row.verified else "refused" if row.certificate else "unverified"} <= cells
    assert "1 ok, 1 timeout" in printed(results)
    assert printed(results, 120) != printed(results)


def expected_medians(results: Results) -> Iterator[tuple[str, dict[str, float | None]]]:
    fields = (
        "parameter_count",
        "first_epoch_end_seconds",
        "examples_per_second",
        "total_seconds",
        "seconds_to_target",
        "inference_examples_per_second",
        "latency_seconds",
        "peak_memory_bytes",
    )
    for backend in dict.fromkeys(run.backend for run in results.runs):
        runs = [run for run in results.runs if run.backend == backend and run.status == "ok"]
        values = {f: [getattr(run, f) for run in runs if getattr(run, f) is not None] for f in fields}
        yield backend, {field: median(found) if found else None for field, found in values.items()}


def test_every_figure_on_the_page_is_the_one_in_the_results(results: Results, page: Page) -> None:
    main: dict[str, dict[str, str | None]] = {}
    for row in page.rows:
        main.setdefault(row[0][2], {}).update({name: value for name, value, _ in row if name})
    for backend, fields in expected_medians(results):
        for field, value in fields.items():
            found = main[backend].get(field)
            assert (None if found is None else float(found)) == value, (backend, field)
        accuracies = {run.seed: run.accuracy for run in results.runs if run.backend == backend and run.status == "ok"}
        shown = main[backend].get("accuracy")
        wanted = sum(a for a in accuracies.values() if a is not None) / len(accuracies) if accuracies else None
        assert (None if shown is None else float(shown)) == (wanted and pytest.approx(wanted))
    every = [row for row in page.rows if len(row) == 9 and row[3][2] in {run.status for run in results.runs}]
    (section,) = summarize(results)
    order = {row.first.backend: at for at, row in enumerate(section.rows)}
    for row, run in zip(every, sorted(results.runs, key=lambda run: order[run.backend]), strict=True):
        assert (row[0][2], row[1][2], row[2][2], row[3][2]) == (run.backend, str(run.seed), str(run.round), run.status)
        figures_of_run = [run.accuracy, run.losses[-1] if run.losses else None, run.examples_per_second]
        figures_of_run += [run.first_epoch_seconds, run.total_seconds]
        assert [None if value is None else float(value) for _, value, _ in row[4:]] == figures_of_run
    assert "3.21e-07" in render(results, None, "html")


def test_every_figure_in_markdown_and_latex_is_the_one_in_the_results(results: Results) -> None:
    for text, part, end in (
        (render(results, None, "markdown"), " | ", "|"),
        (render(results, None, "latex"), " & ", r"\\"),
    ):
        rows = {}
        for line in text.splitlines():
            cells = [cell.strip(" |").replace("{-}", "-") for cell in line.removesuffix(end).split(part)]
            if len(cells) > 7:
                rows[cells[0]] = cells
        for backend, fields in expected_medians(results):
            if part == " & " and not any(value is not None for value in fields.values()) and backend not in rows:
                continue  # what was skipped
            cells = rows[backend]
            for cell, field, form in (
                (cells[3], "parameter_count", ",.0f"),
                (cells[4], "examples_per_second", ",.0f"),
                (cells[6], "first_epoch_end_seconds", ".1f"),
            ):
                value = fields[field]
                shown = cell.strip("{}").split(" ")[0].replace(",", "")
                dash = "--" if part == " & " else "-"
                assert shown == (dash if value is None else format(value, form).replace(",", "")), (backend, field)


def test_statuses_stand_in_every_form(results: Results) -> None:
    for form in FORMATS:
        if form == "pyperf":  # it has no failures
            continue
        text = render(results, None, form)
        for status in ("diverged", "timeout", "crashed", "interrupted", *(("skipped",) if form != "latex" else ())):
            assert status in text
        assert "is-timeout was timeout" in text.replace("{-}", "-") or form == "latex"
        assert ("unverified" in text) or form == "json"
    assert "1 ok, 1 timeout" in render(results, None, "markdown")


def test_csv_has_every_run_and_figure(results: Results) -> None:
    rows = list(csv.DictReader(io.StringIO(render(results, None, "csv"))))
    assert len(rows) == len(results.runs)
    for row, run in zip(rows, results.runs, strict=True):
        for field in ("examples_per_second", "accuracy", "total_seconds", "peak_memory_bytes", "load_average"):
            value = getattr(run, field)
            assert row[field] == ("" if value is None else repr(value))
        assert [float(loss) for loss in row["losses"].split()] == run.losses
        assert row["verified"] == str(results.verified(run))


def test_json_is_read_again_and_fits_its_schema(results: Results) -> None:
    text = render(results, None, "json")
    assert Results.model_validate_json(text) == results
    assert set(json.loads(text)) <= set(json.loads(json_schema())["properties"])
