"""Rounds in addition to those that were asked for, until the ratios of the speeds are known as precisely as asked."""

import time
from collections.abc import Callable, Sequence

from compare.analysis.sections import Section, summarize
from compare.records.cell import Cell
from compare.records.results import Results
from compare.run.options import RunOptions
from compare.run.plan import list_cells


def run_rounds(
    options: RunOptions, run: Callable[[RunOptions, Sequence[Cell]], Results], note: Callable[[str], None]
) -> Results:
    """Runs the cells of a comparison and, where a precision is asked for, further rounds of the tasks that lack it.

    Args:
        options: of the comparison.
        run: runs cells, with the options that hold their rounds, and returns all results.
        note: is told why no further round is run although some ratios are not known as precisely as asked.
    """
    start = time.monotonic()
    results = run(options, list_cells(options))
    while options.precision is not None:
        lacking = [section for section in summarize(results) if not precise(section, options.precision)]
        if not lacking:
            break
        spent = time.monotonic() - start
        if spent * (1 + 1 / options.all_rounds) > options.budget:
            names = ", ".join(section.title for section in lacking)
            note(
                f"the ratios of {names} are not known to within {100 * options.precision:g}% after {options.all_rounds}"
                f" rounds: another round would take longer than the budget of {options.budget:g} s"
            )
            break
        options = options.model_copy(update={"rounds": options.rounds + 1})
        again = {(section.task, section.recipe) for section in lacking}
        results = run(options, [cell for cell in list_cells(options) if (cell.task, cell.recipe) in again])
    return results


def precise(section: Section, precision: float) -> bool:
    """Whether the interval of each ratio of a section reaches no farther than this share to either side."""
    pairs = [*section.comparisons, *section.tutorial_costs]
    intervals = [pair.speed.interval for pair in pairs if pair.speed.interval is not None]
    return all(high * (1 - precision) <= low * (1 + precision) for low, high in intervals)
