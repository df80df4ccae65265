"""Pages that commands write beside what they print."""

import sys
from collections.abc import Callable
from pathlib import Path

from tasks.errors import SideBySideError
from tasks.files import check_output


def check_page(html: Path | None) -> None:
    """Raises SideBySideError where no page can be written to this file."""
    if html is not None:
        if html.suffix.lower() not in ("", ".html"):
            raise SideBySideError(f"{html}: name a file that ends in .html")
        check_output(html)


def write_page(html: Path, write: Callable[[], None]) -> None:
    """Writes a page, and says so. Raises SideBySideError where it cannot be written."""
    try:
        write()
    except OSError as error:
        raise SideBySideError(f"{html}: cannot be written ({error.strerror}); name another file") from error
    print(f"written: {html}", file=sys.stderr)
