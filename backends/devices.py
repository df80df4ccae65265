"""The names of devices: ``cpu``, ``gpu:1``, and of several that train one model together, ``cpu:0-1``, ``gpu:0-3``."""

import re

from tasks.errors import UnknownNameError

MOST = 64
"""Devices that may train one model together."""
_FORM = re.compile(r"cpu|cpu:0-(?P<cpus>[1-9]\d?)|gpu|gpu:(?P<first>\d{1,2})(-(?P<last>\d{1,2}))?")
_KNOWN = ("cpu", "gpu", "gpu:<index>", "gpu:<first>-<last>", "cpu:0-<last>")


def check_device(name: str) -> str:
    """A device's name in its one form: the first GPU is ``gpu:0``. Raises UnknownNameError."""
    match = _FORM.fullmatch(name)
    if match is None or len(single_devices(name)) > MOST:
        raise UnknownNameError("device", name, _KNOWN)
    first, last = match["first"], match["last"]
    if last is not None and int(last) <= int(first):
        raise UnknownNameError("device", name, _KNOWN)
    return "gpu:0" if name == "gpu" else name


def single_devices(name: str) -> tuple[str, ...]:
    """The devices that a name stands for, ``("gpu:0", "gpu:1")`` for ``gpu:0-1``.

    The devices ``cpu:0``, ``cpu:1`` and so on share one machine's cores: they are for trying, not for speed.
    """
    kind, _, numbers = name.partition(":")
    first, dash, last = numbers.partition("-")
    if not dash:
        return (name,)
    return tuple(f"{kind}:{index}" for index in range(int(first), int(last) + 1))
