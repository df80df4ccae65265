"""The sentence that answers, for one task, which row is faster and whether all rows are the same model."""

from collections.abc import Callable, Iterable, Sequence

from compare.analysis.groups import ALL_PAIRS, Group
from compare.analysis.rows import Row, measure_of, measures_of
from compare.text import clean, times_range

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def make_sentence(
    title: str,
    groups: Sequence[Group],
    rows: Sequence[Row],
    label: Callable[[Row], str],
    refusal: Callable[[Row], str],
) -> str:
    """The answer in one sentence, no stronger than the statistics allow.

    Args:
        title: of the task and recipe.
        groups: the rows that may be ranked together.
        rows: all rows.
        label: gives what a row is called.
        refusal: gives why a row is not ranked, or an empty text.
    """
    clauses = []
    skipped = [label(row) for row in rows if row.status == "skipped"]
    backends = {clean(row.first.backend) for row in rows if row.status != "skipped"}
    alone = len(backends) == 1 and all(len(group.rows) == 1 for group in groups)
    if alone and groups:
        clauses.append(f"{backends.pop()} alone was run")
    for group in groups:
        clauses += [] if alone else _speed_clauses(group, label)
        if len(group.rows) > 1 and not group.conflict:
            clauses += _sameness_clauses(group, [label(row) for row in group.rows])
    for row in rows:
        if refusal(row) and row.status != "skipped":
            clauses.append(f"{label(row)} is not ranked ({refusal(row)})")
        if row.completed and len(row.completed) < len(row.runs):
            clauses.append(f"of {label(row)}'s {len(row.runs)} runs, {row.status}")
    if skipped:
        clauses.append(f"{join(skipped)} {'was' if len(skipped) == 1 else 'were'} skipped")
    return f"On this machine, for {title}, {'; '.join(clauses or ['there are no runs'])}."


def count_words(count: int) -> str:
    """A number in words up to nine, in digits from ten on."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def join(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _speed_clauses(group: Group, label: Callable[[Row], str]) -> list[str]:
    names = [label(row) for row in group.rows]
    if len(names) == 1:
        return [f"{names[0]} has nothing comparable beside it"]
    if group.conflict:
        return [f"{join(names)} cannot be compared ({group.conflict})"]
    if not group.rounds:
        return [f"the speeds of {join(names)} cannot be compared (no round is of them all)"]
    if not group.decided:
        allow = "round allows" if group.rounds == 1 else "rounds allow"
        return [f"{count_words(group.rounds)} {allow} no comparison of the speed of {join(names)}"]
    clauses = []
    for pair in group.comparisons:
        if pair.first is not group.rows[group.leader] or pair.speed.interval is None:
            continue
        first, second, (low, high) = label(pair.first), label(pair.second), pair.speed.interval
        if pair.speed.verdict == "faster":
            clauses.append(f"{first} trains {times_range(low, high)} times as fast as {second}")
        elif pair.speed.verdict == "slower":  # the leader has the best mean, but is slower in the rounds that both have
            clauses.append(f"{second} trains {times_range(1 / high, 1 / low)} times as fast as {first}")
        else:
            clauses.append(f"{first} and {second} are not distinguishable")
    return clauses


def _sameness_clauses(group: Group, names: Sequence[str]) -> list[str]:
    everyone = f"all {count_words(len(names))}" if len(names) > 2 else join(names)
    steps = group.rows[0].steps
    if steps is None:  # an earlier version
        certified = f"{everyone} are certified identical over 100 steps"
    elif any(row.drifting for row in group.rows):
        certified = f"each step of {everyone} is equal within float32 rounding, which adds up over the {steps:,} steps"
    else:
        certified = f"{everyone} are equal within float32 rounding over all {steps:,} steps"
    pairs = [pair for pair in group.equivalences if pair is not None]
    measure = measure_of(group.rows)
    if len(pairs) < len(group.equivalences):
        return [certified, f"their {measures_of(group.rows)} cannot be compared (not every two of them share a seed)"]
    fewest, most = min(pair.seeds for pair in pairs), max(pair.seeds for pair in pairs)
    if fewest == 1:
        return [certified, f"one seed allows no statement on their {measure}"]
    if all(pair.equivalent for pair in pairs):
        equally = "equally accurate" if len(names) <= ALL_PAIRS else f"as accurate as {names[0]}"
        seeds = str(most) if fewest == most else f"{fewest} to {most}"
        margin = f"within {pairs[0].margin * 100:g} points"
        if measure != "accuracy":
            margin = f"{measure} within {pairs[0].margin:g}"
        return [f"{certified} and {equally} ({margin}, {seeds} seeds)"]
    seeds = count_words(most) if fewest == most else f"{count_words(fewest)} to {count_words(most)}"
    return [certified, f"that they are equally accurate is not shown by {seeds} seeds"]
