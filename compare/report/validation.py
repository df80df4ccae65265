"""Training and validation over the epochs: the losses, and the accuracy on the test set."""

from collections.abc import Sequence
from typing import Any

from compare.analysis.rows import Row, measure_of
from compare.page.drawing import Drawing
from compare.records.run import Curve
from compare.report.chart_parts import Look, line_chart, row_dashes

_NAMES = ("training", "validation")
_APART = (
    " The validation of a stock loop is of a second training, off the clock: the timed one has all epochs in few calls."
)


def draw_validation(rows: Sequence[Row], looks: Sequence[Look]) -> Drawing | None:
    """The training and the validation loss of each row's first run; None where no two epochs were tested."""
    import altair

    values: list[dict[str, Any]] = []
    for row, name, curve in _curves(rows, looks):
        losses = row.completed[0].losses
        values += [{"row": name, "x": at, "loss": losses[at - 1], "of": _NAMES[0]} for at in curve.epochs]
        pairs = zip(curve.epochs, curve.losses, strict=True)
        values += [{"row": name, "x": at, "loss": loss, "of": _NAMES[1]} for at, loss in pairs]
    if not values:
        return None
    dashes = altair.Scale(domain=list(_NAMES), range=[[1, 0], [5, 4]])
    chart = line_chart(values, looks, "epoch", "loss", "loss", lines=2)
    chart = chart.encode(strokeDash=altair.StrokeDash("of:N", scale=dashes, title=None))
    caption = (
        "Loss by epoch of each row's first run: in training, the mean over the epoch while the parameters change;"
        " in validation, on the whole test set after it."
    )
    return Drawing("validation", "Training and validation loss", caption + _apart(rows), chart)


def draw_accuracy(rows: Sequence[Row], looks: Sequence[Look]) -> Drawing | None:
    """The test accuracy of each row's first run over the epochs; None where no two epochs were tested."""
    measure = measure_of(rows)
    values = [
        {"row": name, "x": at, "accuracy": accuracy}
        for _, name, curve in _curves(rows, looks)
        for at, accuracy in zip(curve.epochs, curve.accuracies, strict=True)
    ]
    if not values:
        return None
    chart = line_chart(values, looks, "epoch", "accuracy", f"test {measure}").encode(strokeDash=row_dashes(looks))
    return Drawing(
        "accuracy-by-epoch",
        f"Test {measure} by epoch",
        f"{measure.capitalize()} on the whole test set after each epoch, of each row's first run." + _apart(rows),
        chart,
    )


def _curves(rows: Sequence[Row], looks: Sequence[Look]) -> list[tuple[Row, str, Curve]]:
    found = [(row, look.name, row.completed[0].curve) for row, look in zip(rows, looks, strict=True)]
    return [(row, name, curve) for row, name, curve in found if curve is not None and len(curve.epochs) > 1]


def _apart(rows: Sequence[Row]) -> str:
    return _APART if any(row.completed[0].curve and row.completed[0].curve.apart for row in rows) else ""
