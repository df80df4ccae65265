"""A network as inline SVG: a box for each node, from the input down to the output, and an arrow for each edge.

A node stands below all its inputs, as deep as the longest path to it; nodes of one depth stand side by side. An edge
that passes other depths keeps a place of its own there, so that it crosses no box. Colours come from the page's style.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH, HEIGHT = 124, 38
"""Of a box, in pixels."""
GAP_ACROSS, GAP_DOWN = 16, 20
MARGIN = 2
HEAD = 4
"""Half the width of an arrow's head, in pixels."""


@dataclass(frozen=True)
class Box:
    """A node of the network, as it is drawn.

    Attributes:
        kind: its first line: what the layer is.
        shape: its second line: the shape of its output.
        inputs: the nodes that it takes, as their places in the list of all nodes; all of them stand before it there.
    """

    kind: str
    shape: str
    inputs: tuple[int, ...]


def draw_network(nodes: Sequence[Box], title: str) -> "Markup":
    """The drawing, with a title and a description for readers who cannot see it.

    Args:
        nodes: each after its inputs.
        title: what the drawing is of.
    """
    from markupsafe import Markup, escape

    depths = _depths(nodes)
    rows = _rows(nodes, depths)
    width = max(map(len, rows)) * (WIDTH + GAP_ACROSS) - GAP_ACROSS + 2 * MARGIN
    height = len(rows) * (HEIGHT + GAP_DOWN) - GAP_DOWN + 2 * MARGIN
    places = {  # the middle of each one's upper edge
        item: (
            width / 2 + (at - (len(row) - 1) / 2) * (WIDTH + GAP_ACROSS),
            MARGIN + depth * (HEIGHT + GAP_DOWN),
        )
        for depth, row in enumerate(rows)
        for at, item in enumerate(row)
    }
    parts = [f"<title>{escape(title)}</title>", f"<desc>{escape(_in_words(nodes))}</desc>"]
    parts += [_arrow([places[item] for item in _path(edge, depths)]) for edge in _edges(nodes)]
    for at, node in enumerate(nodes):
        x, y = places[at, at, depths[at]]
        parts.append(f'<rect x="{x - WIDTH / 2:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="4"/>')
        parts.append(f'<text x="{x:g}" y="{y + 16:g}">{escape(node.kind)}</text>')
        parts.append(f'<text x="{x:g}" y="{y + 31:g}" class="shape">{escape(node.shape)}</text>')
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    return Markup(f'<svg class="network" role="img" {size}>{"".join(parts)}</svg>')


_Edge = tuple[int, int]
_Item = tuple[int, int, int]
"""What stands at a depth: a node ``(node, node, depth)``, or an edge that passes ``(from, to, depth)``."""


def _edges(nodes: Sequence[Box]) -> list[_Edge]:
    return [(source, at) for at, node in enumerate(nodes) for source in dict.fromkeys(node.inputs)]


def _depths(nodes: Sequence[Box]) -> list[int]:
    """Of each node, the number of edges on the longest path to it."""
    depths: list[int] = []
    for node in nodes:
        depths.append(1 + max((depths[source] for source in node.inputs), default=-1))
    return depths


def _path(edge: _Edge, depths: Sequence[int]) -> list[_Item]:
    """What an edge goes through, from one node to the other."""
    source, target = edge
    first, last = depths[source], depths[target]
    return [
        (source, source, first), *((source, target, depth) for depth in range(first + 1, last)), (target, target, last)
    ]  # fmt: skip


def _rows(nodes: Sequence[Box], depths: Sequence[int]) -> list[list[_Item]]:
    """What stands at each depth, from left to right: each as near as may be below what leads to it."""
    above: dict[_Item, list[_Item]] = {(at, at, depth): [] for at, depth in enumerate(depths)}
    for edge in _edges(nodes):
        path = _path(edge, depths)
        for upper, lower in pairwise(path):
            above.setdefault(lower, []).append(upper)
    rows: list[list[_Item]] = []
    across: dict[_Item, float] = {}
    for depth in range(max(depths) + 1):
        row = [item for item in above if item[2] == depth]
        row.sort(key=lambda item: sum(across[upper] for upper in above[item]) / max(len(above[item]), 1))
        across |= {item: at - (len(row) - 1) / 2 for at, item in enumerate(row)}
        rows.append(row)
    return rows


def _arrow(places: Sequence[tuple[float, float]]) -> str:
    """An arrow from below the first place to the last, straight down where it passes others."""
    x, y = places[0][0], places[0][1] + HEIGHT
    line = f"M{x:g} {y:g}"
    for to_x, to_y in places[1:]:
        half = (y + to_y) / 2
        line += f"C{x:g} {half:g} {to_x:g} {half:g} {to_x:g} {to_y:g}"
        x, y = to_x, to_y + HEIGHT
        if (to_x, to_y) != places[-1]:
            line += f"V{y:g}"
    tip = f"M{x - HEAD:g} {to_y - 2 * HEAD:g}L{x:g} {to_y:g}L{x + HEAD:g} {to_y - 2 * HEAD:g}"
    return f'<path d="{line}{tip}"/>'


def _in_words(nodes: Sequence[Box]) -> str:
    """The nodes in order, each with its shape and, where it does not follow on the one before it, its inputs."""
    words = []
    for at, node in enumerate(nodes):
        inputs = f" of {' and '.join(nodes[i].kind for i in node.inputs)}" if node.inputs not in ((), (at - 1,)) else ""
        words.append(f"{node.kind}{inputs}, {node.shape}")
    return "; ".join(words)
