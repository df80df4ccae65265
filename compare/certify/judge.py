"""The certificate: whether a backend computes the same model as the reference, and the figures that show it.

Each quantity of a backend's evidence is held against the float64 reference. Rounding differs from framework to
framework, so nothing is equal to the last bit; but how far rounding can lead is known, for the reference is computed in
float32 too: once as it is, and from initial parameters that are moved to neighbouring float32 numbers. The largest of
these distances is the noise. One run alone will not do: where the input of a ReLU is within rounding of 0, one float32
computation falls on one side and an equally right one on the other, and Adam makes whole steps of that. So two of the
computations decide all such inputs one way and the other; and Adam is also computed with its scalars in float64, as
PyTorch has them, for those roundings are of another size. Where a backend would be refused by a figure that rounding
might explain, more copies are computed first.
A backend passes where it is at most ``FACTOR`` times as far from float64 as the noise, plus a floor: a share of the
quantity's size or, for a layer's output, a gradient or a loss that is smaller because terms cancel, of its size where
they do not.
Where the noise alone is more than ``CEILINGS`` of that size, a distance says nothing: nothing is judged from that
quantity on. What came before may be enough: where training is chaotic, right runs drift apart by rounding alone, and
the certificate is granted over its first step, or its first ten. Otherwise it is undecidable, neither granted nor
refused. A parameter is measured beside the others of its layer here, for a bias that begins with 0 is small for long,
and does little; a running mean, beside the deviation.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compare.certify.distance import bounds_of, distance_of, layer_size, noise_of, norm, relative_distance, size_of
from compare.records.cell import Cell
from compare.records.certificate import Certificate, Distance, Pair
from compare.records.event import EvidenceSummary
from compare.records.quantity import Quantity

Evidence = Mapping[str, NDArray[Any]]
"""The arrays by the text of their quantity."""
Noise = Mapping[str, tuple[float, float]]
"""The absolute and the relative distance of each quantity that rounding alone can make."""

LEAST_STEPS = 1
"""The training steps that must be decidable. The others are looked at in the run that is timed: see ``replay.py``."""
_HASHES = (
    ("initial parameters", "parameters_sha256"),
    ("batches", "batches_sha256"),
    ("data", "data_sha256"),
)


class Reference(NamedTuple):
    """The evidence of the reference in float64, the noise of float32, and the summary of what float32 held."""

    evidence: Evidence
    noise: Noise
    summary: EvidenceSummary
    again: bool = False
    """Whether the noise is of further copies too; see :func:`compare.certify.reference.second_requests_for`."""


def judge(
    cell: Cell,
    summary: EvidenceSummary,
    evidence: Evidence,
    reference: Reference,
) -> Certificate:
    """Holds a backend's evidence against the reference's.

    Args:
        cell: the cell that gave the evidence.
        summary: hashes and counts that the backend's process read back from the framework.
        evidence: the arrays that it wrote.
        reference: the float64 reference's arrays, the noise of each quantity, and the float32 reference's summary.
    """
    expected = reference.summary
    failures = _wrongly_held(summary, expected)
    distances: list[Distance] = []
    undecidable: Quantity | None = None
    diverges = False
    texts = {part.text: text for text in evidence for part in Quantity.of(text).parts}
    parameters = _parameters_by_step(reference.evidence)
    for name in expected.quantities:
        quantity = Quantity.of(name)
        if name not in texts:
            if quantity.kind != "losses":  # a framework's own loop may keep only their means
                failures.append(f"{name}: missing")
            continue
        text = texts[name]
        if Quantity.of(text).parts[-1] != quantity:
            continue  # a layer inside of several that are computed as one
        if quantity.kind == "parameter":
            beside = parameters[quantity.step]
            size, layer = size_of(beside, quantity.name), layer_size(beside, quantity.name)
        else:
            of_terms = reference.evidence.get(Quantity(kind="size", name=name).text, 0)
            size, layer = np.maximum(np.abs(reference.evidence[name]), of_terms), 0.0
        bounds = bounds_of(cell.recipe, is_parameter=quantity.kind == "parameter")
        noise, exact = reference.noise[name], reference.evidence[name]
        distance = distance_of(text, evidence[text], exact, size, noise, bounds, layer)
        if quantity.kind == "layer_output" and not distance.decidable:
            continue  # the layer gives little but rounding; what comes of it is decided by the logits
        distances.append(distance)
        if not distance.decidable and undecidable is None and not failures:
            undecidable = quantity
            diverges = not np.isfinite([norm(size), *reference.noise[name]]).all()
        if not distance.passed and undecidable is None:
            failures.append(text)
    decided = undecidable is None or (undecidable.step or 0) > LEAST_STEPS
    return Certificate(
        **cell.subject.model_dump(),
        seed=cell.seed,
        granted=not failures and decided and not diverges,
        failure=failures[0] if failures else _undecidable_from(cell, undecidable, diverges=diverges),
        undecidable=undecidable is not None and not failures,
        parameters_sha256=summary.parameters_sha256,
        batches_sha256=summary.batches_sha256,
        data_sha256=summary.data_sha256,
        parameter_counts=summary.parameter_counts,
        distances=distances,
    )


def measure_noise(reference: Evidence, in_float32: Iterable[Evidence]) -> dict[str, tuple[float, float]]:
    """The largest distances of float32 computations of the reference from the float64 one."""
    noise = {name: (0.0, 0.0) for name in reference if Quantity.of(name).kind != "size"}
    for evidence in in_float32:  # one at a time: they are large
        for name, (absolute, relative) in noise.items():
            of_this = noise_of(reference[name], [evidence[name]])
            noise[name] = max(absolute, of_this[0]), max(relative, of_this[1])
    return noise


def compare_pairs(evidences: Mapping[str, Evidence], task: str, recipe: str) -> list[Pair]:
    """For each two backends, the quantity in which they are furthest apart, relative to its size."""
    names = list(evidences)
    pairs = []
    for index, first in enumerate(names):
        for second in names[index + 1 :]:
            shared = [name for name in evidences[first] if name in evidences[second]]
            distances = {name: relative_distance(evidences[second][name], evidences[first][name]) for name in shared}
            worst = max(distances, key=lambda name: distances[name])
            pairs.append(
                Pair(task=task, recipe=recipe, first=first, second=second, quantity=worst, relative=distances[worst])
            )
    return pairs


def _wrongly_held(summary: EvidenceSummary, expected: EvidenceSummary) -> list[str]:
    """What a backend's process holds otherwise than the reference: data, batches, parameters, or their counts."""
    failures = [f"hash of the {what}" for what, field in _HASHES if getattr(summary, field) != getattr(expected, field)]
    if summary.parameter_counts != expected.parameter_counts:
        failures.append("parameter counts by layer")
    if summary.parameter_count != expected.parameter_count:
        failures.append("parameter count")
    return failures


def _parameters_by_step(evidence: Evidence) -> dict[int | None, dict[str, NDArray[Any]]]:
    """The parameters by their keys, for each of the training steps after which they are compared."""
    parameters: dict[int | None, dict[str, NDArray[Any]]] = {}
    for text, array in evidence.items():
        quantity = Quantity.of(text)
        if quantity.kind == "parameter":
            parameters.setdefault(quantity.step, {})[quantity.name] = array
    return parameters


def _undecidable_from(cell: Cell, quantity: Quantity | None, *, diverges: bool) -> str:
    if quantity is None:
        return ""
    if diverges:
        return f"{quantity.text}: the reference itself diverges"
    return f"{quantity.text}: rounding alone moves it by more than {bounds_of(cell.recipe).ceiling:.0%} of its size"
