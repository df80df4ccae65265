"""The evidence of a model, gathered in the process that holds it."""

from typing import Any

from compare.records.event import EvidenceSummary
from compare.worker import evidence


def gather(model: Any, *arguments: Any) -> EvidenceSummary:
    """See :func:`compare.worker.evidence.gather`."""
    return evidence.gather(model, *arguments)
