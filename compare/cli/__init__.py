"""The command line. Errors are one line on stderr that says what to do; exit status 2 where the input was invalid."""

import errno
import io
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError

from compare.cli import contract, envs, explain, lessons, models, new, pair, report, run, weights
from compare.cli.status import FAILED, INTERRUPTED, INVALID_INPUT, OK
from compare.cli.streams import check_folder, drop_output, open_streams
from compare.interrupts import Interrupted, handled
from compare.text import clean
from tasks.errors import SideBySideError

if TYPE_CHECKING:
    from rich.console import Console

LONGEST_LINE = 1000
"""The characters that an error's line may have."""


def make_app() -> App:
    """The commands, with the parameters of the functions that do them."""
    app = App(
        name="sidebyside",
        help="The same model, provably, in PyTorch, Keras and JAX; trained and measured side by side.",
        version=lambda: f"sidebyside {version('sidebyside')}",
        help_format="plaintext",
        group_parameters="Options",
        console=_console() if os.environ.get("TERM", "").lower() in ("dumb", "unknown") else None,
        default_parameter=Parameter(negative_iterable=(), show_default=False),
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    app.command(run.list_names, name="list")
    app.command(run.run)
    app.command(run.parity)
    app.command(new.new)
    app.command(explain.explain)
    app.command(explain.defaults)
    app.command(pair.pair)
    app.command(report.report)
    app.command(report.diff)
    app.command(lessons.lesson)
    app.command(models.predict)
    app.command(models.convert)
    app.command(weights.weights)
    app.command(contract.check_backend)
    environments = App(name="envs", help="Environments in which single backends run.")
    environments.command(envs.create)
    app.command(environments)
    return app


def _console() -> "Console":
    """Where help is printed on a terminal without cursor control, of whose width rich alone knows nothing."""
    from rich.console import Console

    from compare.report.layout import see_width

    see_width(console := Console())
    return console


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    has_output = arguments is not None or open_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may hold any bytes, a terminal may lack letters
    words = list(sys.argv[1:] if arguments is None else arguments)
    with handled():
        return _main(words, has_output=has_output)


def _main(words: list[str], *, has_output: bool) -> int:
    try:
        check_folder()
        status = make_app()(words, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except (SideBySideError, CycloptsError) as error:
        text = str(error)
        if isinstance(error, UnusedCliTokensError):
            text = f"{words[0]} takes no {' '.join(map(repr, error.unused_tokens or ()))} here: leave it out"
        if isinstance(error, CycloptsError):
            text += f" (see {_help_of(words)})"
        print(f"sidebyside: {_cut(text)}", file=sys.stderr)
        return INVALID_INPUT
    except KeyboardInterrupt as error:
        print("sidebyside: interrupted", file=sys.stderr)
        return error.exit_status if isinstance(error, Interrupted) else INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        drop_output()
        return FAILED
    except OSError as error:
        if error.filename is not None:
            print(f"sidebyside: {_cut(f'{error.filename}: {error.strerror}; name another')}", file=sys.stderr)
            return INVALID_INPUT
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT):
            raise
        drop_output()
        print(f"sidebyside: the output cannot be written ({error.strerror})", file=sys.stderr)
        return FAILED
    if not has_output:
        print("sidebyside: standard output is closed: nothing could be printed", file=sys.stderr)
        return FAILED
    return int(status or OK)


def _cut(text: str) -> str:
    """A line without what would steer the terminal, and of bounded length: what to do stands at its end."""
    half = LONGEST_LINE // 2
    return clean(text if len(text) <= LONGEST_LINE else f"{text[:half]} … {text[-half:]}")


def _help_of(words: Sequence[str]) -> str:
    """The command that prints the help for these words."""
    commands = [words[0]] if words and words[0] in make_app() else []
    return " ".join(["sidebyside", *commands, "--help"])
