"""The drawing of a network: a box for each node, below all its inputs, and no edge through a box."""

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest

from compare.page.network import HEIGHT, WIDTH, Box, draw_network
from compare.report.render import render
from tasks import load_task
from tests.analysis.runs import make_results, make_run
from tests.report.page import Page

LINE = [Box("input", "4", ()), Box("dense", "10", (0,)), Box("relu", "10", (1,))]
RESIDUAL = [*LINE, Box("dense", "10", (2,)), Box("add", "10", (3, 1)), Box("dense", "3", (4,))]
BRANCHES = [
    Box("input", "8 x 8 x 3", ()),
    *(Box(f"conv2d {at}", "8 x 8 x 4", (0,)) for at in range(3)),
    Box("relu", "8 x 8 x 4", (2,)),
    Box("concatenate", "8 x 8 x 15", (1, 4, 3, 0)),
    Box("add", "8 x 8 x 15", (5, 5)),
]
Place = tuple[float, float]


def drawn(nodes: list[Box]) -> tuple[list[Place], list[list[Place]], list[str]]:
    """The left upper corners of the boxes, the points of each arrow's line, and all texts."""
    svg = ElementTree.fromstring(str(draw_network(nodes, "a network")))
    boxes = [(float(box.attrib["x"]), float(box.attrib["y"])) for box in svg.iter("rect")]
    arrows = []
    for path in svg.iter("path"):
        line = path.attrib["d"].rpartition("M")[0]
        points: list[Place] = []
        for command, text in re.findall(r"([MCV])([^MCV]*)", line):
            numbers = [float(number) for number in text.split()]
            points.append((points[-1][0], numbers[0]) if command == "V" else (numbers[-2], numbers[-1]))
        arrows.append(points)
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert all(0 <= x <= width - WIDTH and 0 <= y <= height - HEIGHT for x, y in boxes)
    return boxes, arrows, [text.text or "" for text in svg.iter("text")]


@pytest.mark.parametrize("nodes", [LINE, RESIDUAL, BRANCHES])
def test_every_node_stands_below_its_inputs_and_is_joined_to_them(nodes: list[Box]) -> None:
    boxes, arrows, texts = drawn(nodes)
    assert texts == [text for node in nodes for text in (node.kind, node.shape)]
    edges = [(source, at) for at, node in enumerate(nodes) for source in dict.fromkeys(node.inputs)]
    assert len(arrows) == len(edges)
    for (source, target), points in zip(edges, arrows, strict=True):
        assert boxes[source][1] + HEIGHT < boxes[target][1]
        assert points[0] == (boxes[source][0] + WIDTH / 2, boxes[source][1] + HEIGHT)
        assert points[-1] == (boxes[target][0] + WIDTH / 2, boxes[target][1])


@pytest.mark.parametrize("nodes", [LINE, RESIDUAL, BRANCHES])
def test_no_box_lies_on_another_and_no_edge_runs_through_one(nodes: list[Box]) -> None:
    boxes, arrows, _ = drawn(nodes)
    for one, other in combinations(boxes, 2):
        assert abs(one[0] - other[0]) >= WIDTH or abs(one[1] - other[1]) >= HEIGHT
    for points in arrows:
        for (_, before), (x, y) in pairwise(points):
            for left, top in boxes:
                across, along = left < x < left + WIDTH, before < top + HEIGHT and top < y
                assert not (across and along), (points, left, top)


def test_a_line_is_one_column_and_branches_are_columns_of_their_own() -> None:
    assert len({x for x, _ in drawn(LINE)[0]}) == 1
    heights = [y for _, y in drawn(BRANCHES)[0]]
    assert heights[1] == heights[2] == heights[3] < heights[4] < heights[5]


def test_who_cannot_see_it_is_told() -> None:
    svg = str(draw_network(RESIDUAL, "The network of <b>"))
    assert svg.startswith('<svg class="network" role="img" ')
    assert "<title>The network of &lt;b&gt;</title>" in svg
    assert "relu, 10; dense, 10; add of dense and dense, 10; dense, 3</desc>" in svg


@pytest.mark.parametrize("task", ["and-gate", "iris-mlp", "mnist-cnn"])
def test_the_page_has_the_drawing_beside_the_table_of_layers(task: str) -> None:
    results = make_results(runs=[make_run("keras", task=task, parameter_counts={})])
    page = Page(render(results, None, "html"))
    assert sum(tag == "svg" and a["class"] == "network" for tag, a in page.elements) == 1
    architecture = load_task(task).architecture
    assert render(results, None, "html").count("<rect ") == len(architecture.layers) + 1
    assert f"The network of {task}" in page.text
    shape = " x ".join(map(str, architecture.input_shape))
    assert f"input, {shape}; " in page.text
