"""Lessons: every framework gives the outputs that are worked out by hand here; how they are run and shown."""

import ast
import base64
import hashlib
import inspect
import io
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import backends
from backends.lessons import load_lesson
from backends.registry import available_backends
from compare import lessons
from compare.lessons import processes
from compare.lessons.agreement import judge
from compare.lessons.page import write_lessons_html
from compare.lessons.result import Column, LessonResult, lesson_json
from compare.lessons.terminal import print_lesson, wrap
from tasks import load_task
from tasks.errors import UnknownNameError
from tests.conftest import is_there

ROOT = Path(__file__).parent.parent
NAMES = (
    *("neuron", "activations", "tensors", "matmul", "two-layers", "gradient", "gradient-descent", "counting"),
    *("and-gate", "layers", "loss-traps", "randomness", "training-loop", "save-load", "inputs", "data-look"),
)
SLOW = ("loss-traps", "save-load")
FRAMEWORK_MODULES = {"torch", "torchvision", "tensorflow", "keras", "jax", "jaxlib", "flax", "optax"}
HEAVY = FRAMEWORK_MODULES | {"sklearn", "pandas", "altair", "vl_convert", "rich", "pygments", "jinja2", "safetensors"}

Ran = dict[str, LessonResult]


@pytest.fixture(scope="session")
def ran() -> Ran:
    """The ordinary lessons in every installed framework: one process a framework for all of them."""
    return run([name for name in NAMES if name not in SLOW])


@pytest.fixture(scope="session")
def ran_slow() -> Ran:
    return run(SLOW)


def run(names: Sequence[str]) -> Ran:
    for framework in available_backends():
        is_there(framework)  # an error where SIDEBYSIDE_REQUIRE names a framework that is not
    return {result.name: result for result in lessons.run_lessons(names)}


def everywhere(result: LessonResult, output: str) -> list[Any]:
    """One output in every framework that is installed."""
    found = [column.outputs[output] for column in result.columns if column.status == "ok"]
    assert len(found) == sum(backends.missing(framework) is None for framework in available_backends())
    return found


def check(result: LessonResult, output: str, expected: Any) -> None:
    """Holds one output of every framework against a value worked out here."""
    for value in everywhere(result, output):
        assert flat(value) == pytest.approx(flat(expected), rel=1e-5, abs=1e-6)


def flat(value: Any) -> list[float]:
    if isinstance(value, list | tuple):
        return [number for item in value for number in flat(item)]
    return [value]


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


# ---- the lessons as they are written --------------------------------------------------------------------------------


def test_there_is_every_lesson() -> None:
    titles = lessons.available_lessons()
    assert tuple(titles) == NAMES
    assert all(titles.values())
    assert len(set(titles.values())) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_is_complete(name: str) -> None:
    lesson = load_lesson(name)
    assert lesson.title
    assert lesson.about
    assert 2 <= len(re.findall(r"[.](?=\s|$)", lesson.note)) <= 6, "a note has two to six sentences"
    for framework in available_backends():
        functions = lesson.functions(framework)
        assert len(functions) == len(lesson.functions("numpy"))
        assert all(function.__doc__ for function in functions)


@pytest.mark.parametrize("name", NAMES)
def test_the_source_shown_is_the_source_that_runs(name: str) -> None:
    lesson = load_lesson(name)
    text = inspect.getsource(lesson.module)
    for framework in available_backends():
        parts = [inspect.getsource(function) for function in lesson.functions(framework)]
        assert all(part in text for part in parts)
        assert lesson.source(framework).split() == "".join(parts).split()
    shared = ast.parse(lesson.shared_source)
    assert not any(isinstance(node, ast.FunctionDef) and "with_" in node.name for node in shared.body)
    assert "NOTE" not in lesson.shared_source
    assert all(line in text.splitlines() for line in lesson.shared_source.splitlines())


def test_importing_lessons_imports_nothing_heavy() -> None:
    loaded = modules_after(
        "import backends.lessons, compare.lessons; compare.lessons.available_lessons();"
        "[backends.lessons.load_lesson(name) for name in backends.lessons.available_lessons()]"
    )
    assert "backends.lessons.data_look" in loaded
    assert not HEAVY & {name.partition(".")[0] for name in loaded}


def test_the_purity_test_can_fail() -> None:
    assert "rich" in modules_after("import compare.lessons, rich")


def modules_after(script: str) -> set[str]:
    code = f"{script}\nimport sys; print('\\n'.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../neuron",
        "neuron.py",
        "NEURON",
        "neuron\n",
        "__init__",
        "two_layers",
        "os",
        "[red]x",
        "a" * 9999,
    ],
)
def test_an_unknown_lesson_is_an_error_that_names_the_known(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)  # nothing may run
    with pytest.raises(UnknownNameError) as caught:
        lessons.run_lessons(["neuron", name])
    message = str(caught.value)
    assert "\n" not in message
    assert "gradient-descent" in message


@pytest.mark.parametrize("name", ["", "torch", "numpy;", "../numpy", "with_numpy"])
def test_an_unknown_framework_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    with pytest.raises(UnknownNameError, match="choose from numpy, pytorch, keras, jax"):
        lessons.run_lesson("neuron", [name])


# ---- what they give -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SLOW])
def test_frameworks_agree(name: str, ran: Ran) -> None:
    check_agreement(ran[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_frameworks_agree_in_slow_lessons(name: str, ran_slow: Ran) -> None:
    check_agreement(ran_slow[name])


def check_agreement(result: LessonResult) -> None:
    assert result.failures == ()
    assert {column.status for column in result.columns} <= {"ok", "missing"}
    lesson = load_lesson(result.name)
    installed = [column for column in result.columns if column.status == "ok"]
    assert len(installed) >= 1
    kinds = {verdict.output: verdict.verdict for verdict in result.verdicts}
    assert set(lesson.differs) | set(lesson.tolerances) <= set(kinds), "every mark is of an output that there is"
    expected = "agree" if len(installed) > 1 else "alone"
    for output, kind in kinds.items():
        assert kind == ("differ" if output in lesson.differs else expected), output
    if len(installed) == len(available_backends()):
        for output in lesson.differs:
            values = [json.dumps(column.outputs[output]) for column in installed]
            assert len(set(values)) > 1, f"{output} is marked as differing, and does not"


def test_neuron(ran: Ran) -> None:
    result = ran["neuron"]
    weights = [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0]
    check(result, "weights", weights)
    check(result, "losses", [(sigmoid(2.1 * w) - 1) ** 2 for w in weights])

    def derivative(w: float) -> float:
        p = sigmoid(2.1 * w)
        return 2 * (p - 1) * p * (1 - p) * 2.1

    check(result, "derivatives", [derivative(w) for w in weights[:-1]])
    # At weight 0 the sigmoid is 1/2: 2 * (-1/2) * 1/4 * 2.1.
    assert derivative(0) == pytest.approx(-0.525)
    check(result, "curve", [(sigmoid(2.1 * (-6 + step / 5)) - 1) ** 2 for step in range(61)])


def test_activations(ran: Ran) -> None:
    result = ran["activations"]
    xs = [-5 + step / 4 for step in range(41)]
    weights, biases = [0, 0.2, 0.4, 0.6, 0.8, 1], [-1, -0.6, -0.2, 0.2, 0.6, 1]
    total = sum(map(math.exp, xs))
    check(result, "softmax", [math.exp(x) / total for x in xs])
    functions: dict[str, Callable[[float], float]] = {
        "tanh": math.tanh,
        "sigmoid": sigmoid,
        "relu": lambda x: max(x, 0.0),
    }
    for name, function in functions.items():
        check(result, name, [function(x) for x in xs])
        check(result, f"{name}_by_weight", [[function(w * x) for x in xs] for w in weights])
        check(result, f"{name}_by_bias", [[function(x + b) for x in xs] for b in biases])


def test_matmul(ran: Ran) -> None:
    result = ran["matmul"]
    # 0.13135664 - 0.27953716 + 1.16683632 - 0.15399626 - 2.84426376 + 0.3177
    expected = -1.66190422
    check(result, "by_sum", expected)
    check(result, "by_matmul", [[expected]])
    check(result, "output", [[sigmoid(expected)]])
    for column in result.columns:
        if column.status == "ok":
            assert re.fullmatch(r"\w+Error: .+", column.outputs["shape_error"])


def test_two_layers(ran: Ran) -> None:
    x = (-0.1468, 0.7861, 0.9468)
    first = -0.1468 * -1.1143 + 0.7861 * -0.8948 + 0.9468 * 1.2324 + 0.1328
    second = x[0] * 1.6908 + x[1] * -0.3556 + x[2] * 0.1382 + 0.1373
    hidden = [sigmoid(first), sigmoid(second)]
    check(ran["two-layers"], "hidden", [hidden])
    check(ran["two-layers"], "output", [[sigmoid(hidden[0] * -1.6822 + hidden[1] * 0.3177 + 0.2405)]])


def test_gradient(ran: Ran) -> None:
    result = ran["gradient"]
    check(result, "dy_dx_at_2", 25)
    check(result, "dy_dx", [151, 97, 55, 25, 7, 1, 7, 25, 55, 97, 151])
    y = math.tanh(0.2 * 1.0 + 0.3 * 0.4 + 1)
    slope = 1 - y * y
    check(result, "neuron", y)
    check(result, "neuron_d_w", [0.2 * slope, 0.3 * slope])
    check(result, "neuron_d_x", [1.0 * slope, 0.4 * slope])
    check(result, "neuron_d_b", slope)


def test_gradient_descent(ran: Ran) -> None:
    check(ran["gradient-descent"], "path", [20 * 0.8**step for step in range(151)])
    for minimum in everywhere(ran["gradient-descent"], "minimum"):
        assert minimum == pytest.approx(20 * 0.8**150, rel=1e-4)


def test_counting(ran: Ran) -> None:
    result = ran["counting"]
    check(result, "by_arithmetic", 13002)
    check(result, "by_framework", 13002)
    check(result, "by_layer", [12560, 272, 170])
    counts = {"and-gate": 3, "iris-mlp": 193, "mnist-mlp": 669_706, "mnist-dense": 118_282, "mnist-cnn": 804_554}
    for task, count in counts.items():
        check(result, task, count)
    assert all("272" in summary or "16" in summary for summary in everywhere(result, "summary"))


def test_and_gate(ran: Ran) -> None:
    result = ran["and-gate"]
    for answers in everywhere(result, "answers"):
        assert answers == [False, False, False, True]
    for column in result.columns:
        if column.status == "ok":
            (w1, w2), (b,) = flat(column.outputs["kernel"]), column.outputs["bias"]
            expected = [sigmoid(x1 * w1 + x2 * w2 + b) for x1 in (0, 1) for x2 in (0, 1)]
            assert column.outputs["outputs"] == pytest.approx(expected, rel=1e-4)
    assert "six digits" in result.note
    assert max(verdict.largest_difference or 0 for verdict in result.verdicts) < 2e-6


def test_layers(ran: Ran) -> None:
    check(ran["layers"], "dense", [[0 * 1 + 0.2 * 2 + 0.4 * 3 + 0.5, 0.1 * 1 + 0.3 * 2 + 0.5 * 3 - 0.5]])

    def pixel(y: int, x: int, channel: int) -> float:
        return (y * 4 + x) * 2 / 32 + channel / 32 if 0 <= y < 4 and 0 <= x < 4 else 0.0

    def weight(i: int, j: int, channel: int, filter_: int) -> float:
        return (((i * 3 + j) * 2 + channel) * 3 + filter_) / 54

    conv = [
        sum(pixel(y + i - 1, x + j - 1, c) * weight(i, j, c, f) for i in range(3) for j in range(3) for c in range(2))
        + (0.1, 0.2, 0.3)[f]
        for y in range(4)
        for x in range(4)
        for f in range(3)
    ]
    check(ran["layers"], "conv", conv)


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
        assert trained.outputs["code_refused"] is True


# ---- agreement ------------------------------------------------------------------------------------------------------


def column(framework: str, **outputs: Any) -> Column:
    return Column(framework, {framework: "1"}, "def f(): ...\n", "ok", "", outputs, 0.0)


def verdict_of(left: Any, right: Any, name: str = "x", lesson: str = "gradient") -> str:
    (verdict,) = judge(load_lesson(lesson), [column("numpy", **{name: left}), column("jax", **{name: right})])
    return verdict.verdict


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        (1.0, 1.000009, "agree"),
        (1.0, 1.00002, "disagree"),
        (0.0, 9e-7, "agree"),
        (0.0, 2e-6, "disagree"),
        ([1.0, 2.0], [1.0, 2.0001], "disagree"),
        ([1.0, 2.0], [[1.0, 2.0]], "disagree"),
        ([1.0], [1.0, 1.0], "disagree"),
        (25, 25.0, "agree"),
        (True, True, "agree"),
        (True, False, "disagree"),
        (True, "True", "disagree"),
        ("a", "b", "disagree"),
        ([[0, 1], [2]], [[0, 1], [2]], "agree"),
        ([[0, 1], [2]], [[0, 1], [3]], "disagree"),
        ([], [], "agree"),
    ],
)
def test_agreement(left: Any, right: Any, verdict: str) -> None:
    assert verdict_of(left, right) == verdict


def test_marks_of_a_lesson_are_followed() -> None:
    assert verdict_of("a", "b", "shape_error", "matmul") == "differ"
    assert verdict_of(0.9, 0.9019, "mnist_accuracy_standard", "loss-traps") == "agree"
    assert verdict_of(0.9, 0.9021, "mnist_accuracy_standard", "loss-traps") == "disagree"


def test_an_output_that_one_framework_lacks_is_a_failure() -> None:
    columns = (column("numpy", x=1.0), column("jax", y=1.0))
    assert [v.verdict for v in judge(load_lesson("gradient"), columns)] == ["disagree", "disagree"]


def test_one_framework_alone_agrees_with_nobody(tmp_path: Path) -> None:
    result = lessons.run_lesson("gradient", ["numpy"])
    assert result.failures == ()
    assert {verdict.verdict for verdict in result.verdicts} == {"alone"}


def test_a_nudged_output_is_a_failure(ran: Ran) -> None:
    result = ran["neuron"]
    first = result.columns[0]
    losses = [*first.outputs["losses"]]
    losses[3] += 1e-4
    nudged = replace(first, framework="jax", outputs={**first.outputs, "losses": losses})
    verdicts = judge(load_lesson("neuron"), [first, nudged])
    failures = replace(result, columns=(first, nudged), verdicts=verdicts).failures
    assert len(failures) == 1
    assert failures[0].startswith("neuron: losses: JAX differs from NumPy, by 0.0001")


# ---- processes ------------------------------------------------------------------------------------------------------


def test_a_missing_framework_says_what_to_install_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "missing", lambda name: "keras needs it: pip install it" if name == "keras" else None)
    result = lessons.run_lesson("two-layers", ["numpy", "keras"])
    assert [column.status for column in result.columns] == ["ok", "missing"]
    assert result.columns[1].message == "keras needs it: pip install it"
    assert result.columns[1].source.startswith("def with_keras")
    assert result.failures == ()


FAKE = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
import numpy as np
import compare.lessons.processes as processes

class Fake:
    def __init__(self, name):
        self.name = name
    def run(self, framework, stage, folder):
        print("noise from Python")
        os.system("echo noise from C")
        if self.name == "raises":
            raise ValueError("first line\\nsecond [bold]line[/bold]")
        if self.name == "dies":
            sys.stderr.write("out of\\nluck\\n")
            sys.stderr.flush()
            os._exit(3)
        if self.name == "hangs":
            os.system("sleep 60 &")
            time.sleep(60)
        if self.name == "tensor":
            return {"x": object()}
        if self.name == "nan":
            return {"x": float("nan")}
        return {"x": np.float32(0.1), "many": np.arange(4).reshape(2, 2)}

processes.load_lesson = Fake
processes.serve(sys.argv[2], sys.argv[3], sys.argv[4:])
"""


def test_a_child_that_fails_costs_its_own_lesson_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_CHILD", FAKE)
    monkeypatch.setattr(processes, "LIMIT_SECONDS", 5.0)
    names = ["fine", "raises", "dies", "tensor", "hangs", "nan", "again"]
    replies = processes.run_jobs("numpy", [(name, 0) for name in names], tmp_path, None)
    outcome = {name: reply for (name, _), reply in replies.items()}
    assert set(outcome) == set(names)
    assert outcome["fine"]["outputs"] == outcome["again"]["outputs"] == {"x": 0.1, "many": [[0, 1], [2, 3]]}
    assert outcome["raises"]["error"] == "ValueError: first line second [bold]line[/bold]"
    assert outcome["dies"]["error"] == "the process ended (exit status 3): luck"
    assert outcome["hangs"]["error"] == "took longer than 5 seconds"
    assert outcome["tensor"]["error"].startswith("TypeError: ")
    assert "object" in outcome["tensor"]["error"]
    assert outcome["nan"]["error"].startswith("ValueError: ")


def test_a_framework_that_cannot_start_is_not_tried_for_every_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = tmp_path / "starts"
    monkeypatch.setattr(
        processes, "_CHILD", f"open({str(counter)!r}, 'a').write('x'); raise SystemExit('no such library')"
    )
    replies = processes.run_jobs("numpy", [(name, 0) for name in NAMES], tmp_path, None)
    assert len(replies) == len(NAMES)
    assert {reply["error"] for reply in replies.values()} == {"the process ended (exit status 1): no such library"}
    assert counter.read_text() == "xx"


def test_progress_names_what_is_about_to_run() -> None:
    seen: list[tuple[str, str]] = []
    lessons.run_lessons(["gradient", "matmul"], ["numpy"], progress=lambda *pair: seen.append(pair))
    assert seen == [("numpy", "gradient"), ("numpy", "matmul")]


# ---- shown ----------------------------------------------------------------------------------------------------------


HOSTILE = "<script>alert(1)</script> [bold]x[/bold] \"quoted\" 'so'"


@pytest.fixture
def hostile(ran: Ran) -> LessonResult:
    """A result in which a message and an output try to be markup."""
    result = ran["matmul"]
    failed = replace(result.columns[-1], status="failed", message=HOSTILE, outputs={})
    first = replace(result.columns[0], outputs={**result.columns[0].outputs, "shape_error": HOSTILE})
    return replace(result, columns=(first, failed))


def printed(result: LessonResult, width: int) -> str:
    from rich.console import Console

    file = io.StringIO()
    print_lesson(result, Console(file=file, width=width, color_system=None))
    return file.getvalue()


@pytest.mark.parametrize("width", [40, 79, 80, 119, 120, 200])
def test_nothing_is_wider_than_the_terminal(width: int, ran: Ran) -> None:
    for result in ran.values():
        assert max(map(len, printed(result, width).splitlines())) <= width


def test_no_name_is_cut() -> None:
    name = "a_name_that_is_longer_than_its_column_is_wide"
    columns = tuple(column(framework, **{name: 1.0}) for framework in available_backends())
    verdicts = judge(load_lesson("gradient"), columns)
    result = replace(lessons.run_lesson("gradient", ["numpy"]), columns=columns, verdicts=verdicts)
    assert name in "".join(line[:24].strip() for line in printed(result, 120).splitlines())


def test_blocks_are_whole_at_80_columns(ran: Ran) -> None:
    """The digit's table between its outer columns of zeros; what a framework prints of a network, in no line folded."""
    lines = printed(ran["data-look"], 80).splitlines()
    begin = lines.index("columns 4 to 23; all others are 0") + 1
    rows = [[int(word) for word in line.split()] for line in lines[begin : begin + 28]]
    (digit, *_) = everywhere(ran["data-look"], "first_digit")
    assert rows == [row[4:24] for row in digit]
    lines = printed(ran["counting"], 80).splitlines()
    for summary in everywhere(ran["counting"], "summary"):
        assert {line.rstrip() for line in summary.splitlines()} <= {line.rstrip() for line in lines}


def test_columns_stand_side_by_side_from_120_on(ran: Ran) -> None:
    labels = [column.label for column in ran["gradient"].columns]

    def lines_with_all(text: str) -> list[str]:
        return [line for line in text.splitlines() if all(re.search(rf"\b{label}\b", line) for label in labels)]

    wide, narrow = printed(ran["gradient"], 120), printed(ran["gradient"], 119)
    assert len(lines_with_all(wide)) >= 2  # over the code, and over the outputs
    assert not lines_with_all(narrow)
    headings = [narrow.index(f"\n{label} ") for label in labels if f"\n{label} " in narrow]
    assert len(headings) == len(labels)
    assert headings == sorted(headings)
    assert "def with_numpy()" in narrow
    for text in (wide, narrow):
        assert "6 * x**2 + 1" in text
        assert text.count("[151 97 55 25 7") == len(labels)
        assert " ".join(ran["gradient"].note.split())[:60] in " ".join(text.split())


def test_code_broken_for_a_narrow_column_loses_nothing(ran: Ran) -> None:
    from rich.text import Text

    for result in ran.values():
        for ran_column in result.columns:
            for line in ran_column.source.splitlines():
                pieces = wrap(Text(line), 27)
                assert all(len(piece.plain) <= 27 for piece in pieces)
                joined = "".join(piece.plain.replace(" ", "") for piece in pieces)
                assert joined == line.replace(" ", "")


def test_text_that_looks_like_markup_is_text(hostile: LessonResult) -> None:
    for width in (80, 120):
        text = printed(hostile, width)
        assert "[bold]x[/bold]" in " ".join(text.split())


class Page(HTMLParser):
    """What a page holds: tags with attributes, and the text of its style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.style = ""
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.style += data


@pytest.fixture(scope="session")
def page(ran: Ran, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "lessons.html"
    write_lessons_html(list(ran.values()), file)
    assert [path.name for path in file.parent.iterdir()] == ["lessons.html"]
    return file.read_text(encoding="utf-8")


def test_the_page_needs_nothing_else(page: str) -> None:
    parsed = Page(page)
    (policy,) = [a["content"] for tag, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(parsed.style.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"style-src 'sha256-{digest}'" in policy
    names = {tag for tag, _ in parsed.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "form", "base"}
    assert names >= {"table", "picture", "fieldset", "input"}
    for tag, attributes in parsed.tags:
        assert "style" not in attributes, "the policy would refuse it"
        for name in ("src", "srcset"):
            assert attributes.get(name, "data:image/").startswith("data:image/"), tag
        assert attributes.get("href", "#").startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in parsed.style
    assert "url(" not in parsed.style


def test_the_page_has_every_lesson_and_every_picture(page: str, ran: Ran) -> None:
    parsed = Page(page)
    assert [a["id"] for tag, a in parsed.tags if tag == "article"] == list(ran)
    images = [a for tag, a in parsed.tags if tag == "img"]
    assert all(image["alt"] for image in images)
    captions = {
        caption
        for name, result in ran.items()
        if hasattr(load_lesson(name).module, "pictures")
        for caption in load_lesson(name).module.pictures(result.outputs)
    }
    assert {image["alt"] for image in images} == captions
    assert len(captions) >= 8
    radios = [a["id"] for tag, a in parsed.tags if tag == "input"]
    assert radios == [f"show-{column.framework}" for column in ran["neuron"].columns]
    for name in radios:
        assert f"#{name}:checked" in parsed.style


def test_the_page_escapes(hostile: LessonResult, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    write_lessons_html([hostile], file)
    text = file.read_text(encoding="utf-8")
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3  # the failure, the column, the output


def test_a_page_that_cannot_be_written_leaves_nothing(ran: Ran, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        write_lessons_html([ran["gradient"]], tmp_path / "nowhere" / "page.html")
    (tmp_path / "page.html").mkdir()
    with pytest.raises(OSError, match=r"page\.html"):
        write_lessons_html([ran["gradient"]], tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_json_holds_everything(ran: Ran) -> None:
    for result in ran.values():
        data = json.loads(json.dumps(lesson_json(result), allow_nan=False))
        assert data["lesson"] == result.name
        assert data["agreed"] is True
        assert data["note"] == result.note
        for column_data, ran_column in zip(data["frameworks"], result.columns, strict=True):
            assert column_data["source"] == ran_column.source
            assert column_data["outputs"] == ran_column.outputs
        assert {output["output"] for output in data["outputs"]} == set(result.outputs)
