"""The answer for one task, in a few sentences: who is faster, by how much, and whether all rows are the same model."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from compare.analysis.groups import ALL_PAIRS, Compared, Group
from compare.analysis.rows import Row, measure_of, measures_of
from compare.analysis.statistics import MINIMUM_ROUNDS, SpeedRatio
from compare.text import clean, times, times_range
from tasks.arithmetic import split_recipe

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NOISY = 1.25
"""Where the end of an interval is more than so many times the ratio, the speeds are called too noisy to compare."""
_ENDED = {
    "timeout": "timed out",
    "out-of-memory": "ran out of memory",
    "interrupted": "was interrupted",
}
"""What a run did, by its status, where that is not the word."""

_OPENING = {*_NUMBERS, "all", "in", "of", "the", "their", "they"}
"""Words with which a sentence begins; a name keeps its small letter, as on the command line."""

Label = Callable[[Row], str]


def answer(title: str, groups: Sequence[Group], rows: Sequence[Row], label: Label, full: Label) -> list[str]:
    """Who is faster, by how much, and whether the rows are the same model: sentences no stronger than the statistics.

    Args:
        title: of the task and recipe.
        groups: the rows that may be ranked together.
        rows: all rows.
        label: gives what a row is called among those of its mode.
        full: gives what it is called among all rows.
    """
    backends = _backends(rows)
    if groups and len(backends) == 1 and all(len(group.rows) == 1 for group in groups):
        return [f"Only {clean(backends.pop())} was run, so no frameworks can be compared."]
    several = len({group.rows[0].first.mode for group in groups}) > 1
    among = {id(group): f"of the {group.rows[0].first.mode} loops, " if several else "" for group in groups}
    said = [text for group in groups for text in _speed(title, group, label, among[id(group)])]
    together = [group for group in groups if len(group.rows) > 1 and not group.conflict]
    said += _sameness(together, sum(row.status != "skipped" for row in rows), full)
    accuracies = dict.fromkeys(_accuracy(group, "they", label) for group in together)
    if len(accuracies) > 1:  # each group by its name
        names = {id(group): join(map(label, group.rows)) for group in together}
        said += [f"{among[id(group)]}{_accuracy(group, names[id(group)], label)}" for group in together]
    else:
        said += [f"{'in each loop, ' if several and len(together) > 1 and t[0] == 't' else ''}{t}" for t in accuracies]
    return [_sentence(text) for text in dict.fromkeys(said)]


def caveats(groups: Sequence[Group], rows: Sequence[Row], label: Label, refusal: Label) -> list[str]:
    """Which rows stand alone or are not ranked and why, which runs failed and what was skipped, in sentences.

    Args:
        groups: the rows that may be ranked together.
        rows: all rows.
        label: gives what a row is called.
        refusal: gives why a row is not ranked, or an empty text.
    """
    alone = [label(group.rows[0]) for group in groups if len(group.rows) == 1 and len(_backends(rows)) > 1]
    said = [f"{join(alone)} {'has' if len(alone) == 1 else 'have'} nothing to be compared with"] if alone else []
    for row in rows:
        failed = Counter(run.status for run in row.runs if run.status not in ("ok", "skipped"))
        for status, count in failed.items():
            of_runs = f"{count} of {label(row)}'s {len(row.runs)} runs" if len(row.runs) > 1 else label(row)
            ended = _ENDED.get(status, status)
            said.append(f"{of_runs} {ended.replace('was ', 'were ') if count > 1 else ended}")
        if row.completed and refusal(row):
            said.append(f"{label(row)} is not ranked: {refusal(row)}")
    skipped: dict[str, list[str]] = {}
    for row in rows:
        if row.status == "skipped":
            skipped.setdefault(clean(row.first.message), []).append(label(row))
    for why, names in skipped.items():
        said.append(f"{join(names)} {'was' if len(names) == 1 else 'were'} skipped{': ' * bool(why)}{why}")
    return [_sentence(text) for text in said]


def _backends(rows: Sequence[Row]) -> set[str]:
    return {row.first.backend for row in rows if row.status != "skipped"}


def count_words(count: int) -> str:
    """A number in words up to nine, in digits from ten on."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def join(words: Iterable[str], link: str = "and") -> str:
    *most, last = words
    return f"{', '.join(most)} {link} {last}" if most else last


def too_noisy(speed: SpeedRatio) -> bool:
    """Whether two speeds differ by less than their noise, and that is large."""
    unlike = speed.interval is not None and speed.interval[1] > NOISY * speed.ratio
    return unlike and speed.verdict == "not distinguishable"


def _sentence(text: str) -> str:
    first = text.partition(" ")[0]
    return f"{text[0].upper() + text[1:] if first in _OPENING else text}."


def _speed(title: str, group: Group, label: Label, among: str) -> list[str]:
    names = [label(row) for row in group.rows]
    if len(names) == 1:
        return []
    if group.conflict:
        return [f"{among}{join(names)} cannot be compared: {group.conflict}"]
    if not group.rounds:
        return [f"{among}the speeds of {join(names)} cannot be compared: there is no round that all of them completed"]
    rounds = count_words(group.rounds)
    if not group.decided:
        are = "round is" if group.rounds == 1 else "rounds are"
        return [f"{rounds} {are} too few to compare speed; use --rounds {MINIMUM_ROUNDS} or more"]
    leader = label(group.rows[group.leader])
    pairs = [pair for pair in group.comparisons if pair.first is group.rows[group.leader] and pair.speed.interval]
    faster = [pair for pair in pairs if pair.speed.verdict == "faster"]
    noisy = [pair for pair in pairs if too_noisy(pair.speed)]
    equal = [pair for pair in pairs if pair.speed.verdict == "not distinguishable" and pair not in noisy]
    said = []
    if faster:
        fastest = " fastest:" if len(faster) == len(pairs) else ""
        said.append(f"{among}{leader} trains {title}{fastest} {_ratios(faster, label)}")
    if equal:
        others = join([f"between {leader} and {label(pair.second)}" for pair in equal], "nor")
        ratios = f"{leader} is {_ratios(equal, label)}"
        said.append(f"{among}no difference in speed {others} could be measured in {rounds} rounds: {ratios}")
    for pair in noisy:
        names = [leader, label(pair.second)]
        interval = times_range(*pair.speed.interval) if pair.speed.interval else ""
        over = f"({' over '.join(names)}: 95 % interval {interval})"
        said.append(
            f"{among}the measurements are too noisy to say whether {' or '.join(names)} trains {title} faster {over}"
        )
    for pair in pairs:  # the leader has the best mean, but is slower in the rounds that both have
        if pair.speed.verdict == "slower" and pair.speed.interval:
            low, high = pair.speed.interval
            ratio = f"{times(1 / pair.speed.ratio)} times as fast as {leader}"
            said.append(f"{among}{label(pair.second)} trains {ratio} (95 % interval {times_range(1 / high, 1 / low)})")
    return said


def _ratios(pairs: Sequence[Compared], label: Label) -> str:
    """How many times as fast the first row is as each second one, with the interval."""
    words: list[str] = []
    for pair in pairs:
        what = "" if words else "95 % interval "
        interval = times_range(*pair.speed.interval) if pair.speed.interval else ""
        words.append(f"{times(pair.speed.ratio)} times as fast as {label(pair.second)} ({what}{interval})")
    return join(words)


def _sameness(groups: Sequence[Group], count: int, label: Label) -> list[str]:
    """That the rows trained the same model, for all groups of which the same is known at once.

    Args:
        groups: of more than one row each.
        count: the rows that the reader sees.
        label: gives what a row is called.
    """
    known: dict[str, list[Row]] = {}
    for group in groups:
        steps, rounding = group.rows[0].steps, f"{split_recipe(group.rows[0].first.recipe)[1]} rounding"
        if steps is None:  # an earlier version
            text = f"are certified equal within {rounding} over 100 steps"
        elif any(row.drifting for row in group.rows):
            checked = f"the first steps and all windows that were computed again are equal within {rounding}"
            text = f"trained the same model as far as can be checked: {checked}, which adds up over {steps:,} steps"
        else:
            text = f"trained the same model: equal within {rounding} over all {steps:,} steps"
        known.setdefault(text, []).extend(group.rows)
    said = []
    for text, rows in known.items():
        who = join(map(label, rows))
        if len(known) == 1 and len(rows) > 2:
            who = (
                f"all {count_words(len(rows))}"
                if len(rows) == count
                else f"the {count_words(len(rows))} certified rows"
            )
        said.append(f"{who} {text}")
    return said


def _accuracy(group: Group, who: str, label: Label) -> str:
    """Whether the rows, who are named, are equally accurate, as far as the seeds show."""
    pairs = [pair for pair in group.equivalences if pair is not None]
    measure, measures = measure_of(group.rows), measures_of(group.rows)
    if len(pairs) < len(group.equivalences):
        whose = "their" if who == "they" else f"of {who}, the"
        return f"{whose} {measures} cannot be compared: not every two of them share a seed"
    fewest, most = min(pair.seeds for pair in pairs), max(pair.seeds for pair in pairs)
    if fewest == 1:
        return f"one seed is too few to compare {measure}; use --seeds 2 or more"
    seeds = count_words(most) if fewest == most else f"{count_words(fewest)} to {count_words(most)}"
    if not all(pair.equivalent for pair in pairs):
        return f"{seeds} seeds do not show that {who} are equally accurate"
    margin = f"{measure} within {pairs[0].margin:g}"
    if measure == "accuracy":
        margin = f"within {pairs[0].margin * 100:g} points"
    how = "equally accurate" if len(group.rows) <= ALL_PAIRS else f"as accurate as {label(group.rows[0])}"
    return f"{who} are {how} ({margin}, {seeds} seeds)"
