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
    found = re.search(
        r"(jax|keras) trains mnist-mlp ([\d.]+) times as fast as pytorch \(95 % interval ([\d.]+) to ([\d.]+)\)\.",
        section.answer,
    )
    assert found, section.answer
    assert 1.1 < float(found[3]) < float(found[2]) < float(found[4]) < 1.2
    other = {"jax": "keras", "keras": "jax"}[found[1]]
    assert f"No difference in speed between {found[1]} and {other} could be measured in five rounds" in section.answer
    assert (
        "The three certified rows trained the same model: equal within float32 rounding over all 564 steps."
        in section.answer
    )
    assert "They are equally accurate (within 0.5 points, three seeds)." in section.answer
    assert "refused is not ranked: its certificate is refused: logits." in section.caveats
    assert "unverified is not ranked: unverified: no certificate." in section.caveats
    assert "partly is not ranked: fewer than three rounds ended well." in section.caveats
    assert "1 of partly's 2 runs timed out." in section.caveats
    ends = {"timeout": "timed out", "out-of-memory": "ran out of memory", "interrupted": "was interrupted"}
    for status in ("diverged", "timeout", "out-of-memory", "crashed", "interrupted"):
        assert f"is-{status} {ends.get(status, status)}." in section.caveats
    assert "is-skipped was skipped." in section.caveats


def test_each_loop_has_its_winner() -> None:
    """And what noise hides is not called equal."""
    speeds = {
        ("jax", "tuned"): (1000, 1010, 990),
        ("keras", "tuned"): (500, 501, 499),
        ("jax", "stock"): (100, 101, 99),
        ("keras", "stock"): (40, 150, 90),
    }
    runs = [
        make_run(name, mode=mode, round_=r, examples_per_second=speed)
        for (name, mode), of_rounds in speeds.items()
        for r, speed in enumerate(of_rounds)
    ]
    certificates = [make_certificate(name, mode=mode) for name, mode in speeds]
    (section,) = summarize(make_results(runs=runs, certificates=certificates))
    answer = section.answer
    assert answer.startswith(
        "Of the tuned loops, jax trains mnist-mlp fastest: 2.00 times as fast as keras (95 % interval"
    )
    found = re.search(
        r"Of the stock loops, the measurements are too noisy to say whether jax or keras trains mnist-mlp faster"
        r" \(jax over keras: 95 % interval (\S+) to",
        answer,
    )
    assert found
    assert float(found[1]) < 1
    assert answer.count("All four trained the same model") == 1
    assert answer.count("One seed is too few to compare accuracy; use --seeds 2 or more.") == 1


@pytest.mark.parametrize("rounds", [1, 2])
def test_few_rounds_allow_no_comparison(rounds: int) -> None:
    runs = [make_run(name, seed=s, round_=r) for s in range(5) for r in range(rounds) for name in ("keras", "pytorch")]
    results = make_results(runs=runs)
    (section,) = summarize(results)
    word = {1: "One round is", 2: "Two rounds are"}[rounds]
    assert section.answer.startswith(f"{word} too few to compare speed; use --rounds 3 or more.")
    assert not section.comparisons
    for form in FORMATS:
        assert "times as fast" not in render(results, None, form)
    assert all(row.speed is not None and row.speed.interval is None for row in section.rows)


def test_one_seed_says_nothing_of_accuracy() -> None:
    runs = [make_run(name, round_=r) for r in range(5) for name in ("keras", "pytorch")]
    (section,) = summarize(make_results(runs=runs))
    assert "One seed is too few to compare accuracy; use --seeds 2 or more." in section.answer
    assert "equally accurate" not in section.answer


def test_unequal_accuracies_are_not_called_equal() -> None:
    runs = [make_run("keras", seed=s, round_=r) for s in range(3) for r in range(3)]
    runs += [make_run("jax", seed=s, round_=r, accuracy=0.85 + s / 50) for s in range(3) for r in range(3)]
    (section,) = summarize(make_results(runs=runs))
    assert "Three seeds do not show that they are equally accurate." in section.answer


def sentence_of(runs: list[Run]) -> str:
    return summarize(make_results(runs=runs))[0].answer


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
    assert "Their accuracies cannot be compared: not every two of them share a seed." in sentence
    assert "equally accurate" not in sentence


def test_the_seeds_that_pairs_share_are_counted() -> None:
    given = {"jax": range(4), "keras": range(4), "pytorch": range(1, 4)}
    sentence = sentence_of(
        [make_run(n, seed=s, round_=r) for n, seeds in given.items() for s in seeds for r in range(3)]
    )
    assert "equally accurate (within 0.5 points, three to four seeds)" in sentence


def test_rows_without_a_common_round_are_not_compared() -> None:
    sentence = sentence_of([make_run("keras" if r < 3 else "jax", round_=r) for r in range(6)])
    assert "The speeds of jax and keras cannot be compared: there is no round that all of them completed." in sentence


def test_what_was_skipped_is_no_rival() -> None:
    """Where only one framework is installed, its row alone was run."""
    skipped = [make_run(name, status="skipped") for name in ("pytorch", "keras")]
    (section,) = summarize(make_results(runs=[make_run("jax", round_=r) for r in range(3)] + skipped))
    assert section.answer == "Only jax was run, so no frameworks can be compared."
    assert section.caveats == "pytorch was skipped: pytorch was skipped. keras was skipped: keras was skipped."


def test_a_framework_alone_in_both_modes_lacks_nothing() -> None:
    runs = [make_run("jax", mode=mode, round_=r) for r in range(3) for mode in ("tuned", "stock")]
    certificates = [make_certificate("jax", mode=mode) for mode in ("tuned", "stock")]
    (section,) = summarize(make_results(runs=runs, certificates=certificates))
    assert section.answer == "Only jax was run, so no frameworks can be compared."
    (section,) = summarize(make_results(runs=[make_run("jax"), make_run("unverified")]))
    assert "jax has nothing to be compared with." in section.caveats


def test_training_that_drifts_by_rounding_is_remarked_once() -> None:
    names = ("keras", "jax")
    results = make_results(
        runs=[make_run(name, seed=s, round_=r) for s in range(3) for r in range(3) for name in names],
        certificates=[make_certificate(name, failure="parameter 0_dense/bias, step 19") for name in names],
    )
    (section,) = summarize(results)
    ((who, remark),) = section.warnings
    assert who == "jax and keras"
    assert "drives right runs apart (parameter 0_dense/bias, step 19)" in remark
    assert (
        "jax and keras trained the same model as far as can be checked: the first steps and all windows"
        in section.answer
    )
    written = StringIO()
    print_results(results, Console(file=written, width=100))
    for text in (written.getvalue(), render(results, None, "markdown"), render(results, None, "html")):
        assert " ".join(text.split()).count("drives right runs apart") == 1
    assert "not judged from" not in written.getvalue()


def test_accuracies_are_told_of_each_loop_where_they_differ() -> None:
    runs = [
        make_run(name, mode=mode, seed=s, round_=r, accuracy=0.9 + (s / 20 if (name, mode) == ("jax", "stock") else 0))
        for name in ("jax", "keras")
        for mode in ("tuned", "stock")
        for s in range(3)
        for r in range(3)
    ]
    certificates = [make_certificate(name, mode=mode) for name in ("jax", "keras") for mode in ("tuned", "stock")]
    (section,) = summarize(make_results(runs=runs, certificates=certificates))
    assert "Of the tuned loops, jax and keras are equally accurate (within 0.5 points, three seeds)." in section.answer
    assert "Of the stock loops, three seeds do not show that jax and keras are equally accurate." in section.answer
