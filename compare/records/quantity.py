"""Quantities: what a certificate compares, each under a name that says what it is and after which training step."""

import re
from typing import Literal, Self

from compare.records.base import Record

Kind = Literal["layer_output", "logits", "loss", "gradient", "mean_losses", "losses", "parameter", "size"]
_FORMS = {
    "layer_output": re.compile(r"output of layers? (?P<name>.+?)( at step (?P<step>\d+))?"),
    "gradient": re.compile("gradient of (?P<name>.+)"),
    "size": re.compile("size of (?P<name>.+)"),
    "mean_losses": re.compile(r"mean losses up to step (?P<step>\d+)"),
    "losses": re.compile(r"losses up to step (?P<step>\d+)"),
    "logits": re.compile(r"logits at step (?P<step>\d+)"),
    "parameter": re.compile(r"(?P<name>.+) after (?P<step>\d+) steps"),
}


class Quantity(Record):
    """One quantity.

    ``layer_output`` is what the node ``name`` gives, or the last of several that are computed as one, such as
    ``"conv, relu, pool"``. It and ``logits`` are of the initial parameters, or of those after ``step``; ``loss`` is of
    the initial ones; ``gradient`` is of the parameter ``name``; ``size`` is how large the quantity with the text
    ``name`` is where none of its terms cancel; ``losses`` are those of each step up to ``step``, and ``mean_losses``
    the means over each epoch; ``parameter`` is the parameter ``name`` after ``step`` training steps.
    """

    kind: Kind
    name: str = ""
    step: int | None = None

    @property
    def text(self) -> str:
        """The name under which the quantity is stored and shown."""
        match self.kind:
            case "layer_output":
                at_step = "" if self.step is None else f" at step {self.step}"
                return f"output of layer{'s' * (', ' in self.name)} {self.name}{at_step}"
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
    def parts(self) -> tuple[Self, ...]:
        """The outputs of the single layers where it is of several that are computed as one; else itself."""
        names = self.name.split(", ") if self.kind == "layer_output" else [self.name]
        return tuple(self.model_copy(update={"name": name}) for name in names)

    @classmethod
    def of(cls, text: str) -> Self:
        """The quantity that is stored under a name. Raises ValueError where there is no such quantity."""
        if text in ("logits", "loss"):
            return cls(kind=text)  # type: ignore[arg-type] # one of the two
        for kind in _FORMS:
            if parts := _FORMS[kind].fullmatch(text):
                return cls(kind=kind, **parts.groupdict())  # type: ignore[arg-type]
        raise ValueError(f"no quantity is stored under the name {text!r}")
