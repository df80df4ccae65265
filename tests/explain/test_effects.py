"""The effects: what is found, what is not, how they are sorted, and what is said of them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backends.default import Default, of_recipe
from compare.executors.local import LocalExecutor
from compare.explain import effects as effects_module
from compare.explain import table
from compare.explain.effects import by_size, explain_task, first_step, make_effect, paired_change
from compare.explain.trainings import Trainings
from compare.records.cell import Cell
from compare.records.effect import Effect, EffectFigures, Explanation
from compare.records.request import CallRequest
from compare.run.options import make_options
from compare.run.plan import list_cells


def cell_of(task: str, backend: str = "numpy") -> Cell:
    (cell,) = list_cells(make_options({"tasks": task, "backends": backend, "epochs": 3}))
    return cell


def by_the_reference(seeds: int = 3) -> Callable[[str], Trainings]:
    """The reference computes the defaults of every framework: it has all rules."""
    return lambda framework: Trainings(cell_of("iris-mlp"), seeds, 1)


def figures(distances: list[float], accuracies: list[float | None], noise: list[float] | None = None) -> EffectFigures:
    steps = [0, 1, 10, 100]
    return EffectFigures(steps=steps, distances=distances, noise=noise or [], accuracies=accuracies)


ALIGNED = figures([], [0.9, 0.92, 0.91], [1e-7, 2e-7, 3e-7, 1e-5])
DEFAULT = Default("initial weights", "A cause.", "somewhere", of_recipe(initializer="keras"))


@pytest.mark.parametrize(
    ("distances", "first"),
    [
        ([0.0, 0.0, 0.0, 0.0], None),
        ([0.0, 4e-7, 8e-7, 2.9e-5], None),  # no further than rounding leads
        ([0.0, 4e-7, 8e-7, 4e-5], 100),
        ([0.0, 2e-5, 1e-3, 0.1], 1),
        ([1.2, 1.2, 1.2, 1.1], 0),
        ([0.0, 4e-7], 10),  # after that it was not finite
    ],
)
def test_a_model_leaves_the_aligned_one_where_rounding_cannot_lead(distances: list[float], first: int | None) -> None:
    assert first_step(figures(distances, []), ALIGNED) == first


def test_changes_are_paired_by_seed_and_have_an_interval() -> None:
    change, interval = paired_change(figures([], [0.88, 0.90, 0.89]), ALIGNED)
    assert change == pytest.approx(-0.02)
    assert interval == pytest.approx((-0.02, -0.02))
    change, interval = paired_change(figures([], [0.88, None, 0.91]), ALIGNED)
    assert change == pytest.approx(-0.01)
    assert interval is not None
    assert interval[0] < 0 < interval[1]
    assert paired_change(figures([], [None, None, None]), ALIGNED) == (None, None)


def test_the_largest_come_first_and_noise_is_not_called_an_effect() -> None:
    def effect(name: str, distance: float, accuracies: list[float | None]) -> Effect:
        made = make_effect("keras", DEFAULT, figures([0.0, 0.0, 0.0, distance], accuracies), ALIGNED)
        return made.model_copy(update={"name": name})

    clear, small = effect("clear", 0.1, [0.80, 0.82, 0.81]), effect("small", 0.5, [0.899, 0.919, 0.909])
    noisy, near = effect("noisy", 0.9, [0.70, 0.99, 0.93]), effect("near", 1e-4, [0.9, 0.92, 0.91])
    broken = effect("broken", 0.1, [None, None, None])
    ordered = by_size([near, small, noisy, broken, clear])
    assert [each.name for each in ordered] == ["broken", "clear", "small", "noisy", "near"]
    explanation = Explanation(
        task="iris-mlp", recipe="standard", seeds=3, aligned={"keras": ALIGNED}, effects=ordered, without_effect={}
    )
    said = table.answer(explanation)
    assert "broken (Keras) did not train; " in said
    assert "clear (Keras) -10.00 points; " in said
    assert said.endswith("The other 2 cannot be told from what seeds do.")
    cells = {row[0]: row[1:] for row in table.rows(explanation)}
    assert cells["Keras: near"][0] == "100"
    assert cells["Keras: noisy"][-1] == "no"
    assert cells["Keras: broken"][2] == "did not train"


def test_defaults_are_turned_on_one_at_a_time_and_together() -> None:
    found: list[str] = []
    explanation = explain_task(
        cell_of("iris-mlp"), ["keras", "jax"], by_the_reference(), lambda effect: found.append(effect.name)
    )
    names = [(effect.framework, effect.name) for effect in explanation.effects]
    assert sorted(names) == [
        ("jax", "all its defaults together"),
        ("jax", "initial weights"),
        ("jax", "last batch"),
        ("jax", "softmax before the loss"),
        ("keras", "all its defaults together"),
        ("keras", "initial weights"),
        ("keras", "order of the examples"),
        ("keras", "softmax before the loss"),
    ]
    assert len(found) == len(names)
    first = {(effect.framework, effect.name): effect.first_step for effect in explanation.effects}
    assert first["keras", "initial weights"] == 0
    assert first["keras", "order of the examples"] == 1
    assert first["jax", "last batch"] is None  # nine batches of ten are all of the ninety examples
    assert "optimizer's epsilon" in explanation.without_effect["keras"]
    assert "order of the examples" not in explanation.without_effect["keras"]
    assert Explanation.model_validate_json(explanation.model_dump_json()) == explanation


def test_the_same_model_has_no_cause(tmp_path: Path) -> None:
    """No training that differs by rounding alone is called another: fifty of them."""
    parts = str(tmp_path / "aligned"), str(tmp_path / "distances.json")
    with LocalExecutor(1).open("numpy") as session:
        cell = cell_of("iris-mlp").model_dump(mode="json")
        reply = session.ask(CallRequest(module="tests.worker.nudges", function="write", arguments=(cell, *parts)))
    assert reply.status == "ok", reply.message
    known = json.loads(Path(parts[1]).read_text())
    aligned = EffectFigures(steps=known["steps"], noise=known["noise"], accuracies=[])
    assert len(known["distances"]) == 50
    for distances in known["distances"]:
        assert max(distances) > 0, "nothing was moved"
        assert first_step(EffectFigures(steps=known["steps"], distances=distances, accuracies=[]), aligned) is None


def test_what_was_found_before_an_interrupt_is_kept() -> None:
    def interrupt(effect: Effect) -> None:
        raise KeyboardInterrupt

    explanation = explain_task(cell_of("iris-mlp"), ["keras"], by_the_reference(1), interrupt)
    assert [effect.name for effect in explanation.effects] == ["initial weights"]
    assert not explanation.complete
    assert table.answer(explanation).startswith("It was interrupted: these are the defaults that were measured. ")


def test_an_interrupt_before_the_first_effect_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: Trainings, turned: object = ()) -> EffectFigures:
        raise KeyboardInterrupt

    monkeypatch.setattr(effects_module.Trainings, "figures", interrupt)
    with pytest.raises(KeyboardInterrupt):
        explain_task(cell_of("iris-mlp"), ["keras"], by_the_reference(1))


def test_the_page_has_all_that_the_table_has(tmp_path: Path) -> None:
    from compare.explain.page import fragment, render

    explanation = explain_task(cell_of("iris-mlp"), ["keras"], by_the_reference(2))
    page = render(explanation)
    for row in table.rows(explanation):
        for cell in row:
            assert cell.replace("'", "&#39;") in page
    assert page.count("<svg") == 1
    assert "rounding alone" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert fragment(explanation).startswith('<div id="sidebyside"')


@pytest.mark.slow
def test_known_effects_come_out() -> None:
    """Softmax before a cross-entropy that expects logits costs the most; where Adam adds epsilon, nothing."""
    from compare.explain.run import explain_by_name

    explained = explain_by_name("mnist-mlp", ["jax"], seeds=3, preset="quick")
    assert explained.effects[0].name == "softmax before the loss"
    assert explained.effects[0].change is not None
    assert explained.effects[0].change < -0.02
    dense = explain_by_name("mnist-dense", ["keras"], seeds=5, preset="quick")
    assert dense.effects[-1].name == "optimizer's epsilon"
    assert not dense.effects[-1].distinguishable
    assert dense.effects[-1].first_step == 1
    assert np.isfinite(dense.effects[-1].figures.distances).all()
