"""Errors that a user can act on."""

from collections.abc import Sequence
from difflib import get_close_matches


class SideBySideError(Exception):
    """An error whose text is one line that says what to do; the command line prints it and exits with 2."""


class UnknownNameError(SideBySideError):
    """A task, recipe, backend, mode or lesson that does not exist; the message suggests the most similar name."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...]) -> None:
        several = name.lower().replace(",", " ").split()
        if len(several) > 1 and set(several) <= set(known):
            super().__init__(
                f"unknown {kind} {name!r}: give them apart, {' '.join(several)}; choose from {', '.join(known)}"
            )
        else:
            super().__init__(f"unknown {kind} {name!r}: {choice(name, known)}")


class FieldError(ValueError):
    """A value that a field of a layer, an optimizer or another part of a task cannot have.

    Attributes:
        field: its name.
        rule: what it must be, and what it is: ``"must be at least 1, not 0"``.
    """

    def __init__(self, part: str, field: str, rule: str) -> None:
        super().__init__(f"{part}: {field} {rule}")
        self.field, self.rule = field, rule


class DataError(SideBySideError):
    """A data file that is missing, damaged or of another form than the task needs."""


def choice(name: str, known: Sequence[str]) -> str:
    """What may stand in the place of a name, the most similar first."""
    by_letters = {word.lower(): word for word in known}
    similar = get_close_matches(name.lower(), by_letters, 1)
    suggestion = f"did you mean {by_letters[similar[0]]}? " if similar else ""
    return f"{suggestion}choose from {', '.join(known)}"


def one_line(error: BaseException, limit: int = 500) -> str:
    """What an error says, in one line of at most ``limit`` characters; with the error's name where it is not ours."""
    text = " ".join(str(error).split())[:limit]
    if isinstance(error, SideBySideError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
