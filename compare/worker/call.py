"""A call of any function by its name: how the tests look into a worker."""

import importlib

from compare.records.event import Reply
from compare.records.request import CallRequest


def call(request: CallRequest) -> Reply:
    """Calls the function and returns its value, which must be one that JSON has."""
    function = getattr(importlib.import_module(request.module), request.function)
    return Reply(value=function(*request.arguments))
