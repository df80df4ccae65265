"""The commands that use what was trained: ``sidebyside predict`` and ``convert``."""

import json as json_module
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

import backends
from compare.cli.run import Json
from compare.cli.status import FAILED, OK
from compare.run.checks import flag
from tasks.errors import SideBySideError
from tasks.task import RecipeName

if TYPE_CHECKING:
    from compare.models.predict import Answers
    from compare.models.saved import SavedModel
    from tasks.dataset import Dataset, Labels

Recipe = RecipeName | None


def predict(
    *inputs: Annotated[str, Parameter(name="INPUT", allow_leading_hyphen=True)],
    model: Path,
    task: str | None = None,
    recipe: Recipe = None,
    backend: Annotated[Sequence[str] | None, flag("--backend", several=True)] = None,
    test_set: Annotated[bool, Parameter(negative=())] = False,
    data: Path | None = None,
    json: Json = False,
) -> int:
    """Show what a saved model answers to new inputs.

    Args:
        inputs: Numbers, or PNG files of digits.
        model: The file of parameters, as run --save-models or convert wrote it.
        task: The task of the model, by name or file; the one that the model's file names or fits, unless given.
        recipe: The recipe of the model; the one that the file names, unless given.
        backend: The backends; all that are installed, unless named.
        test_set: Show the accuracy on the task's test set; of a regression, R².
        data: Another test set: an .npz file with MNIST's keys and shapes.
    """
    from compare.models.inputs import read_inputs, wanted
    from compare.models.predict import predict as answers_of
    from compare.models.saved import open_model
    from compare.report.layout import print_lines

    names = _known(backend)
    saved = open_model(model, task, recipe)
    if bool(inputs) == test_set:
        raise SideBySideError(f"{wanted(saved.task)}; or name --test-set for its test set")
    if data and not test_set:
        raise SideBySideError("--data goes with --test-set")
    _tell(saved.note)
    dataset, labels, done = None, None, list[tuple[str, ...]]()
    if test_set:
        dataset = saved.task.dataset(data)
        arrays, labels = dataset.test_inputs, dataset.test_labels
    else:
        arrays, done = read_inputs(saved.task, inputs)
    answers = answers_of(saved, arrays, _installed(names))
    for failure in answers.failures.values():
        print(f"sidebyside: {failure}", file=sys.stderr)
    if not answers.outputs:
        return FAILED
    if json:
        shown = _as_json(saved, answers, inputs, done, labels)
        if dataset:
            shown["test_set"] = str(data) if data else None
            shown["trained_on_other_data"] = _trained_on_other(saved, dataset)
        print(json_module.dumps(shown, indent=1))
    elif dataset:
        _print_accuracies(saved, answers, dataset, f"{data}" if data else f"{saved.task.name}'s own data")
    else:
        print_lines([str(saved)])
        _print_answers(answers, inputs, done)
    return FAILED if answers.failures or answers.agree is False else OK


def convert(
    file: Annotated[Path, Parameter(name="FILE")],
    output: Annotated[Path, Parameter(name="OUT")],
    *,
    to: Literal["pytorch", "keras", "jax", "safetensors"],
    task: str | None = None,
    recipe: Recipe = None,
) -> int:
    """Convert a saved model to a framework's own file of weights, and back.

    Args:
        file: The parameters, in any of the forms.
        output: The file to write.
        to: The form to write; safetensors is this package's own.
        task: The task of the model, by name or file; the one that the model's file names or fits, unless given.
        recipe: The recipe of the model; the one that the file names, unless given.
    """
    from compare.models.convert import convert as convert_file
    from compare.models.saved import CANONICAL

    read = convert_file(file, to, output, task, recipe)
    _tell(read.note)
    print(f"written: {output} ({read.task.name}, recipe {read.task.recipe_name})", file=sys.stderr)
    if to != CANONICAL:
        print(backends.native(to).LOAD.format(path=json_module.dumps(str(output), ensure_ascii=False)))
    return OK


def _tell(note: str) -> None:
    """Prints what the user should know, if anything."""
    if note:
        print(f"sidebyside: {note}", file=sys.stderr)


def _known(names: Sequence[str] | None) -> tuple[str, ...]:
    """The backends that were named, each once; else all frameworks. Raises UnknownNameError."""
    known = tuple(dict.fromkeys(names or ())) or backends.framework_backends()
    for name in known:
        if name not in backends.available_backends() and _is_input(name):
            raise SideBySideError(f"{name} is an input: write the inputs before --backend")
        backends.missing(name)
    return known


def _is_input(word: str) -> bool:
    """Whether a word is a number, or looks like one, or is the name of a picture."""
    return word.lower().endswith(".png") or word.lstrip("+-.")[:1].isdecimal()


def _installed(names: Sequence[str]) -> list[str]:
    missing = {name: backends.missing(name) for name in names}
    if all(missing.values()):
        raise SideBySideError("; ".join(filter(None, missing.values())))
    for message in filter(None, missing.values()):
        print(f"sidebyside: left out: {message}", file=sys.stderr)
    return [name for name in names if not missing[name]]


def _trained_on_other(model: "SavedModel", dataset: "Dataset") -> bool | None:
    """Whether a model was trained on other data than these; None where its file does not say."""
    return model.metadata["data"] != dataset.train_sha256 if "data" in model.metadata else None


def _print_accuracies(model: "SavedModel", answers: "Answers", dataset: "Dataset", origin: str) -> None:
    from compare.report.layout import TextColumn, print_lines, print_table, terminal
    from compare.text import MEASURES
    from tasks.dataset import score

    labels, measure = dataset.test_labels, model.task.source.measure
    lines = [f"{model}: {len(labels):,} test examples of {origin}"]
    if _trained_on_other(model, dataset):
        lines.append("The model was trained on other data than these; --data FILE takes the test set of another file.")
    print_lines(lines)
    columns = [TextColumn(MEASURES[measure], [f"{score(found, labels):.4f}" for found in answers.labels.values()])]
    if measure == "accuracy":
        right = [int((found == labels).sum()) for found in answers.labels.values()]
        columns.insert(0, TextColumn("right", [f"{count:,}" for count in right]))
    print_table(TextColumn("backend", list(answers.outputs), right=False), columns, terminal())
    print_lines([answers.verdict])


def _print_answers(answers: "Answers", words: Sequence[str], done: Sequence[Sequence[str]]) -> None:
    from compare.report.layout import TextColumn, print_lines, print_table, terminal

    classes = answers.task.source.classes
    numbers = answers.task.source.predicts_numbers
    digits = 4 if len(classes) < 5 else 3
    names = TextColumn("backend", list(answers.outputs), right=False)
    labels = answers.labels.values()
    probabilities = [answers.probabilities(backend) for backend in answers.outputs]
    for index, steps in enumerate(done):
        name = words[index] if answers.task.source.takes != "numbers" else " ".join(words)
        name = name.encode(errors="backslashreplace").decode()  # a file's name may hold any bytes
        print_lines([": ".join([name, "; ".join(steps)] if steps else [name])])
        words_of = [f"{label[index]:.7g}" if numbers else classes[label[index]] for label in labels]
        columns = [TextColumn("answer", words_of, right=numbers)]
        for at, kind in enumerate(classes):
            columns.append(TextColumn(kind, [f"{values[index, at]:.{digits}f}" for values in probabilities]))
        print_table(names, columns, terminal(), gap=" ")
    print_lines([answers.verdict])


def _answer_as_json(answers: "Answers", backend: str, index: int) -> dict[str, Any]:
    classes, label = answers.task.source.classes, answers.labels[backend][index]
    if answers.task.source.predicts_numbers:
        return {"answer": float(label)}
    probabilities = dict(zip(classes, answers.probabilities(backend)[index].tolist(), strict=True))
    return {"answer": classes[label], "probabilities": probabilities}


def _as_json(
    model: "SavedModel",
    answers: "Answers",
    words: Sequence[str],
    done: Sequence[Sequence[str]],
    labels: "Labels | None",
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "task": model.task.name,
        "recipe": model.task.recipe_name,
        "facts": dict(model.metadata),
        "failures": dict(answers.failures),
        "agree": answers.agree,
        "largest_difference": answers.distance,
    }
    if labels is not None:
        from tasks.dataset import score

        shown["test_examples"] = len(labels)
        shown[model.task.source.measure] = {name: score(found, labels) for name, found in answers.labels.items()}
        return shown
    shown["inputs"] = [
        {
            "input": words[index] if model.task.source.takes != "numbers" else " ".join(words),
            "done": list(steps),
            "answers": {
                name: {**_answer_as_json(answers, name, index), "outputs": outputs[index].tolist()}
                for name, outputs in answers.outputs.items()
            },
        }
        for index, steps in enumerate(done)
    ]
    return shown
