"""Pairs the layers of two models by the order of execution, the kind and the parameters' shapes. Nothing is guessed."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np

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
    """Pairs layers with parameters first; between two of those, and before and after all, the others by their kind.

    Two branches, such as a block's and its shortcut, may be called in another order: a layer is also known by the one
    whose output it takes, and of what the order leaves over, the only ones of their form belong together.
    """
    forms = _forms(first), _forms(second)
    known = [[at for at, call in enumerate(calls) if call.parameters] for calls in (first, second)]
    anchors = _aligned([forms[0][at] for at in known[0]], [forms[1][at] for at in known[1]])
    places = [(known[0][one], known[1][other]) for one, other in anchors]
    pairs = places + _alone(forms, known, places)
    paired = [{pair[side] for pair in pairs} for side in (0, 1)]
    ends = [(-1, -1), *places, (len(first), len(second))]
    for (begin_one, begin_other), (end_one, end_other) in pairwise(ends):
        free = [
            [at for at in range(begin + 1, end) if at not in paired[side]]
            for side, (begin, end) in enumerate(((begin_one, end_one), (begin_other, end_other)))
        ]
        kinds = [[_form(calls[at]) for at in of_one] for calls, of_one in zip((first, second), free, strict=True)]
        pairs += [(free[0][one], free[1][other]) for one, other in _aligned(*kinds)]
    paired = [{pair[side] for pair in pairs} for side in (0, 1)]
    left = tuple([at for at in known[side] if at not in paired[side]] for side in (0, 1))
    return Matching(sorted(pairs), (left[0], left[1]))


def _forms(calls: Sequence[Call]) -> list[Hashable]:
    """Of each call its own form, and that of the layer with parameters whose output it takes as it is."""
    found: list[Hashable] = []
    for at, call in enumerate(calls):
        makers = (earlier for earlier in reversed(calls[:at]) if earlier.parameters and _takes(call, earlier))
        maker = next(makers, None) if call.parameters else None
        found.append((_form(call), None if maker is None else _form(maker)))
    return found


def _takes(call: Call, earlier: Call) -> bool:
    return len(call.inputs) == 1 and np.array_equal(call.inputs[0], earlier.output)


def _alone(
    forms: tuple[Sequence[Hashable], Sequence[Hashable]],
    known: Sequence[Sequence[int]],
    pairs: Sequence[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Of the layers that the order left over, those that are the only ones of their form on both sides."""
    left = []
    for side in (0, 1):
        paired = {pair[side] for pair in pairs}
        free = [at for at in known[side] if at not in paired]
        counts = Counter(forms[side][at] for at in free)
        left.append({forms[side][at]: at for at in free if counts[forms[side][at]] == 1})
    return [(at, left[1][form]) for form, at in left[0].items() if form in left[1]]


def _form(call: Call) -> Hashable:
    """What two layers must have in common: kind, and the shapes of their parameters, of which a bias may be missing."""
    shapes = {name: shape for name, shape in call.shapes.items() if name not in ("bias", "mean", "variance")}
    return call.kind, tuple(sorted(shapes.items()))


def _aligned(first: Sequence[Hashable], second: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The longest common subsequences of two lists, as places in both."""
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return [(block.a + at, block.b + at) for block in blocks for at in range(block.size)]
