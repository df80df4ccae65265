"""The reply that an error comes to."""

import traceback

from backends.base import DeviceUnavailableError
from compare.records.event import Reply
from tasks.errors import one_line


def failure(error: BaseException) -> Reply:
    """The reply that an error comes to; its traceback goes into the worker's log."""
    if isinstance(error, DeviceUnavailableError):
        return Reply(status="skipped", message=one_line(error))
    traceback.print_exception(error)
    signs = ("out of memory", "resource_exhausted", "oom when allocating", "can't allocate memory")
    memory = isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in signs)
    return Reply(status="out-of-memory" if memory else "crashed", message=one_line(error))
