"""The sentence over a table says what the intervals show, and no more."""

import re
from io import StringIO

import pytest
from rich.console import Console

from compare.analysis.sections import summarize
from compare.records.results import Results
from compare.records.run import Run
from compare.report.render import FORMATS, render
from compare.report.terminal import print_results
from tests.analysis.runs import HASH, make_certificate, make_results, make_run


@pytest.fixture
def results() -> Results:
    return make_results()


def test_the_sentence_says_what_the_intervals_show(results: Results) -> None:
    (section,) = summarize(results)
    sentence = section.sentence
    found = re.search(r"jax trains ([\d.]+) to ([\d.]+) times as fast as pytorch", sentence)
    found = found or re.search(r"keras trains ([\d.]+) to ([\d.]+) times as fast as pytorch", sentence)
    assert found, sentence
    assert 1.1 < float(found[1]) < float(found[2]) < 1.2
    assert "keras and jax are not distinguishable" in sentence or "jax and keras are not distinguishable" in sentence
    assert "all three are equal within float32 rounding over all 564 steps and equally accurate" in sentence
    assert "(within 0.5 points, 3 seeds)" in sentence
    assert "refused is not ranked (certificate refused: logits)" in sentence
    assert "unverified is not ranked (unverified: no certificate)" in sentence
    assert "partly is not ranked (fewer than three rounds ended well)" in sentence
    assert "of partly's 2 runs, 1 ok, 1 timeout" in sentence
    for status in ("diverged", "timeout", "out-of-memory", "crashed", "interrupted"):
        assert f"is-{status} is not ranked ({status})" in sentence
    assert "is-skipped was skipped" in sentence


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
    assert "float32 rounding" not in sentence
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


def test_what_was_skipped_is_no_rival() -> None:
    """Where only one framework is installed, its row alone was run."""
    skipped = [make_run(name, status="skipped") for name in ("pytorch", "keras")]
    (section,) = summarize(make_results(runs=[make_run("jax", round_=r) for r in range(3)] + skipped))
    assert section.sentence == "On this machine, for mnist-mlp, jax alone was run; pytorch and keras were skipped."


def test_a_framework_alone_in_both_modes_lacks_nothing() -> None:
    runs = [make_run("jax", mode=mode, round_=r) for r in range(3) for mode in ("tuned", "stock")]
    certificates = [make_certificate("jax", mode=mode) for mode in ("tuned", "stock")]
    (section,) = summarize(make_results(runs=runs, certificates=certificates))
    assert section.sentence == "On this machine, for mnist-mlp, jax alone was run."
    (section,) = summarize(make_results(runs=[make_run("jax"), make_run("unverified")]))
    assert "jax has nothing comparable beside it" in section.sentence


def test_training_that_drifts_by_rounding_is_remarked_once() -> None:
    names = ("keras", "jax")
    results = make_results(
        runs=[make_run(name, seed=s, round_=r) for s in range(3) for r in range(3) for name in names],
        certificates=[make_certificate(name, failure="parameter 0_dense/bias, step 19") for name in names],
    )
    (section,) = summarize(results)
    ((who, remark),) = section.warnings
    assert who == "keras and jax"
    assert "drives right runs apart (parameter 0_dense/bias, step 19)" in remark
    assert "each step of keras and jax is equal within float32 rounding" in section.sentence
    written = StringIO()
    print_results(results, Console(file=written, width=100))
    for text in (written.getvalue(), render(results, None, "markdown"), render(results, None, "html")):
        assert " ".join(text.split()).count("drives right runs apart") == 1
    assert "not judged from" not in written.getvalue()
