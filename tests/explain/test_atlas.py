"""The atlas of defaults: what differs is marked, and what has an effect has its size."""

import pytest

import backends
from compare.explain.atlas import AtlasError, differs, notes, read_atlas, table
from compare.explain.example import effect_of
from compare.records.atlas import Atlas
from tasks.errors import UnknownNameError
from tests.conftest import is_there


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return read_atlas([name for name in backends.framework_backends() if is_there(name)])


def test_what_differs_is_marked_with_its_effect(atlas: Atlas) -> None:
    if len(atlas.versions) < 3:
        pytest.skip("not all frameworks are installed")
    rows = {f"{row.name}: {row.argument}": row for row in atlas.rows}
    assert rows["LayerNorm: epsilon"].values == {"pytorch": "1e-05", "keras": "0.001", "jax": "1e-06"}
    assert rows["LayerNorm: epsilon"].differs
    assert (rows["LayerNorm: epsilon"].effect or 0) > 1e-4
    assert 1e-5 < (rows["GELU: approximation"].effect or 0) < 1e-2
    assert not rows["Conv2D: strides"].differs  # (1, 1) is 1
    assert not rows["SGD: weight decay"].differs  # None is 0
    assert rows["Conv2D: strides"].effect is None
    assert rows["MaxPool2D: strides"].differs  # None is the window in two of them, and 1 in flax
    assert rows["AveragePool2D: counts the padding"].differs
    assert rows["Adam: learning rate"].effect is None  # that of its epsilon is not its own
    first, columns = table(atlas)
    assert len(first.cells) == len(atlas.rows)
    assert [column.heading for column in columns][-2:] == ["differs", "effect in a small example"]
    assert "torch" in notes(atlas)[0]


def test_one_thing_or_a_kind_can_be_asked_for() -> None:
    name = next(name for name in backends.framework_backends() if is_there(name))
    assert {row.name for row in read_atlas([name], "batchnorm").rows} == {"BatchNorm"}
    assert {row.kind for row in read_atlas([name], "Optimizer").rows} == {"optimizer"}
    with pytest.raises(UnknownNameError, match="did you mean Adam"):
        read_atlas([name], "adan")


def test_a_framework_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from compare.explain import atlas as module
    from compare.records.event import Reply

    class Broken(module.LocalExecutor):
        def open(self, backend: str) -> "Broken":  # type: ignore[override]
            return self

        def __enter__(self) -> "Broken":
            return self

        def __exit__(self, *_: object) -> None: ...

        def ask(self, *_: object) -> Reply:  # type: ignore[override]
            return Reply(status="crashed", message="no module of that name")

    monkeypatch.setattr(module, "LocalExecutor", Broken)
    with pytest.raises(AtlasError, match="jax: its defaults cannot be read: no module of that name"):
        read_atlas(["jax"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"a": "0.1", "b": "0.1"}, False),
        ({"a": "(1, 1)", "b": "1"}, False),
        ({"a": "(1, 2)", "b": "1"}, True),
        ({"a": "None", "b": "0"}, False),
        ({"a": "valid", "b": "VALID"}, False),
        ({"a": "SAME", "b": "valid"}, True),
        ({"a": "mean", "b": "sum_over_batch_size"}, False),
        ({"a": "0", "b": "has none"}, False),
        ({"a": "True", "b": "has none"}, True),
        ({"a": "0.1", "b": "must be given"}, True),
    ],
)
def test_the_same_is_written_in_several_ways(values: dict[str, str], expected: bool) -> None:
    assert differs(values) is expected


def test_what_has_no_example_has_no_effect() -> None:
    assert effect_of("loss", "cross-entropy", backends.framework_backends()) is None
    assert effect_of("optimizer", "SGD", backends.framework_backends()) is None
