"""What a stranger asks of a report, answered by the text of its page alone."""

import pytest

from compare.report.render import render
from tests.analysis.runs import make_certificate, make_results, make_run
from tests.report.page import Page

SPEEDS = {"jax": 40_000, "keras": 36_000, "pytorch": 31_000}
ANSWERS = {
    "what was trained?": "What was trained MNIST, two hidden layers of 512, SGD.",
    "with which network?": "1_dense units 512 512 401,920",
    "on what?": "Data: mnist, inputs of shape 28 x 28 x 1, of 10 classes. Each run: 3 epochs of 640 training examples,",
    "how?": "64 examples a step. Loss: cross entropy. Optimizer: SGD, learning rate 0.01, momentum 0.5.",
    "how often?": "Each row was run in three rounds with two seeds.",
    "on which machine, and when?": "a CPU, 2 cores, 2026-11-22",
    "who is faster?": "Of the tuned loops, jax trains mnist-mlp fastest:",
    "by how much, how sure?": "1.11 times as fast as keras (95 % interval 1.1",
    "are they the same model?": "All six trained the same model: equal within float32 rounding over all 564 steps.",
    "how is that known?": "the reference computed parts again, drawn after the run",
    "are they as accurate?": "they are equally accurate (within 0.5 points, two seeds)",
    "what does following the tutorial cost?": "the tuned loop's speed over the stock loop's: jax 4.00 (95 % interval",
    "what is tuned?": "tuned is the fastest correct training loop that we know for a framework.",
    "what is stock?": "stock is the loop that the framework's own tutorials teach.",
    "how do I repeat it?": "sidebyside run --rounds 3",
}


@pytest.fixture(scope="module")
def text() -> str:
    runs = [
        make_run(name, mode=mode, seed=s, round_=r, examples_per_second=speed * share * (1 + r / 500))
        for mode, share in (("tuned", 1), ("stock", 0.25))
        for name, speed in SPEEDS.items()
        for s in range(2)
        for r in range(3)
    ]
    certificates = [make_certificate(name, mode=mode) for mode in ("tuned", "stock") for name in SPEEDS]
    results = make_results(runs=runs, certificates=certificates, command="sidebyside run --rounds 3")
    return " ".join(Page(render(results, None, "html")).text.split())


@pytest.mark.parametrize("question", ANSWERS)
def test_the_page_answers(text: str, question: str) -> None:
    assert ANSWERS[question] in text.replace("\xa0", " ")


def test_the_answer_comes_first(text: str) -> None:
    order = [
        text.index(ANSWERS[question]) for question in ("who is faster?", "what was trained?", "how is that known?")
    ]
    assert order == sorted(order)
