"""Layers are paired by the order in which they are called, their kind and their shapes."""

import numpy as np

from backends.own import Call
from compare.explain.match import match

NOTHING = np.zeros((1, 1))
RANDOM = np.random.RandomState(0)


def call(name: str, kind: str, *shape: int, takes: Call | None = None) -> Call:
    """A call whose output nobody else has, of the input of nobody or of another call's output."""
    parameters = {"kernel": np.zeros(shape)} if shape else {}
    given = NOTHING if takes is None else takes.output
    return Call(name, kind, {}, (given,), RANDOM.standard_normal((2, 3)), parameters)


def paired(first: list[Call], second: list[Call]) -> tuple[list[tuple[str, str]], tuple[list[str], list[str]]]:
    matching = match(first, second)
    pairs = [(first[one].name, second[other].name) for one, other in matching.pairs]
    one, other = matching.unpaired
    return pairs, ([first[at].name for at in one], [second[at].name for at in other])


CONV, SHORT = call("conv", "conv2d", 3, 3, 4, 4), call("short", "conv2d", 1, 1, 4, 4)
NORM, OF_SHORT = call("norm", "batch_norm", 4, takes=CONV), call("of_short", "batch_norm", 4, takes=SHORT)


def test_branches_may_be_called_in_another_order() -> None:
    pairs, unpaired = paired([CONV, NORM, SHORT, OF_SHORT], [CONV, SHORT, NORM, OF_SHORT])
    assert sorted(pairs) == [("conv", "conv"), ("norm", "norm"), ("of_short", "of_short"), ("short", "short")]
    assert unpaired == ([], [])


def test_what_could_be_either_is_not_guessed() -> None:
    other = call("other", "conv2d", 1, 1, 4, 4)
    # The longest order that both share is that of the two short ones; of their form there is one more on either side.
    first, second = [SHORT, CONV, NORM, other], [CONV, NORM, SHORT, other, call("third", "conv2d", 1, 1, 4, 4)]
    pairs, unpaired = paired(first, second)
    assert ("conv", "conv") in pairs
    assert ("norm", "norm") in pairs
    assert unpaired[0] == ["short"]
    assert len(unpaired[1]) == 2


def test_layers_without_parameters_are_paired_between_those_that_have_them() -> None:
    relu, tanh = call("relu", "relu"), call("tanh", "tanh")
    pairs, unpaired = paired([CONV, relu, NORM, tanh], [CONV, tanh, relu, NORM])
    assert pairs == [("conv", "conv"), ("relu", "relu"), ("norm", "norm")]
    assert unpaired == ([], [])
