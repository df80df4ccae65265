"""The certificates of one run: which subjects still need evidence, and how far each two of them are apart."""

from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load_file

from compare.certify.judge import Evidence, Reference, compare_pairs, judge
from compare.records.cell import Cell, Subject
from compare.records.certificate import Certificate, Pair
from compare.records.event import EvidenceSummary


class Certificates:
    """The certificates of one run, and the files of evidence that they were judged by.

    Args:
        folder: where the evidence is kept.
        earlier: certificates that the run has already.
    """

    def __init__(self, folder: Path, earlier: Sequence[Certificate] = ()) -> None:
        self.folder = folder
        self._asked: set[Subject] = {certificate.subject for certificate in earlier}

    def evidence_path(self, cell: Cell) -> Path | None:
        """The file for a cell's evidence; None where its subject has given evidence already."""
        if cell.subject in self._asked:
            return None
        self._asked.add(cell.subject)
        return self._file(cell.subject)

    def failed(self, cell: Cell) -> None:
        """Notes that a cell gave no evidence: the next cell of its subject is asked for it."""
        self._asked.discard(cell.subject)

    def certify(self, cell: Cell, summary: EvidenceSummary, reference: Reference) -> Certificate:
        """Judges the evidence that a cell's worker has written."""
        return judge(cell, summary, load_file(self._file(cell.subject)), reference)

    def pairs(self, certificates: Sequence[Certificate], earlier: Sequence[Pair]) -> list[Pair]:
        """The distance of each two certified subjects of the same task and recipe.

        Args:
            certificates: all that the run has, granted or not.
            earlier: pairs that are known; they stay where the evidence of a subject is no longer there.
        """
        groups: dict[tuple[str, str], dict[str, Path]] = {}
        for c in certificates:
            if c.granted:
                label = f"{c.backend} {c.mode} {c.device}"
                groups.setdefault((c.task, c.recipe), {})[label] = self._file(c.subject)
        pairs: list[Pair] = []
        for (task, recipe), paths in groups.items():
            pairs += compare_pairs({label: e for label, path in paths.items() if (e := _load(path))}, task, recipe)
        known = {(pair.task, pair.recipe, *sorted((pair.first, pair.second))) for pair in pairs}
        lost = [p for p in earlier if (p.task, p.recipe, *sorted((p.first, p.second))) not in known]
        return [*lost, *pairs]

    def _file(self, subject: Subject) -> Path:
        return self.folder / f"{subject.file_name}.safetensors"


def _load(path: Path) -> Evidence | None:
    """The evidence in a file; None where the file is gone or damaged."""
    try:
        return dict(load_file(path))
    except (OSError, ValueError, SafetensorError):
        return None
