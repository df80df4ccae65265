"""The reply that an error comes to."""

import traceback

from backends.base import DeviceUnavailableError
from compare.records.event import Reply
from compare.text import without_paths
from tasks.errors import one_line

_OUT_OF_MEMORY = (
    *("out of memory", "out_of_memory", "outofmemory", "not enough memory", "bad_alloc", "resource_exhausted"),
    *("oom when allocating", "can't allocate memory", "cannot allocate memory", "unable to allocate"),
    *("failed to allocate", "alloc_failed", "paging file is too small"),
)


def failure(error: BaseException) -> Reply:
    """The reply that an error comes to; its traceback goes into the worker's log."""
    if isinstance(error, DeviceUnavailableError):
        return Reply(status="skipped", message=one_line(error))
    traceback.print_exception(error)
    text = f"{type(error).__name__} {error}".lower()
    memory = isinstance(error, MemoryError) or any(sign in text for sign in _OUT_OF_MEMORY)
    return Reply(status="out-of-memory" if memory else "crashed", message=without_paths(one_line(error)))
