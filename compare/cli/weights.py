"""The command that shows the weights and biases of a saved model: ``sidebyside weights``."""

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from compare.cli.run import Json
from compare.cli.status import OK
from tasks.task import RecipeName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from compare.models.saved import SavedModel
    from compare.records.weights import WeightsSummary
    from tasks.architecture import Parameters

PRINTED, WHOLE = 1000, 100
"""Values that a kernel or bias may have for them to be printed; and for none of its rows and columns to be left out."""
LINE = 120
"""The longest line of values, in characters, where the output is no terminal."""
INDENT = "  "


def weights(
    file: Annotated[Path, Parameter(name="FILE")],
    *,
    task: str | None = None,
    recipe: RecipeName | None = None,
    json: Json = False,
) -> int:
    """Show the weights and biases of a saved model, layer by layer.

    Args:
        file: The parameters, in any of the forms that run --save-models and convert write.
        task: The task of the model, by name or file; the one that the model's file names or fits, unless given.
        recipe: The recipe of the model; the one that the file names, unless given.
    """
    from compare.models.convert import read_model
    from compare.records.weights import summarize_weights

    model, parameters = read_model(file, task, recipe)
    if model.note:
        print(f"sidebyside: {model.note}", file=sys.stderr)
    summaries = {name: summarize_weights(values) for name, values in parameters.items()}
    if json:
        print(json_module.dumps(_as_json(model, parameters, summaries)))
    else:
        _print(model, parameters, summaries)
    return OK


def _print(model: "SavedModel", parameters: "Parameters", summaries: "dict[str, WeightsSummary]") -> None:
    from compare.report.layout import TextColumn, print_lines, print_table, terminal

    console = terminal()
    print_lines([f"{model}: {sum(summary.count for summary in summaries.values()):,} parameters"])
    columns = [
        TextColumn("shape", [_shape(summary) for summary in summaries.values()]),
        TextColumn("values", [f"{summary.count:,}" for summary in summaries.values()]),
        *(
            TextColumn(
                heading.replace("_", " "), [f"{getattr(summary, heading):.4g}" for summary in summaries.values()]
            )
            for heading in ("mean", "standard_deviation", "smallest", "largest")
        ),
    ]
    print_table(TextColumn("parameter", list(summaries), right=False), columns, console, gap="  ")
    for name, summary in summaries.items():
        if summary.count <= PRINTED:
            print_lines(["", f"{name}, {_shape(summary)}"])
            for line in _values(parameters[name], min(console.width, LINE) - len(INDENT)):
                console.print(INDENT + line, soft_wrap=True, highlight=False, markup=False)
    if any(summary.count > PRINTED for summary in summaries.values()):
        only = f"Parameters of more than {PRINTED:,} values are shown by their statistics alone"
        print_lines(["", f"{only}; --json prints every value."])


def _shape(summary: "WeightsSummary") -> str:
    return "x".join(map(str, summary.shape))


def _values(values: "NDArray[np.floating]", width: int) -> list[str]:
    """The values in NumPy's notation, in lines of a width; of many, the first and the last of each row and column."""
    import numpy as np

    text = np.array2string(
        values,
        max_line_width=width,
        precision=4,
        floatmode="fixed",
        suppress_small=bool(np.abs(values).max() >= 0.01),  # else one value near 0 gives all of them an exponent
        threshold=WHOLE,
    )
    return [line for line in text.splitlines() if line.strip()]


def _as_json(model: "SavedModel", parameters: "Parameters", summaries: "dict[str, WeightsSummary]") -> dict[str, Any]:
    """Every value with its statistics, by layer and parameter."""
    architecture = model.task.architecture
    layers: dict[str, dict[str, Any]] = {}
    for key, summary in summaries.items():
        layer, _, parameter = key.partition("/")
        layers.setdefault(layer, {})[parameter] = {
            "shape": summary.shape,
            "values": summary.count,
            "mean": summary.mean,
            "standard_deviation": summary.standard_deviation,
            "smallest": summary.smallest,
            "largest": summary.largest,
            "array": parameters[key].tolist(),
        }
    kinds = {node.name: node.layer.kind for node in architecture.nodes}
    return {
        "task": model.task.name,
        "recipe": model.task.recipe_name,
        "facts": dict(model.metadata),
        "parameters": architecture.parameter_count,
        "layers": [{"layer": name, "kind": kinds[name], **of_layer} for name, of_layer in layers.items()],
    }
