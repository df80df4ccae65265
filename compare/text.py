"""Text from files and messages, made safe to print."""

import re
import unicodedata

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", re.DOTALL)
_BREAKS = re.compile("[\t\n\r\x0b\x0c\x85\u2028\u2029]")


def clean(text: object) -> str:
    """Text that cannot steer a terminal or reorder a line: without control, formatting and private characters."""
    kept = _BREAKS.sub(" ", _ESCAPES.sub("", str(text)))
    return "".join(c for c in kept if unicodedata.category(c)[0] != "C").strip()
