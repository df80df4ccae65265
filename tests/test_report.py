"""Every form of the report tells the truth of a run in which much went wrong, and no text of it does harm."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from statistics import median
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console
from safetensors.numpy import save_file

from compare.pages import TEMPLATES
from compare.records.base import Status
from compare.records.cell import Cell
from compare.records.certificate import Certificate, Distance, Pair
from compare.records.results import Results
from compare.records.run import Run
from compare.report.charts import draw, phase_seconds, write_charts
from compare.report.drawing import dark
from compare.report.html import render_cell
from compare.report.markdown import markdown_text
from compare.report.pictures import confusion, evaluation_set_of, wrong_digits
from compare.report.render import FORMATS, render
from compare.report.summary import summarize, times, times_range
from compare.report.tables import COLUMNS, json_schema, neutral, ratio_text
from compare.report.terminal import print_results, print_tables
from compare.text import clean

HASH = "a" * 64
VOID = {"meta", "br", "img", "source", "link", "hr", "input", "wbr"}
SPEEDS = {"pytorch": 1000.0, "keras": 1150.0, "jax": 1151.0, "numpy": 90.0, "slow": 500.0, "other": 500.0}


def make_run(backend: str, *, seed: int = 0, round_: int = 0, status: Status = "ok", **fields: Any) -> Run:
    if status not in ("ok", "diverged"):
        return Run(
            task="mnist-mlp",
            recipe="standard",
            backend=backend,
            mode="tuned",
            device="cpu",
            seed=seed,
            round=round_,
            epochs=3,
            examples=640,
            status=status,
            message=f"{backend} was {status}",
        )
    noise = 1 + 0.002 * ((round_ * 7 + seed * 3 + len(backend)) % 5)
    values: dict[str, Any] = {
        "task": "mnist-mlp",
        "recipe": "standard",
        "backend": backend,
        "mode": "tuned",
        "device": "cpu",
        "seed": seed,
        "round": round_,
        "epochs": 3,
        "examples": 640,
        "status": status,
        "message": "" if status == "ok" else "the loss is no longer finite",
        "versions": {"framework": "1.2.3"},
        "settings": {"threads": 2, "affinity": 2, "layout": "NHWC", "last_batch": "kept"},
        "parameter_count": 669_706,
        "parameter_counts": {"1_dense": 401_920, "3_dense": 262_656, "5_dense": 5_130},
        "parameters_sha256": HASH,
        "batches_sha256": HASH,
        "data_sha256": HASH,
        "losses": [2.1, 1.2 + seed / 100, 0.71234567],
        "accuracies": [0.5, 0.8, 0.9],
        "accuracy_epochs": [1, 2, 3],
        "accuracy": 0.9 + seed / 1000,
        "test_examples": 10_000,
        "import_seconds": 1.5 * noise,
        "build_seconds": 0.25,
        "first_epoch_seconds": 3.5,
        "epoch_seconds": [0.64 * noise],
        "evaluate_seconds": 0.125,
        "total_seconds": 12.345 * noise,
        "examples_per_second": SPEEDS.get(backend, 700.0) * noise,
        "inference_examples_per_second": 4321.0,
        "latency_seconds": 0.00123,
        "peak_memory_bytes": 123_456_789,
        "load_average": 0.5,
        "memory_source": "resident",
        "operations_per_epoch": 3_000_000,
        "matrix_operations_per_second": 5e10,
    }
    return Run(**(values | fields))


def make_certificate(backend: str, granted: bool = True, **fields: Any) -> Certificate:
    distance = Distance(
        quantity="logits",
        absolute=1e-6,
        relative=3.21e-7 if granted else 0.5,
        reference_absolute=1e-6,
        reference_relative=2e-7,
        limit=1.6e-6,
        absolute_limit=1e-5,
        passed=granted,
    )
    values: dict[str, Any] = {
        "task": "mnist-mlp",
        "recipe": "standard",
        "backend": backend,
        "mode": "tuned",
        "device": "cpu",
        "seed": 0,
        "granted": granted,
        "failure": "" if granted else "logits",
        "parameters_sha256": HASH,
        "batches_sha256": HASH,
        "data_sha256": HASH,
        "parameter_counts": {"1_dense": 1},
        "distances": [distance],
    }
    return Certificate(**(values | fields))


def make_results(**fields: Any) -> Results:
    """Three rows in order; one refused, one unverified, and one of every way to end badly; five rounds, three seeds."""
    runs = [
        make_run(backend, seed=seed, round_=round_)
        for seed in range(3)
        for round_ in range(5)
        for backend in ("pytorch", "keras", "jax", "refused", "unverified")
    ]
    bad: tuple[Status, ...] = ("diverged", "timeout", "out-of-memory", "crashed", "skipped", "interrupted")
    runs += [make_run(f"is-{status}", status=status) for status in bad]
    runs += [make_run("partly"), make_run("partly", round_=1, status="timeout")]
    granted = ["pytorch", "keras", "jax", "partly", "is-diverged"]
    values: dict[str, Any] = {
        "created": "2026-11-22T00:00:00+00:00",
        "command": "sidebyside run --rounds 5",
        "host": {"cpu": "a CPU", "cores": 2},
        "settings": {"preset": "quick"},
        "runs": runs,
        "certificates": [*map(make_certificate, granted), make_certificate("refused", granted=False)],
        "pairs": [
            Pair(task="mnist-mlp", recipe="standard", first="keras", second="jax", quantity="loss", relative=1e-7)
        ],
    }
    return Results(**(values | fields))


class Page(HTMLParser):
    """Elements, their attributes and texts; fails where tags are not nested."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.rows: list[list[tuple[str | None, str | None, str]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append((dict(attrs).get("data-name"), None, ""))
        if tag == "data":
            name, _, text = self.rows[-1][-1]
            self.rows[-1][-1] = (name, dict(attrs)["value"], text)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)
        if self.open and self.rows and {"td", "th"} & set(self.open):
            name, value, text = self.rows[-1][-1]
            self.rows[-1][-1] = (name, value, text + data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def results() -> Results:
    return make_results()


@pytest.fixture(scope="module")
def page(results: Results) -> Page:
    return Page(render(results, None, "html"))


def test_the_sentence_says_what_the_intervals_show(results: Results) -> None:
    (section,) = summarize(results)
    sentence = section.sentence
    found = re.search(r"jax trains ([\d.]+) to ([\d.]+) times as fast as pytorch", sentence)
    found = found or re.search(r"keras trains ([\d.]+) to ([\d.]+) times as fast as pytorch", sentence)
    assert found, sentence
    assert 1.1 < float(found[1]) < float(found[2]) < 1.2
    assert "keras and jax are not distinguishable" in sentence or "jax and keras are not distinguishable" in sentence
    assert "all three are certified identical and equally accurate (within 0.5 points, 3 seeds)" in sentence
    assert "refused is not ranked (certificate refused: logits)" in sentence
    assert "unverified is not ranked (unverified: no certificate)" in sentence
    assert "partly is not ranked (fewer than three rounds ended well)" in sentence
    assert "of partly's 2 runs, 1 ok, 1 timeout" in sentence
    for status in ("diverged", "timeout", "out-of-memory", "crashed", "skipped", "interrupted"):
        assert f"is-{status} is not ranked ({status})" in sentence


@pytest.mark.parametrize("rounds", [1, 2])
def test_few_rounds_allow_no_comparison(rounds: int) -> None:
    runs = [make_run(name, seed=s, round_=r) for s in range(5) for r in range(rounds) for name in ("keras", "pytorch")]
    results = make_results(runs=runs)
    (section,) = summarize(results)
    word = {1: "one round allows", 2: "two rounds allow"}[rounds]
    assert f"{word} no comparison of the speed of keras and pytorch" in section.sentence
    assert not section.comparisons
    for form in FORMATS:
        assert "times as fast" not in render(results, None, form)
    assert all(row.speed is not None and row.speed.interval is None for row in section.rows)


def test_one_seed_says_nothing_of_accuracy() -> None:
    runs = [make_run(name, round_=r) for r in range(5) for name in ("keras", "pytorch")]
    (section,) = summarize(make_results(runs=runs))
    assert "one seed allows no statement on their accuracy" in section.sentence
    assert "equally" not in section.sentence


def test_unequal_accuracies_are_not_called_equal() -> None:
    runs = [make_run("keras", seed=s, round_=r) for s in range(3) for r in range(3)]
    runs += [make_run("jax", seed=s, round_=r, accuracy=0.85 + s / 50) for s in range(3) for r in range(3)]
    (section,) = summarize(make_results(runs=runs))
    assert "that they are equally accurate is not shown by three seeds" in section.sentence


def sentence_of(runs: list[Run]) -> str:
    return summarize(make_results(runs=runs))[0].sentence


def test_rows_in_conflict_are_not_called_the_same() -> None:
    hashes = {"keras": "b" * 64, "jax": HASH}
    sentence = sentence_of(
        [make_run(n, seed=s, round_=r, batches_sha256=h) for n, h in hashes.items() for s in range(3) for r in range(3)]
    )
    assert "not trained on the same batches" in sentence
    assert "certified identical" not in sentence
    assert "accurate" not in sentence


@pytest.mark.parametrize("lacking", [{"keras": (0, 1), "pytorch": (2, 3)}, {"keras": (), "pytorch": (0, 1, 2, 3)}])
def test_every_two_rows_must_share_seeds_to_be_called_equally_accurate(lacking: dict[str, tuple[int, ...]]) -> None:
    given = {"jax": (0, 1, 2, 3)} | lacking
    runs = [
        make_run(name, seed=s, round_=r, accuracy=0.9 if s in seeds else None)
        for name, seeds in given.items()
        for s in range(4)
        for r in range(3)
    ]
    sentence = sentence_of(runs)
    assert "their accuracies cannot be compared (not every two of them share a seed)" in sentence
    assert "equally" not in sentence


def test_the_seeds_that_pairs_share_are_counted() -> None:
    given = {"jax": range(4), "keras": range(4), "pytorch": range(1, 4)}
    sentence = sentence_of(
        [make_run(n, seed=s, round_=r) for n, seeds in given.items() for s in seeds for r in range(3)]
    )
    assert "equally accurate (within 0.5 points, 3 to 4 seeds)" in sentence


def test_rows_without_a_common_round_are_not_compared() -> None:
    sentence = sentence_of([make_run("keras" if r < 3 else "jax", round_=r) for r in range(6)])
    assert "the speeds of keras and jax cannot be compared (no round is of them all)" in sentence


@pytest.mark.parametrize(
    "other",
    [
        {"settings": {"threads": 1}},
        {"device": "gpu:0"},
        {"mode": "stock"},
        {"epochs": 2},
        {"data_sha256": "b" * 64},
        {"batches_sha256": "b" * 64},
        {"parameters_sha256": "b" * 64},
    ],
)
def test_rows_of_other_conditions_are_not_ranked_together(other: dict[str, Any]) -> None:
    runs = [make_run("keras", round_=r) for r in range(5)] + [make_run("jax", round_=r, **other) for r in range(5)]
    subject = {"device": other.get("device", "cpu"), "mode": other.get("mode", "tuned")}
    certificates = [make_certificate("keras"), make_certificate("jax", **subject)]
    (section,) = summarize(make_results(runs=runs, certificates=certificates))
    assert "times as fast" not in section.sentence
    assert [section.rank_of(row) for row in section.rows] == [None, None]


def test_a_row_of_mixed_versions_is_not_ranked() -> None:
    runs = [make_run("keras", round_=r, versions={"framework": str(r)}) for r in range(3)]
    (section,) = summarize(make_results(runs=runs))
    assert "keras is not ranked (its runs differ in versions)" in section.sentence


def test_only_the_certified_run_reads_its_data_back() -> None:
    """As in every real run of several rounds: a hash that is not known is no difference."""
    runs = [
        make_run(name, round_=r, data_sha256=HASH if r == 1 else None)
        for r in range(3)
        for name in ("keras", "pytorch")
    ]
    (section,) = summarize(make_results(runs=runs))
    assert "keras trains" in section.sentence
    assert [section.rank_of(row) for row in section.rows] == [1, 2]
    runs[-1].data_sha256 = "b" * 64
    (section,) = summarize(make_results(runs=runs))
    assert "pytorch is not ranked (its runs differ in data)" in section.sentence


def test_a_row_without_a_hash_of_its_data_has_that_of_its_certificate() -> None:
    runs = [make_run(n, round_=r, data_sha256=h) for n, h in (("keras", HASH), ("jax", None)) for r in range(3)]
    (section,) = summarize(make_results(runs=runs))
    assert [section.rank_of(row) for row in section.rows] == [1, 1]
    certificates = [make_certificate("keras"), make_certificate("jax", data_sha256="b" * 64)]
    (section,) = summarize(make_results(runs=runs, certificates=certificates))
    assert [section.rank_of(row) for row in section.rows] == [None, None]


def test_tutorial_costs_are_paired() -> None:
    runs = [make_run("keras", round_=r) for r in range(5)]
    runs += [make_run("keras", round_=r, mode="stock", examples_per_second=500 + r) for r in range(5)]
    certificates = [make_certificate("keras"), make_certificate("keras", mode="stock")]
    (section,) = summarize(make_results(runs=runs, certificates=certificates))
    (cost,) = section.tutorial_costs
    assert cost.speed.interval is not None
    assert cost.speed.interval[0] < 2.3 < cost.speed.interval[1]


def test_phases_are_of_runs_that_found_one_kind_of_cache() -> None:
    cold = make_run("keras", compile_cache="empty", compile_seconds=30.0, import_seconds=9.0)
    warm = [
        make_run("keras", round_=r, compile_cache="filled", compile_seconds=2.0, import_seconds=1.0) for r in (1, 2)
    ]
    (section,) = summarize(make_results(runs=[cold, *warm]))
    assert (phase_seconds(section.rows[0])["compile"], phase_seconds(section.rows[0])["import"]) == (2.0, 1.0)
    (section,) = summarize(make_results(runs=[cold]))
    assert (phase_seconds(section.rows[0])["compile"], phase_seconds(section.rows[0])["import"]) == (30.0, 9.0)


def test_only_a_row_that_alone_has_rank_1_is_called_the_fastest() -> None:
    for rival, words in (("keras", "1 (reference)"), ("pytorch", "1 (the fastest)")):
        runs = [make_run(name, round_=r) for r in range(5) for name in ("jax", rival)]
        (section,) = summarize(make_results(runs=runs))
        assert ratio_text(section, section.rows[0]) == words


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
            assert {column.figure(row).text for column in COLUMNS} <= cells | {"-"}, section.label(row)
            assert {"granted" if row.verified else "refused" if row.certificate else "unverified"} <= cells
    assert "1 ok, 1 timeout" in printed(results)
    assert printed(results, 120) != printed(results)


@pytest.mark.parametrize("seeds", [30, 51])
def test_charts_say_what_they_leave_out(seeds: int) -> None:
    (section,) = summarize(make_results(runs=[make_run("keras", seed=seed) for seed in range(seeds)]))
    captions = {drawing.name: drawing.caption for drawing in draw(section, None)}
    assert ("only the first 50 runs have a tick" in captions["throughput"]) == (seeds > 50)
    assert ("only the first 30 seeds are drawn" in captions["accuracy"]) == (seeds > 30)


@pytest.mark.parametrize("name", ["[2cm]", "*"])
def test_no_row_of_latex_is_an_argument_of_the_line_break_before_it(name: str) -> None:
    latex = render(make_results(runs=[make_run("keras"), make_run(name)]), None, "latex")
    assert not re.search(r"\\\\\s*[\[*]", latex)


def test_times_never_rounds_a_difference_away() -> None:
    assert [times(r) for r in (1.004, 1.00004, 0.997, 1.18, 1)] == ["1.004", "1.0000", "0.997", "1.18", "1.00"]
    assert times_range(1.1501, 1.1538) == "1.150 to 1.154"
    assert [times(r) for r in (0.0041, 0.0996, 2e-7)] == ["0.0041", "0.1", "2e-07"]
    assert times_range(0.0041, 0.0042) == "0.0041 to 0.0042"
    assert times_range(0.00411, 0.00412) == "0.00411 to 0.00412"


def expected_medians(results: Results) -> Iterator[tuple[str, dict[str, float | None]]]:
    fields = (
        "parameter_count",
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
    main = {
        row[0][2]: {name: value for name, value, _ in row if name} for row in page.rows if any(n for n, _, _ in row)
    }
    for backend, fields in expected_medians(results):
        for field, value in fields.items():
            found = main[backend].get(field)
            assert (None if found is None else float(found)) == value, (backend, field)
        accuracies = {run.seed: run.accuracy for run in results.runs if run.backend == backend and run.status == "ok"}
        shown = main[backend].get("accuracy")
        wanted = sum(a for a in accuracies.values() if a is not None) / len(accuracies) if accuracies else None
        assert (None if shown is None else float(shown)) == (wanted and pytest.approx(wanted))
    every = [row for row in page.rows if len(row) == 9 and row[3][2] in {run.status for run in results.runs}]
    order = {backend: i for i, backend in enumerate(dict.fromkeys(run.backend for run in results.runs))}
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
            cells = rows[backend]
            for cell, field, form in (
                (cells[2], "parameter_count", ",.0f"),
                (cells[3], "examples_per_second", ",.0f"),
                (cells[5], "total_seconds", ".1f"),
            ):
                value = fields[field]
                assert cell.split(" ")[0] == ("-" if value is None else format(value, form)), (backend, field)


def test_statuses_stand_in_every_form(results: Results) -> None:
    for form in FORMATS:
        text = render(results, None, form)
        for status in ("diverged", "timeout", "crashed", "skipped", "interrupted"):
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


def test_the_page_needs_nothing_else(page: Page) -> None:
    text = page.text
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "srcset", "href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/", "#")), value
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert all(a.get("alt") for tag, a in page.elements if tag == "img")
    assert all(a.get("tabindex") == "0" and a.get("aria-label") for _, a in page.elements if a.get("role") == "region")
    assert "sidebyside run --rounds 5" in text
    assert "step by step losses, confusions, digits and weights are left out" in text


def test_the_page_links_to_the_lessons_beside_it(tmp_path: Path, results: Results) -> None:
    def links(beside: Path | None) -> list[str | None]:
        elements = Page(render(results, None, "html", beside=beside)).elements
        return [a["href"] for tag, a in elements if tag == "a" and not (a["href"] or "").startswith("#")]

    assert links(None) == links(tmp_path) == []
    (tmp_path / "lessons.html").write_text("")
    assert links(tmp_path) == ["lessons.html"]


def test_a_notebooks_cell_shows_the_same_and_styles_nothing_else(results: Results, page: Page) -> None:
    cell = Page(render_cell(results, None))
    assert not {tag for tag, _ in cell.elements} & {"html", "head", "meta", "body", "main", "script", "link", "a"}
    assert not [a for _, a in cell.elements if "id" in a]
    assert [row for row in cell.rows if row] == [row for row in page.rows if row]
    images = [[a["src"] for tag, a in p.elements if tag == "img"] for p in (cell, page)]
    assert images[0] == images[1]


def selectors(style: str) -> Iterator[str]:
    """What the outermost rules of a style apply to, those inside ``@media`` included."""
    rest = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL).strip()
    while rest:
        head, _, rest = rest.partition("{")
        depth, at = 1, 0
        while depth:
            depth += {"{": 1, "}": -1}.get(rest[at], 0)
            at += 1
        if head.startswith("@media"):
            yield from selectors(rest[: at - 1])
        else:
            yield head.strip()
        rest = rest[at:].strip()


def test_every_rule_of_the_style_holds_within_the_report_alone() -> None:
    assert list(selectors("a { b {} } @media x { c { d: e } }")) == ["a", "c"]
    found = list(selectors((TEMPLATES / "report.css").read_text()))
    assert len(found) > 5
    assert [name for name in found if ".sidebyside" not in name] == []


def luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("style", [(TEMPLATES / f"{name}.css").read_text() for name in ("report", "lessons")])
def test_text_can_be_read_on_light_and_on_dark_paper(style: str) -> None:
    """The contrast that WCAG 2 AA asks of text: 4.5."""
    colors = re.findall(r"--(ink|faint|good|bad|link|paper|code): (#[0-9a-f]{3,6})", style)
    half = len(colors) // 2
    assert {name for name, _ in colors} >= {"ink", "faint", "good", "bad", "link", "paper", "code"}
    for inks in (dict(colors[:half]), dict(colors[half:])):
        assert len(inks) == half
        for name in inks.keys() - {"paper", "code"}:
            for paper in ("paper", "code"):
                light, dark_ = sorted((luminance(inks[name]), luminance(inks[paper])), reverse=True)
                assert (light + 0.05) / (dark_ + 0.05) >= 4.5, (name, paper)


def test_clean_steers_no_terminal() -> None:
    assert clean("\x1b[31mred\x1b[0m\x07 \x1b]0;title\x07a\u202eb\r\nc\x9b") == "red ab  c"
    assert clean("é 数字 ½") == "é 数字 ½"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\x1b[0m=1", "\uff1d1"]
)
def test_spreadsheets_compute_nothing(text: str) -> None:
    assert neutral(text).startswith("'")


def test_markdown_text_is_no_markup() -> None:
    hostile = markdown_text("a|b <b>`c`</b> [x](javascript:y) **d** http://e @f\n# g")
    assert "|" not in hostile.replace("\\|", "")
    assert "<" not in hostile
    assert "[" not in hostile.replace("\\[", "")
    assert "\n" not in hostile
    assert markdown_text("1. x") == "1\\. x"
    assert markdown_text("- x") == "\\- x"


def write_arrays(folder: Path, results: Results, labels: Any) -> None:
    (folder / "arrays").mkdir()
    generator = np.random.default_rng(0)
    for run in results.runs:
        if run.status != "ok":
            continue
        predictions = labels.astype(np.int32).copy()
        wrong = 30 if run.backend == "keras" else 20
        predictions[:wrong] = (predictions[:wrong] + 1) % 10
        run.accuracy = float((predictions == labels).mean())
        arrays = {
            "predictions": predictions,
            "step_losses": generator.random((3, 10)).astype(np.float32),
            "first_kernel": generator.standard_normal((784, 32)).astype(np.float32),
        }
        save_file(arrays, folder / "arrays" / f"{Cell.of(run.model_dump()).name}.safetensors")


def test_pictures_show_what_the_arrays_hold(tmp_path: Path) -> None:
    from tasks.mnist import read_digits

    labels = read_digits()["y_test"]
    results = make_results(runs=[make_run(name) for name in ("pytorch", "keras", "jax")])
    write_arrays(tmp_path, results, labels)
    page = Page(render(results, tmp_path, "html"))
    assert "24 of 30, those on which the models disagree first" in page.text
    images = [a for tag, a in page.elements if tag == "img" and (a["alt"] or "").startswith("test image")]
    assert len(images) == 24
    assert images[0]["alt"] == f"test image 20, a {labels[20]}"  # the first that keras alone gets wrong
    assert sum((a["alt"] or "").startswith("first-layer weights") for t, a in page.elements if t == "img") == 3
    assert "pytorch, jax: labels down, predictions across" in page.text
    assert "Distance between the learning curves" in page.text

    (section,) = summarize(results)
    predictions = labels.astype(np.int32)
    assert evaluation_set_of(section.rows[0], predictions) is None  # its accuracy is 1, and the run's is not
    results.runs[0].accuracy = 1.0
    found = evaluation_set_of(summarize(results)[0].rows[0], predictions)
    assert found is not None
    assert (confusion(predictions, found) == np.diag(np.bincount(labels))).all()
    assert wrong_digits(["a"], [predictions], found) == ([], 0)


def test_pictures_are_of_one_seed_and_say_of_which_and_what_is_left_out(tmp_path: Path) -> None:
    runs = [make_run("pytorch", seed=0, status="crashed"), make_run("pytorch", seed=1)]
    runs += [make_run(f"row{at}", seed=seed) for at in range(6) for seed in (0, 1)]
    (tmp_path / "arrays").mkdir()
    for run in runs:
        kernel = np.full((784, 2), run.seed, np.float32)
        save_file({"first_kernel": kernel}, tmp_path / "arrays" / f"{Cell.of(run.model_dump()).name}.safetensors")
    text = Page(render(make_results(runs=runs), tmp_path, "html")).text
    assert "are of the runs with seed 1. 1 more row is not shown." in text
    assert "The largest difference from the first model's is 0.0e+00." in text


def test_pictures_that_the_page_cannot_hold_are_left_out_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "arrays").mkdir()
    run = make_run("keras")
    kernel = np.random.default_rng(0).standard_normal((784, 16)).astype(np.float32)
    save_file({"first_kernel": kernel}, tmp_path / "arrays" / f"{Cell.of(run.model_dump()).name}.safetensors")
    monkeypatch.setattr("compare.report.html.draw", lambda section, folder: [])
    for size, omitted in ((3_000_000, False), (100, True)):
        monkeypatch.setattr("compare.report.html.CHART_BYTES", size)
        page = render(make_results(runs=[run]), tmp_path, "html")
        assert ("Digits and weights of this task are left out" in page) == omitted
        assert ("first-layer weights of keras" in page) != omitted


def strange_array(kind: str) -> bytes:
    head = json.dumps({"predictions": {"dtype": kind, "shape": [8], "data_offsets": [0, 8]}}).encode()
    return len(head).to_bytes(8, "little") + head + b"\0" * 8


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 100,
        b"\x80" + b"\x00" * 100,
        strange_array("F8_E4M3"),
        strange_array("BF16").replace(b"[8]", b"[4]"),
    ],
)
def test_damaged_arrays_are_left_out(tmp_path: Path, content: bytes) -> None:
    results = make_results(runs=[make_run("keras")])
    (tmp_path / "arrays").mkdir()
    (tmp_path / "arrays" / f"{Cell.of(results.runs[0].model_dump()).name}.safetensors").write_bytes(content)
    assert "Confusions" not in render(results, tmp_path, "html")


def test_charts_are_written_as_svg_and_png(tmp_path: Path, results: Results) -> None:
    written = write_charts(results, None, tmp_path)
    names = {path.name.split(".")[1] for path in written}
    assert names == {"throughput", "phases", "learning-curves", "accuracy"}  # equal losses have no logarithm
    for path in written:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG" if path.suffix == ".png" else b"<svg")
    drawing = draw(summarize(results)[0], None)[0]
    light = drawing.svg()
    assert "unverified (unverified)" in light
    assert dark(light) != light
    assert ElementTree.fromstring(dark(light)).tag.endswith("svg")


def test_five_hundred_cells_stay_under_five_megabytes(tmp_path: Path) -> None:
    tasks = ("iris-mlp", "mnist-mlp", "mnist-cnn", "mnist-dense", "and-gate")
    names = ("pytorch", "keras", "jax", "numpy", "other")
    generator = np.random.default_rng(0)
    (tmp_path / "arrays").mkdir()
    runs, certificates = [], []
    for task in tasks:
        for name in names:
            for mode in ("tuned", "stock"):
                distances = make_certificate(name).distances * 32
                certificates.append(make_certificate(name, task=task, mode=mode, distances=distances))
                runs += [make_run(name, task=task, mode=mode, round_=r, seed=s) for r in range(5) for s in range(2)]
    for run in runs:
        arrays = {
            "step_losses": generator.random((3, 900)).astype(np.float32),
            "first_kernel": generator.standard_normal((784, 64)).astype(np.float32),
        }
        if (run.seed, run.round) == (0, 0):  # only these are drawn
            save_file(arrays, tmp_path / "arrays" / f"{Cell.of(run.model_dump()).name}.safetensors")
    results = make_results(runs=runs, certificates=certificates)
    assert len(runs) == 500
    text = render(results, tmp_path, "html")
    assert len(text.encode()) < 5_000_000
    assert text.count('class="run"') == 500
    assert text.count("Distance between the learning curves</h3>") == len(tasks)


def test_no_runs_are_no_error() -> None:
    results = make_results(runs=[], certificates=[], pairs=[])
    for form in FORMATS:
        assert render(results, None, form)
    assert "There are no runs" in Page(render(results, None, "html")).text


def test_an_unknown_form_is_refused(results: Results) -> None:
    with pytest.raises(ValueError, match="choose from markdown"):
        render(results, None, "pdf")  # type: ignore[arg-type]
