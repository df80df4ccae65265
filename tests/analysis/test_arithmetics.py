"""Rows of one arithmetic are held against each other alone."""

from compare.analysis.sections import summarize
from compare.run.options import make_options
from compare.run.plan import list_cells
from tests.analysis.runs import make_certificate, make_results, make_run

RECIPES = {"standard": "float32", "standard-bfloat16": "bfloat16"}


def test_each_arithmetic_has_its_own_ranking() -> None:
    runs = [
        make_run(backend, round_=round_, recipe=recipe, examples_per_second=speed + round_)
        for round_ in range(3)
        for recipe in RECIPES
        for backend, speed in (("jax", 1000.0), ("keras", 500.0))
    ]
    certificates = [make_certificate(backend, recipe=recipe) for recipe in RECIPES for backend in ("jax", "keras")]
    sections = summarize(make_results(runs=runs, certificates=certificates))
    assert [section.title for section in sections] == ["mnist-mlp", "mnist-mlp, bfloat16"]
    for section in sections:
        rounding = RECIPES[section.recipe]
        assert f"equal within {rounding} rounding over all 564 steps" in section.answer
        compared = [pair for group in section.groups for pair in group.comparisons]
        assert {(pair.first.first.recipe, pair.second.first.recipe) for pair in compared} == {(section.recipe,) * 2}


def test_the_cells_of_a_round_have_all_of_them() -> None:
    options = make_options({"tasks": ["iris-mlp"], "backends": ["jax"], "arithmetics": ["float32", "bfloat16"]})
    assert [cell.recipe for cell in list_cells(options)] == list(RECIPES)
    assert len({cell.file_name for cell in list_cells(options)}) == 2
