"""Ports whose losses, updates and states are compared: right ones are found right, and one cause in each is named."""

from pathlib import Path

import numpy as np
import pytest

from compare import cli
from compare.explain.port import Asked, compare_models
from compare.explain.port_text import answer
from compare.explain.sides import PortError
from compare.records.port import Port
from tests.cli.common import Capture, refused
from tests.pairs.test_pairs import HERE, sampled, side

RANDOM = np.random.RandomState(0)
IMAGES = RANDOM.standard_normal((6, 8, 8, 3)).astype(np.float32)
ROWS = RANDOM.standard_normal((6, 7)).astype(np.float32)
CLASSES = np.array([0, 3, 1, 2, 2, 0], np.int32)
NUMBERS = RANDOM.standard_normal(6).astype(np.float32)
RIGHT = [
    ("torch:sgd", "keras:sgd"),
    ("keras:sgd", "flax:sgd"),
    ("torch:adamw", "flax:adamw"),
    ("keras:cnn", "flax:cnn"),
]
WRONG = [
    (
        "torch:summed",
        "keras:sgd",
        "losses of step 1",
        "the second's loss is the mean over the examples and the first's",
    ),
    ("torch:softmax_twice", "flax:sgd", "losses of step 1", "takes the softmax of what went through one already"),
    ("torch:sgd", "keras:probabilities", "losses of step 1", "the second's takes logits for probabilities"),
    ("torch:squares", "flax:broadcast", "losses of step 1", "from outputs (n, 1), which makes (n, n) differences"),
    ("torch:adam", "keras:adam", "update", "place of epsilon is after the correction in the first and before"),
    ("torch:adam_decay", "torch:adamw", "update", "form of weight decay is coupled in the first and"),
    ("torch:adam_decay", "keras:adam_decay", "update", "form of weight decay is coupled in the first and"),
    (
        "torch:sgd",
        "flax:nesterov",
        "update",
        "nesterov is False in the first, and the second's updates are those of True",
    ),
    (
        "flax:rate",
        "torch:sgd",
        "update",
        "learning rate is 0.1 in the second, and the first's updates are those of 0.2",
    ),
    (
        "torch:cnn",
        "keras:cnn",
        "state of variance",
        "the first moves the running variance towards the batch's unbiased",
    ),
    (
        "keras:cnn",
        "keras:momentum_of_batch_norm",
        "state of mean",
        "momentum is 0.9 in the first and 0.99 in the second",
    ),
]


def compared(first: str, second: str) -> Port:
    _, function = first.split(":")
    inputs = IMAGES if function == "cnn" else ROWS
    targets = NUMBERS if function == "squares" else CLASSES
    one, other = (side(word.replace(":", "_training:")) for word in (first, second))
    return compare_models(one, other, Asked(inputs, targets, steps=3, threads=1, timeout=120.0))


@pytest.mark.parametrize(("first", "second"), sampled(RIGHT, 0))
def test_a_right_port_trains_alike(first: str, second: str) -> None:
    port = compared(first, second)
    assert port.right, answer(port)
    assert len(port.steps) == 3
    assert {array.name for array in port.steps[0].arrays} >= {"kernel", "bias"}
    assert all(array.gradient is not None for array in port.steps[0].arrays if array.name in ("kernel", "bias"))
    assert port.steps[0].losses[0] != port.steps[2].losses[0]
    assert "They train alike: losses, gradients, updates and states of 3 steps" in answer(port)[1]


@pytest.mark.parametrize(("first", "second", "where", "words"), sampled(WRONG, 4, 9))
def test_the_first_difference_in_training_and_its_cause_are_named(
    first: str, second: str, where: str, words: str
) -> None:
    port = compared(first, second)
    assert not port.right
    same, said = answer(port)
    assert "but for rounding" in same
    assert where in said
    assert words in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("without_loss", "to compare steps of training, return (model, optimizer, loss)"),
        ("loss_of_each", "its loss is of shape (6,): return one number, their mean say"),
    ],
)
def test_what_cannot_be_trained_is_named_in_one_line(function: str, expected: str) -> None:
    with pytest.raises(PortError) as raised:
        compared(f"torch:{function}", "torch:sgd")
    assert str(raised.value).endswith(expected)
    assert str(raised.value).startswith("torch_training.py:")


def test_the_command_trains_with_targets(capsys: Capture, tmp_path: Path) -> None:
    side("torch_training:sgd"), side("flax_training:rate")
    file = tmp_path / "batch.npz"
    np.savez(file, x=ROWS, y=CLASSES)
    words = ["pair", f"{HERE}/torch_training.py:sgd", f"{HERE}/flax_training.py:rate", "--input", str(file)]
    assert cli.main([*words, "--steps", "1"]) == 1
    out = capsys.readouterr().out
    assert "In training, the update of " in out
    assert "learning rate is 0.1 in the first" in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ("--shape", "8,7", "--steps", "2"),
            "training needs targets: give --input FILE.npz with inputs x and targets y",
        ),
        (("--shape", "8,7", "--steps", "1000"), "steps is 1000: give a number from 0 to 100"),
    ],
)
def test_wrong_words_are_refused(words: tuple[str, ...], expected: str, capsys: Capture, tmp_path: Path) -> None:
    assert expected in refused(
        capsys, "pair", f"{HERE}/torch_training.py:sgd", f"{HERE}/torch_training.py:adam", *words
    )
