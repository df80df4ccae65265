"""Errors that a user can act on."""


class SideBySideError(Exception):
    """An error whose text is one line that says what to do; the command line prints it and exits with 2."""


class UnknownNameError(SideBySideError):
    """A task, recipe, backend, mode or lesson that does not exist."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"unknown {kind} {name!r}: choose from {', '.join(known)}")


class DataError(SideBySideError):
    """A data file that is missing, damaged or of another form than the task needs."""
