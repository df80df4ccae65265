"""The certificates of one run: which subjects still need evidence, and how far each two of them are apart."""

from pathlib import Path

from safetensors.numpy import load_file

from compare.certify.judge import Reference, compare_pairs, judge
from compare.records.cell import Cell, Subject
from compare.records.certificate import Certificate, Pair
from compare.records.event import EvidenceSummary


class Certificates:
    """The certificates of one run, and the files of evidence that they were judged by.

    Args:
        folder: where the evidence is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._paths: dict[Subject, Path] = {}
        self._granted: list[Certificate] = []

    def evidence_path(self, cell: Cell) -> Path | None:
        """The file for a cell's evidence; None where its subject has given evidence already."""
        if cell.subject in self._paths:
            return None
        self._paths[cell.subject] = self.folder / f"{cell.file_name}.safetensors"
        return self._paths[cell.subject]

    def failed(self, cell: Cell) -> None:
        """Notes that a cell gave no evidence: the next cell of its subject is asked for it."""
        self._paths.pop(cell.subject, None)

    def certify(self, cell: Cell, summary: EvidenceSummary, reference: Reference) -> Certificate:
        """Judges the evidence that a cell's worker has written."""
        certificate = judge(cell, summary, load_file(self._paths[cell.subject]), reference)
        if certificate.granted:
            self._granted.append(certificate)
        return certificate

    def pairs(self) -> list[Pair]:
        """The distance of each two certified subjects of the same task and recipe."""
        groups: dict[tuple[str, str], dict[str, Path]] = {}
        for c in self._granted:
            groups.setdefault((c.task, c.recipe), {})[f"{c.backend} {c.mode} {c.device}"] = self._paths[c.subject]
        pairs = []
        for (task, recipe), paths in groups.items():
            pairs += compare_pairs({label: load_file(path) for label, path in paths.items()}, task, recipe)
        return pairs
