"""The commands that use what was trained: ``sidebyside predict`` and ``sidebyside convert``."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import backends
from compare.models import CANONICAL, Answers, SavedModel, convert, open_model, predict
from tasks.dataset import predicted_labels
from tasks.errors import SideBySideError
from tasks.task import Task


def predict_command(options: argparse.Namespace, names: Sequence[str]) -> int:
    """``sidebyside predict``."""
    model = open_model(options.model, options.task, options.recipe)
    if bool(options.inputs) == options.test_set:
        raise SideBySideError(f"name {_wanted(model.task)}, or --test-set")
    if options.data and not options.test_set:
        raise SideBySideError("--data goes with --test-set")
    labels, done = None, list[tuple[str, ...]]()
    if options.test_set:
        dataset = model.task.load(options.data)
        inputs, labels = dataset.test_inputs, dataset.test_labels
    else:
        inputs, done = read_inputs(model.task, options.inputs)
    answers = predict(model, inputs, _installed(names))
    for name, failure in answers.failures.items():
        print(f"sidebyside: {failure if failure.startswith(name) else f'{name}: {failure}'}", file=sys.stderr)
    if not answers.outputs:
        return 1
    if options.json:
        print(json.dumps(_as_json(model, answers, options.inputs, done, labels), indent=1))
    elif labels is not None:
        print(f"{model}: {len(labels):,} test examples\n  {'backend':9} {'right':>7} {'accuracy':>9}")
        for name, outputs in answers.outputs.items():
            right = int((predicted_labels(outputs) == labels).sum())
            print(f"  {name:9} {right:>7,} {right / len(labels):>9.4f}")
        print(answers.verdict)
    else:
        print(model)
        _print_answers(answers, options.inputs, done)
    return 1 if answers.failures or answers.agree is False else 0


def convert_command(options: argparse.Namespace) -> int:
    """``sidebyside convert``."""
    task = convert(options.file, options.to, options.output, options.task, options.recipe)
    print(f"written: {options.output} ({task.name}, recipe {task.recipe_name})", file=sys.stderr)
    if options.to != CANONICAL:
        print(backends.native(options.to).LOAD.format(path=json.dumps(str(options.output), ensure_ascii=False)))
    return 0


def read_inputs(task: Task, words: Sequence[str]) -> tuple[NDArray[np.float32], list[tuple[str, ...]]]:
    """The inputs that were named on the command line, ``(n, *input_shape)``, and what was done to each.

    Raises:
        SideBySideError: they are not the task's.
    """
    if task.prepare is not None:
        from compare.digits import read_digit

        digits = [read_digit(Path(word)) for word in words]
        return task.prepare(np.array([digit.pixels for digit in digits])), [digit.done for digit in digits]
    try:
        with np.errstate(over="ignore"):
            values = np.array([float(word) for word in words]).astype(np.float32)
    except ValueError as error:
        raise SideBySideError(f"name {_wanted(task)}: {error}") from error
    if values.shape != task.architecture.input_shape or not np.isfinite(values).all():
        raise SideBySideError(f"name {_wanted(task)}, finite ones; {len(values)} were given")
    return values[None], [()]


def _wanted(task: Task) -> str:
    if task.prepare is not None:
        return "PNG files of digits"
    return f"the {task.architecture.input_shape[0]} numbers that {task.name} takes"


def _installed(names: Sequence[str]) -> list[str]:
    missing = {name: backends.missing(name) for name in names}
    if all(missing.values()):
        raise SideBySideError("; ".join(filter(None, missing.values())))
    for message in filter(None, missing.values()):
        print(f"sidebyside: left out: {message}", file=sys.stderr)
    return [name for name in names if not missing[name]]


def _print_answers(answers: Answers, words: Sequence[str], done: Sequence[Sequence[str]]) -> None:
    classes = answers.task.classes
    digits = 4 if len(classes) < 5 else 3
    wide = max(len("answer"), *map(len, classes))
    columns = [max(len(name), digits + 2) for name in classes]
    for index, steps in enumerate(done):
        name = words[index] if answers.task.prepare else " ".join(words)
        print(": ".join([name, "; ".join(steps)] if steps else [name]))
        header = " ".join(f"{name:>{width}}" for name, width in zip(classes, columns, strict=True))
        print(f"  {'backend':8} {'answer':{wide}} {header}")
        for backend in answers.outputs:
            values = answers.probabilities(backend)[index]
            answer = classes[predicted_labels(answers.outputs[backend][index : index + 1])[0]]
            row = " ".join(f"{value:>{width}.{digits}f}" for value, width in zip(values, columns, strict=True))
            print(f"  {backend:8} {answer:{wide}} {row}")
    print(answers.verdict)


def _as_json(
    model: SavedModel,
    answers: Answers,
    words: Sequence[str],
    done: Sequence[Sequence[str]],
    labels: NDArray[np.int32] | None,
) -> dict[str, Any]:
    classes = model.task.classes
    found: dict[str, Any] = {
        "task": model.task.name,
        "recipe": model.task.recipe_name,
        "facts": dict(model.facts),
        "failures": dict(answers.failures),
        "agree": answers.agree,
        "largest_difference": answers.distance,
    }
    if labels is not None:
        found["test_examples"] = len(labels)
        found["accuracy"] = {
            name: float((predicted_labels(outputs) == labels).mean()) for name, outputs in answers.outputs.items()
        }
        return found
    found["inputs"] = [
        {
            "input": words[index] if model.task.prepare else " ".join(words),
            "done": list(steps),
            "answers": {
                name: {
                    "answer": classes[predicted_labels(outputs[index : index + 1])[0]],
                    "probabilities": dict(zip(classes, answers.probabilities(name)[index].tolist(), strict=True)),
                    "outputs": outputs[index].tolist(),
                }
                for name, outputs in answers.outputs.items()
            },
        }
        for index, steps in enumerate(done)
    ]
    return found
