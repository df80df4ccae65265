"""The commands ``explain`` and ``defaults``, and the call of the same name."""

from pathlib import Path

import pytest

import backends
from compare import cli
from compare.explain.atlas import read_atlas
from compare.explain.run import explain
from compare.records.effect import Contribution
from tests.cli.common import Capture, asked, refused
from tests.conftest import is_there

FAST = next((name for name in ("jax", "pytorch", "keras") if is_there(name)), "")
needs_a_framework = pytest.mark.skipif(not FAST, reason="no framework is installed")


@needs_a_framework
def test_a_task_is_explained_in_words_a_table_and_a_page(capsys: Capture, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    arguments = ("explain", "iris-mlp", "--backend", FAST, "--seeds", "2", "--html", str(page))
    assert cli.main(arguments) == cli.OK
    out, err = capsys.readouterr()
    assert "softmax before the loss" in out
    assert "To change it: " in out
    assert "means over 2 seeds" in " ".join(out.split())
    assert f"{FAST}, softmax before the loss: " in err  # told as soon as it is known
    assert "Why do they differ?" in page.read_text()


@needs_a_framework
def test_its_json_has_all_figures(capsys: Capture) -> None:
    explained = asked(capsys, "explain", "iris-mlp", "--backend", FAST, "--seeds", "1")
    capsys.readouterr()
    assert explained["complete"] is True
    (softmax,) = (effect for effect in explained["effects"] if effect["name"] == "softmax before the loss")
    assert softmax["first_step"] == 1
    assert softmax["interval"] is None  # of one seed there is none
    assert len(softmax["figures"]["distances"]) == len(softmax["figures"]["steps"])


@needs_a_framework
def test_in_python_it_shows_itself(capsys: Capture) -> None:
    explained = explain("iris-mlp", backend=FAST, seeds=2)
    assert "softmax before the loss" in str(explained)
    html = explained._repr_html_()
    assert "<table>" in html
    assert "<svg" in html
    assert "script" not in html


@pytest.mark.skipif(not all(map(is_there, ("pytorch", "keras"))), reason="two frameworks are needed")
def test_between_two_frameworks_the_parts_add_up(capsys: Capture) -> None:
    found = asked(capsys, "explain", "iris-mlp", "--between", "pytorch", "keras", "--seeds", "2")
    capsys.readouterr()
    parts = [Contribution(**each) for each in found["contributions"]]
    assert {part.name for part in parts} == {"initial weights", "order of the examples"}
    one, other = found["accuracies"]
    for direction in ("forward", "backward"):
        assert sum(getattr(part, direction) for part in parts) == pytest.approx(other - one)
    assert cli.main(["explain", "iris-mlp", "--between", "pytorch", "keras", "--seeds", "2"]) == cli.OK
    out = " ".join(capsys.readouterr().out.split())
    assert "points between them (95 % interval" in out
    assert "in one order and" in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("explain", "iris-mpl"), "unknown task 'iris-mpl': did you mean iris-mlp?"),
        (("explain", "iris-mlp", "--backend", "torch"), "unknown backend 'torch'"),
        (("explain", "iris-mlp", "--backend", "numpy"), "numpy is the reference"),
        (
            ("explain", "iris-mlp", "--backend", "keras-jax", "jax"),
            "keras-jax is no framework and is explained by itself: leave out all but its name",
        ),
        (("explain", "iris-mlp", "--seeds", "0"), "seeds is 0: give a whole number from 1 to 1,000"),
        (("explain", "iris-mlp", "--html", "why.txt"), "why.txt: name a file that ends in .html"),
        (("explain", "iris-mlp", "--between", "jax"), "--between needs two frameworks, as --between keras pytorch"),
        (("explain", "iris-mlp", "--between", "jax", "jax"), "--between names jax twice: name two frameworks"),
        (
            ("explain", "iris-mlp", "--between", "jax", "keras", "--backend", "jax"),
            "--between goes with neither --backend nor --html: leave them out",
        ),
        (("defaults", "adan"), "unknown layer, optimizer or loss 'adan': did you mean Adam?"),
        (("defaults", "--backend", "torch"), "unknown framework 'torch'"),
    ],
)
def test_wrong_words_are_refused_in_one_line(arguments: tuple[str, ...], expected: str, capsys: Capture) -> None:
    if not all(map(is_there, backends.framework_backends())):
        pytest.skip("not all frameworks are installed")
    assert expected in refused(capsys, *arguments)


@needs_a_framework
def test_the_atlas_is_printed_and_is_json(capsys: Capture) -> None:
    assert cli.main(["defaults", "layernorm", "--backend", FAST]) == cli.OK
    assert "LayerNorm: epsilon" in capsys.readouterr().out
    found = asked(capsys, "defaults", "layernorm", "--backend", FAST)
    assert {row["name"] for row in found["rows"]} == {"LayerNorm"}


@needs_a_framework
def test_the_atlas_is_a_page_too(capsys: Capture, tmp_path: Path) -> None:
    page = tmp_path / "defaults.html"
    assert cli.main(["defaults", "--backend", FAST, "--html", str(page)]) == cli.OK
    capsys.readouterr()
    text = page.read_text()
    assert text.count("<h2>") == len({row.kind for row in read_atlas([FAST], effects=False).rows})
    assert "LayerNorm: epsilon" in text
    assert "name a file that ends in .html" in refused(capsys, "defaults", "--html", "defaults.pdf")
