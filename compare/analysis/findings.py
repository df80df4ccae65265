"""The findings of a comparison of two runs, and the text that shows them."""

from dataclasses import dataclass
from typing import Literal

Change = Literal["better", "worse", "unchanged", "undecided", "changed"]


@dataclass(frozen=True)
class Finding:
    """How one quantity of a row, or the ratio of two rows' speeds, changed from the first run to the second.

    Attributes:
        subject: task, recipe, row and workload in words.
        quantity: ``training speed``, ``accuracy``, ``status``, ``certificate``, ``row`` or ``speed beside <row>``.
        change: of the second run against the first; a ratio has ``changed``, because either row may be the cause.
        text: the values in words.
    """

    subject: str
    quantity: str
    change: Change
    text: str


@dataclass(frozen=True)
class Diff:
    """The comparison of two runs.

    Attributes:
        findings: what was compared.
        incomparable: what was not compared, and why.
        differences: host, settings and versions that differ.
    """

    findings: tuple[Finding, ...]
    incomparable: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def worse(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.change == "worse")

    @property
    def exit_status(self) -> int:
        """1 if something became worse beyond noise or is lost; otherwise 0."""
        return 1 if self.worse else 0

    def text(self) -> str:
        """The comparison as plain text, safe to print in a terminal."""
        lines = []
        for change, heading in (
            ("worse", "Worse beyond the intervals"),
            ("better", "Better beyond the intervals"),
            ("changed", "Ratios of two rows that changed beyond the intervals"),
            ("undecided", "Not decided"),
            ("unchanged", "Unchanged within the intervals"),
        ):
            findings = [f"  {f.subject}: {f.quantity}: {f.text}" for f in self.findings if f.change == change]
            lines += [f"{heading}:", *findings] if findings else []
        lines += ["Cannot be compared:", *(f"  {text}" for text in self.incomparable)] if self.incomparable else []
        lines += ["Differs:", *(f"  {text}" for text in self.differences)] if self.differences else []
        return "\n".join(lines) + "\n"
