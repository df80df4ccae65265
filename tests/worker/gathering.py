"""The evidence of a model, gathered in the process that holds it."""

from typing import Any

from compare.certify.judge import Evidence
from compare.records.event import EvidenceSummary
from compare.records.request import Copy
from compare.worker import evidence
from tasks.dataset import Dataset


def gather(model: Any, *arguments: Any) -> EvidenceSummary:
    """See :func:`compare.worker.evidence.gather`."""
    return evidence.gather(model, *arguments)


def answers(model: Any, dataset: Dataset) -> Evidence:
    """The outputs of the layers and of the network, before training."""
    return {quantity.text: output for quantity, output in evidence.answers(model, dataset, Copy(path=""))}
