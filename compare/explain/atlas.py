"""Reads the atlas of defaults, each framework in a process of its own, and marks what differs."""

import re
from collections.abc import Sequence
from pathlib import Path

from backends.atlas import NONE
from backends.registry import about
from compare.executors.local import LocalExecutor
from compare.explain.example import effect_of
from compare.page.page import read_style, render_page
from compare.records.atlas import Atlas, AtlasRow
from compare.records.request import CallRequest
from compare.report.layout import TextColumn
from tasks.errors import SideBySideError, UnknownNameError
from tasks.files import write_whole

_TITLES = {
    "layer": "Layers",
    "function": "Activations",
    "optimizer": "Optimizers",
    "loss": "Losses",
    "data": "Data",
    "initial weights": "Initial weights",
}
"""The headings of a page, by kind."""


class AtlasError(SideBySideError):
    """A framework could not be read; the message says why."""


def read_atlas(frameworks: Sequence[str], word: str | None = None, *, effects: bool = True) -> Atlas:
    """The defaults of some installed frameworks.

    Args:
        frameworks: which.
        word: a kind or a name, to have its rows alone: ``optimizer``, ``batchnorm``.
        effects: whether to compute how far what differs leads in a small example.

    Raises:
        UnknownNameError: there is nothing of that name.
        AtlasError: a framework cannot be read.
    """
    values: dict[tuple[str, str, str], dict[str, str]] = {}
    for name in frameworks:
        with LocalExecutor(1).open(name) as session:
            reply = session.ask(CallRequest(module="backends.atlas", function="read", arguments=(name,)))
        if reply.status != "ok" or not isinstance(reply.value, list):
            raise AtlasError(f"{name}: its defaults cannot be read: {reply.message}")
        for row in reply.value:
            assert isinstance(row, dict)
            key = str(row["kind"]), str(row["name"]), str(row["argument"])
            values.setdefault(key, {})[name] = str(row["value"])
    known = dict.fromkeys(word for kind, name, _ in values for word in (kind, name))
    chosen = [key for key in values if word is None or word.casefold() in (key[0].casefold(), key[1].casefold())]
    if not chosen:
        raise UnknownNameError("layer, optimizer or loss", word or "", tuple(known))
    # The first framework's order, and what only others have behind the rows of its kind.
    order = {kind: at for at, kind in enumerate(dict.fromkeys(key[0] for key in values))}
    rows = [
        AtlasRow(kind=key[0], name=key[1], argument=key[2], values=values[key], differs=differs(values[key]))
        for key in sorted(chosen, key=lambda key: order[key[0]])
    ]
    if effects:
        sizes = {
            place: effect_of(*place, frameworks) for place in {(row.kind, row.name) for row in rows if row.differs}
        }
        rows = [
            row.model_copy(update={"effect": sizes[row.kind, row.name]})
            if row.differs and row.argument != "learning rate"  # every task says its own
            else row
            for row in rows
        ]
    return Atlas(versions={name: about(name).versions() for name in frameworks}, rows=rows)


def differs(values: dict[str, str]) -> bool:
    """Whether frameworks set something otherwise; ``(1, 1)`` is 1, and what is not set is 0."""
    return len({_plain(value) for value in values.values()}) > 1


def _plain(value: str) -> str:
    value = value.removeprefix("None: ")
    pair = re.fullmatch(r"\((.+), \1\)", value)
    value = (pair[1] if pair else value).casefold()
    value = "mean" if value == "sum_over_batch_size" else value
    return "0" if value in ("none", "false", "valid", NONE) else value


def table(atlas: Atlas) -> tuple[TextColumn, list[TextColumn]]:
    """The atlas as the columns of a table: what is set, each framework, whether it differs, and the effect."""
    names = [f"{row.name}: {row.argument}" for row in atlas.rows]
    columns = [
        TextColumn(about(name).label, [row.values.get(name, "-") for row in atlas.rows], right=False)
        for name in atlas.versions
    ]
    columns.append(TextColumn("differs", ["yes" if row.differs else "" for row in atlas.rows], right=False))
    if any(row.effect is not None for row in atlas.rows):
        effects = ["" if row.effect is None else f"{row.effect:.1e}" for row in atlas.rows]
        columns.append(TextColumn("effect in a small example", effects))
    return TextColumn("default", names, right=False), columns


def write_page(atlas: Atlas, path: Path) -> None:
    """Writes the atlas as a page; the file is whole or not there at all. Raises OSError where it cannot be written."""
    first, columns = table(atlas)
    rows = list(zip(first.cells, *(column.cells for column in columns), strict=True))
    kinds = dict.fromkeys(row.kind for row in atlas.rows)
    of_kinds = [
        (_TITLES.get(kind, kind), [cells for row, cells in zip(atlas.rows, rows, strict=True) if row.kind == kind])
        for kind in kinds
    ]
    values = {
        "kinds": of_kinds,
        "headings": [first.heading, *(column.heading for column in columns)],
        "notes": notes(atlas),
    }
    write_whole(path, render_page("defaults.html.j2", read_style("report.css"), values).encode())


def notes(atlas: Atlas) -> list[str]:
    """What should be known beside the table, in sentences."""
    versions = "; ".join(
        ", ".join(f"{package} {version}" for package, version in of_one.items()) for of_one in atlas.versions.values()
    )
    return [
        f"Read from {versions}: from signatures, and from layers that were made.",
        "PyTorch's momentum of BatchNorm is the weight of the new values, Keras's and flax's the share of the old that"
        " is kept: 0.1 is 0.9 there.",
        "The cross-entropy of PyTorch and optax expects logits, Keras's probabilities unless from_logits=True."
        " PyTorch's BCELoss expects probabilities too. Optax's losses are a number for each example, to be averaged.",
        "The effect is how far two frameworks' models are apart after ten steps of a small convolutional network, in"
        " parameters or in outputs, relative to their size: of all that the layer or the optimizer sets, together.",
    ]
