"""Quantities: what a certificate compares, each under a name that says what it is and after which training step."""

import re
from typing import Literal, Self

from compare.records.base import Record

Kind = Literal["logits", "loss", "gradient", "mean_losses", "losses", "parameter", "size"]
_FORMS = {
    "gradient": re.compile("gradient of (?P<name>.+)"),
    "size": re.compile("size of (?P<name>.+)"),
    "mean_losses": re.compile(r"mean losses up to step (?P<step>\d+)"),
    "losses": re.compile(r"losses up to step (?P<step>\d+)"),
    "logits": re.compile(r"logits at step (?P<step>\d+)"),
    "parameter": re.compile(r"(?P<name>.+) after (?P<step>\d+) steps"),
}


class Quantity(Record):
    """One quantity.

    ``logits`` are of the initial parameters, or of those after ``step``; ``loss`` is of the initial ones; ``gradient``
    is of the parameter ``name``; ``size`` is how large the quantity with the text ``name`` is where none of its terms
    cancel; ``losses`` are those of each step up to ``step``, and ``mean_losses`` the means over each epoch;
    ``parameter`` is the parameter ``name`` after ``step`` training steps.
    """

    kind: Kind
    name: str = ""
    step: int | None = None

    @property
    def text(self) -> str:
        """The name under which the quantity is stored and shown."""
        match self.kind:
            case "gradient":
                return f"gradient of {self.name}"
            case "size":
                return f"size of {self.name}"
            case "mean_losses":
                return f"mean losses up to step {self.step}"
            case "losses":
                return f"losses up to step {self.step}"
            case "parameter":
                return f"{self.name} after {self.step} steps"
            case "logits" if self.step is not None:
                return f"logits at step {self.step}"
            case kind:
                return kind

    @property
    def group(self) -> str:
        """The line of a table in which it stands: all gradients together, all parameters after the same step."""
        if self.kind == "gradient":
            return "gradients"
        return f"after {self.step} steps" if self.kind == "parameter" else self.text

    @classmethod
    def of(cls, text: str) -> Self:
        """The quantity that is stored under a name. Raises ValueError where there is no such quantity."""
        if text in ("logits", "loss"):
            return cls(kind=text)  # type: ignore[arg-type] # one of the two
        for kind in ("size", "gradient", "mean_losses", "losses", "logits", "parameter"):
            if parts := _FORMS[kind].fullmatch(text):
                return cls(kind=kind, **parts.groupdict())  # type: ignore[arg-type]
        raise ValueError(f"no quantity is stored under the name {text!r}")
