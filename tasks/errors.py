"""Errors that a user can act on."""

from difflib import get_close_matches


class SideBySideError(Exception):
    """An error whose text is one line that says what to do; the command line prints it and exits with 2."""


class UnknownNameError(SideBySideError):
    """A task, recipe, backend, mode or lesson that does not exist; the message suggests the most similar name."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...]) -> None:
        similar = get_close_matches(name.lower(), known, 1)
        suggestion = f"did you mean {similar[0]}? " if similar else ""
        several = name.lower().replace(",", " ").split()
        if len(several) > 1 and set(several) <= set(known):
            suggestion = f"give them apart, {' '.join(several)}; "
        super().__init__(f"unknown {kind} {name!r}: {suggestion}choose from {', '.join(known)}")


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


def one_line(error: BaseException, limit: int = 500) -> str:
    """What an error says, in one line of at most ``limit`` characters; with the error's name where it is not ours."""
    text = " ".join(str(error).split())[:limit]
    if isinstance(error, SideBySideError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
