"""The accuracies that the README gives are those of the results beside the code, and as high as the examples' own."""

import pytest

from compare.records.results import Results
from tests.published import ASKED, MARKERS, README, SEEDS, equivalences, lines, mean_of, published, rows_of

PUBLISHED = published()


def test_the_readme_shows_what_was_published() -> None:
    text = README.read_text(encoding="utf-8")
    _, _, rest = text.partition(MARKERS[0])
    table, end, _ = rest.partition(MARKERS[1])
    assert end
    assert table.strip().splitlines() == list(lines())


@pytest.mark.parametrize("task", PUBLISHED)
def test_every_framework_is_certified_and_reaches_what_is_asked(task: str) -> None:
    results: Results = PUBLISHED[task]
    assert sorted(row.key[0] for row in rows_of(results)) == ["jax", "keras", "pytorch"]
    for row in rows_of(results):
        assert row.certificate_text == "granted", row.key
        assert sorted(row.accuracies) == list(range(SEEDS))
        assert row.workload == (row.first.epochs, None, None)
        assert mean_of(row) >= ASKED[task], row.key
    assert all(equal for _, _, equal in equivalences(results))
