"""Pairs the layers of two models by the order of execution, the kind and the parameters' shapes. Nothing is guessed."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from backends.own import Call


@dataclass(frozen=True)
class Matching:
    """Which calls of two models belong together.

    Attributes:
        pairs: the places of the calls in both, in order.
        unpaired: the places of those with parameters that have no counterpart, in the first and in the second.
    """

    pairs: list[tuple[int, int]]
    unpaired: tuple[list[int], list[int]]


def match(first: Sequence[Call], second: Sequence[Call]) -> Matching:
    """Pairs layers with parameters first; between two of those, and before and after all, the others by their kind."""
    known = [[at for at, call in enumerate(calls) if call.parameters] for calls in (first, second)]
    anchors = _aligned(
        [_form(first[at]) for at in known[0]],
        [_form(second[at]) for at in known[1]],
    )
    places = [(known[0][one], known[1][other]) for one, other in anchors]
    pairs: list[tuple[int, int]] = []
    ends = [(-1, -1), *places, (len(first), len(second))]
    for (begin_one, begin_other), (end_one, end_other) in pairwise(ends):
        if begin_one >= 0:
            pairs.append((begin_one, begin_other))
        free = [
            [at for at in range(begin + 1, end) if not calls[at].parameters]
            for calls, begin, end in ((first, begin_one, end_one), (second, begin_other, end_other))
        ]
        kinds = [[calls[at].kind for at in of_one] for calls, of_one in zip((first, second), free, strict=True)]
        pairs += [(free[0][one], free[1][other]) for one, other in _aligned(*kinds)]
    paired = [{pair[side] for pair in pairs} for side in (0, 1)]
    alone = tuple([at for at in known[side] if at not in paired[side]] for side in (0, 1))
    return Matching(sorted(pairs), (alone[0], alone[1]))


def _form(call: Call) -> Hashable:
    """What two layers must have in common: kind, and the shapes of their parameters, of which a bias may be missing."""
    shapes = {name: shape for name, shape in call.shapes.items() if name not in ("bias", "mean", "variance")}
    return call.kind, tuple(sorted(shapes.items()))


def _aligned(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The longest common subsequences of two lists, as places in both."""
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return [(block.a + at, block.b + at) for block in blocks for at in range(block.size)]
