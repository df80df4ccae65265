"""Ratios, verdicts, sentences and settings as the page words them."""

import re
from statistics import median
from typing import TYPE_CHECKING

from compare.analysis.groups import Compared
from compare.analysis.overview import Standing
from compare.analysis.rows import Row
from compare.analysis.sections import Section
from compare.analysis.sentence import too_noisy
from compare.text import clean, times, times_range

if TYPE_CHECKING:
    from markupsafe import Markup


def prose(text: str) -> "Markup":
    """Sentences in which options of the command line are code, and are not broken."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"--[a-z-]+(?: \d+)?", r"<code>\g<0></code>", str(escape(clean(text)))))


def ratio(pair: Compared) -> str:
    """The ratio of the first row's speed to the second's, with its interval."""
    interval = f" ({times_range(*pair.speed.interval)})" if pair.speed.interval else ""
    return f"{times(pair.speed.ratio)}{interval}"


def mean(standing: Standing) -> str:
    """The geometric mean with its interval; 1 for the fastest, which the others are held against."""
    if standing.mean.ratio == 1 or standing.mean.interval is None:
        return "1"
    return f"{times(standing.mean.ratio)} ({times_range(*standing.mean.interval)})"


def result(section: Section, pair: Compared) -> str:
    """Who of a pair is faster."""
    if too_noisy(pair.speed):
        return "too noisy to say"
    if pair.speed.verdict == "not distinguishable":
        return "equally fast, as far as can be told"
    return f"{section.label(pair.first if pair.speed.verdict == 'faster' else pair.second)} is faster"


def row_settings(row: Row) -> dict[str, str]:
    """Everything recorded that affects a row's speed, by name; values that differ between runs are joined by "or"."""
    recorded: dict[str, list[str]] = {}
    for run in row.completed or row.runs[:1]:
        settings: dict[str, object] = {**run.settings}
        settings |= {"versions": ", ".join(f"{n} {v}" for n, v in run.versions.items())} if run.versions else {}
        settings |= {"compile cache": run.compile_cache} if run.compile_cache else {}
        settings |= {"memory is": run.memory_source} if run.memory_source else {}
        settings |= {"epochs a timed call": run.epochs_a_call} if run.epochs_a_call else {}
        for name, value in settings.items():
            values = recorded.setdefault(clean(name).replace("_", " "), [])
            if clean(value) not in values:
                values.append(clean(value))
    loads = [run.load_average for run in row.runs if run.load_average is not None]
    if loads:
        spread = f" ({min(loads):.2f} to {max(loads):.2f})" if len(loads) > 1 else ""
        recorded["load average before the cell"] = [f"{median(loads):.2f}{spread}"]
    return {name: " or ".join(values[:5]) for name, values in recorded.items()}
