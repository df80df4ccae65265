"""``python -m compare`` is the command ``sidebyside``."""

import signal
import sys


def main() -> int:
    """Runs the command line; Ctrl-C while it is still being imported ends the process without a word."""
    waits = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if waits:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from compare.cli import main as run_command

    if waits:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run_command()


if __name__ == "__main__":
    sys.exit(main())
