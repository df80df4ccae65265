"""The exit statuses of the command line."""

OK = 0
FAILED = 1
"""A cell failed, a certificate was refused, or a difference was found."""
INVALID_INPUT = 2
"""The command line or an input file was invalid."""
INTERRUPTED = 130
