"""The evidence of a model, gathered in the process that holds it."""

from typing import Any
from unittest import mock

from compare.certify.judge import Evidence
from compare.records.event import EvidenceSummary
from compare.records.request import Copy
from compare.worker import evidence
from tasks.dataset import Dataset


def gather(model: Any, *arguments: Any, brief: bool = False) -> EvidenceSummary:
    """See :func:`compare.worker.evidence.gather`; ``brief``: of 19 steps, whatever their size, instead of 100."""
    operations = 0 if brief else evidence.OPERATIONS
    with mock.patch.object(evidence, "OPERATIONS", operations):
        return evidence.gather(model, *arguments)


def answers(model: Any, dataset: Dataset) -> Evidence:
    """The outputs of the layers and of the network, before training."""
    return {quantity.text: output for quantity, output in evidence.answers(model, dataset, Copy(path=""))}
