"""Lessons on tensors, data, training and files give what is known of each framework."""

import json
import math
import re
from collections.abc import Sequence

import pytest

from backends.lessons import load_lesson
from tasks import load_task
from tests.lessons.common import Ran, check, everywhere, flat


def test_tensors(ran: Ran) -> None:
    outputs = {column.framework: column.outputs for column in ran["tensors"].columns if column.status == "ok"}
    expected = {
        "numpy": (True, "True", "float64", "float64", "int64"),
        "pytorch": (True, "True", "torch.float32", "torch.float64", "torch.int64"),
        "keras": (False, "False", "float32", "float64", "int32"),
        "jax": (None, "read-only", "float32", "float32", "int32"),  # jnp.asarray may share, or may not
    }
    for framework, found in outputs.items():
        follows, back, *dtypes = expected[framework]
        assert found["follows_numpy"] == follows or follows is None
        assert found["numpy_follows"] == back
        assert [found[f"{name}_dtype"] for name in ("float", "float64_array", "int")] == dtypes
        assert (found["change_in_place"] == "allowed") == (framework in ("numpy", "pytorch"))


def test_randomness(ran: Ran) -> None:
    outputs = {column.framework: column.outputs for column in ran["randomness"].columns if column.status == "ok"}
    limits = {"pytorch": 1 / math.sqrt(100), "keras": math.sqrt(6 / 150)}  # of 5,000 uniform draws
    for framework, found in outputs.items():
        assert found["same_seed_same_draws"] is True
        assert found["same_call_twice"] == ("same" if framework == "jax" else "new numbers")
        if framework in limits:
            assert 0.99 * limits[framework] < found["largest_weight"] <= limits[framework]
            assert found["weight_std"] == pytest.approx(limits[framework] / math.sqrt(3), rel=0.05)
        else:
            assert found["weight_std"] == pytest.approx(1 / math.sqrt(100), rel=0.05)
        assert (found["bias_std"] > 0) == (framework == "pytorch")


def test_training_loop(ran: Ran) -> None:
    result = ran["training-loop"]
    for losses in everywhere(result, "losses"):
        assert len(losses) == 45
        assert losses[0] == pytest.approx(math.log(3), rel=1e-6)  # all weights are zero: each class has 1/3
        assert sum(losses[-9:]) < 0.7 * sum(losses[:9])
    shows = {column.framework: column.outputs["old_reference_shows"] for column in result.columns if column.outputs}
    for framework, numbers in shows.items():
        assert numbers == ("old numbers" if framework == "jax" else "new numbers")


def test_inputs(ran: Ran) -> None:
    result = ran["inputs"]
    assert all(batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] for batches in everywhere(result, "in_order"))
    check(result, "dropped_remainder", [[0, 1, 2, 3], [4, 5, 6, 7]])
    for epoch in ("shuffled_epoch_1", "shuffled_epoch_2"):
        for batches in everywhere(result, epoch):
            assert sorted(flat(batches)) == list(range(10))
            assert [len(batch) for batch in batches] == [4, 4, 2]
    for column in result.columns:
        if column.framework == "keras" and column.status == "ok":
            order = json.loads(column.outputs["buffer_of_2"])
            assert all(place >= example - 1 for place, example in enumerate(order)), "at most one place forward"


def test_data_look(ran: Ran) -> None:
    result = ran["data-look"]
    check(result, "labels", [5, 0, 4, 1, 9, 2, 1, 3, 1, 4, 3, 5, 3, 6, 1, 7])
    check(result, "flowers_by_species", [50, 50, 50])
    # Fisher (1936), table 1's means.
    means = [(5.006, 3.428, 1.462, 0.246), (5.936, 2.77, 4.26, 1.326), (6.588, 2.974, 5.552, 2.026)]
    check(result, "iris_means", means)
    for image in everywhere(result, "first_digit"):
        assert sum(flat(image)) == 27525  # the first training image of MNIST
        assert max(flat(image)) == 255


@pytest.mark.slow
def test_loss_traps(ran_slow: Ran) -> None:
    result = ran_slow["loss-traps"]
    logits, labels = ((2.0, 1.0, 0.1), (0.5, 2.5, -1.0)), (0, 2)

    def softmax(z: Sequence[float]) -> list[float]:
        return [math.exp(x) / sum(map(math.exp, z)) for x in z]

    once = [softmax(z) for z in logits]
    check(result, "right", -sum(math.log(p[y]) for p, y in zip(once, labels, strict=True)) / 2)
    check(result, "softmax_twice", -sum(math.log(softmax(p)[y]) for p, y in zip(once, labels, strict=True)) / 2)
    check(result, "nll_of_probabilities", -sum(p[y] for p, y in zip(once, labels, strict=True)) / 2)
    for recipe in ("standard", "as_written"):
        assert min(everywhere(result, f"iris_accuracy_{recipe}")) > 0.9
    standard, flawed = (everywhere(result, f"mnist_accuracy_{recipe}") for recipe in ("standard", "as_written"))
    assert min(standard) > max(flawed) + 0.2


def test_loss_traps_names_the_mistake_of_each_task() -> None:
    module = load_lesson("loss-traps").module
    assert "log-probabilities" in load_task("mnist-mlp", "as-written").recipe.flaw
    assert "twice" in load_task("iris-mlp", "as-written").recipe.flaw
    outputs = {f"{t}_accuracy_{r}": 0.5 for t in ("iris", "mnist") for r in ("standard", "as_written")}
    for text in (*module.pictures(outputs), " ".join(load_lesson("loss-traps").about.split())):
        assert re.search(r"twice.* iris.*likelihood.* MNIST|iris-mlp .*twice, mnist-mlp .*likelihood", text), text


@pytest.mark.slow
def test_save_load_crosses_every_pair(ran_slow: Ran) -> None:
    result = ran_slow["save-load"]
    installed = [column for column in result.columns if column.status == "ok"]
    for trained in installed:
        accuracies = everywhere(result, f"{trained.framework}_accuracy")
        assert set(accuracies) == {trained.outputs["saved_accuracy"]}
        assert trained.outputs["saved_accuracy"] > 0.8


def test_save_formats(ran: Ran) -> None:
    """The default loader of every framework refuses a file that carries code."""
    assert all(refused is True for refused in everywhere(ran["save-formats"], "code_refused"))
    assert all(size > 4 * 193 for size in everywhere(ran["save-formats"], "native_bytes"))  # 193 float32 numbers
