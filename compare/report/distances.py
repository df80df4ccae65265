"""The distances of a certificate in groups, each shown by the quantity that uses up most of its limit."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from compare.records.certificate import Certificate, Distance, Pair

_OfTask = TypeVar("_OfTask", Certificate, Pair)


def by_task(records: Iterable[_OfTask]) -> dict[tuple[str, str], list[_OfTask]]:
    """Certificates or pairs by task and recipe, in the order of the file."""
    records_by_task: dict[tuple[str, str], list[_OfTask]] = {}
    for record in records:
        records_by_task.setdefault((record.task, record.recipe), []).append(record)
    return records_by_task


def worst_by_group(distances: Sequence[Distance]) -> dict[str, Distance]:
    """Of each group of quantities the distance that is nearest to its limit, or farthest beyond it."""
    worst: dict[str, Distance] = {}
    for distance in distances:
        group = quantity_group(distance.quantity)
        if group not in worst or distance.share > worst[group].share:
            worst[group] = distance
    return worst


def quantity_group(quantity: str) -> str:
    """The group of a quantity: all layers' outputs form one, all gradients, all parameters after the same steps."""
    if quantity.startswith("output of layer"):
        return "".join(("layer outputs", *quantity.partition(" at step ")[1:]))
    if quantity.startswith("gradient of "):
        return "gradients"
    if " after " in quantity:
        steps = quantity.rpartition(" after ")[2]
        return "after 1 step" if steps == "1 steps" else f"after {steps}"
    return quantity
