"""What comes of a cell: the run of a worker's reply, and of measurements that could not be certified."""

from compare.records.cell import Cell
from compare.records.event import Reply
from compare.records.run import Run
from tasks.errors import SideBySideError


class MissingEvidenceError(SideBySideError):
    """A worker gave no evidence; its run says why."""


def run_of_reply(cell: Cell, reply: Reply, measured: Run | None) -> Run:
    """The run that a reply comes to. What had been measured stands, even if the certificate failed afterwards."""
    if measured is not None and reply.status != measured.status:
        return uncertified(measured, reply.message)
    return reply.run or Run(**cell.model_dump(), status=reply.status, message=reply.message)


def uncertified(run: Run, reason: str) -> Run:
    """A run whose measurements stand although its certificate could not be made."""
    return run.model_copy(update={"message": f"measured, but not certified: {reason}"})
