"""The lessons, run once in every installed framework, and a result that tries to be markup."""

from dataclasses import replace

import pytest

from compare.lessons.result import LessonResult
from tests.lessons.common import NAMES, SLOW, Ran, run

HOSTILE = "<script>alert(1)</script> [bold]x[/bold] \"quoted\" 'so'"


@pytest.fixture(scope="session")
def ran() -> Ran:
    """The ordinary lessons in every installed framework: one process a framework for all of them."""
    return run([name for name in NAMES if name not in SLOW])


@pytest.fixture(scope="session")
def ran_slow() -> Ran:
    """The lessons that take minutes, likewise."""
    return run(SLOW)


@pytest.fixture
def hostile(ran: Ran) -> LessonResult:
    """A result in which a message and an output try to be markup."""
    result = ran["matmul"]
    failed = replace(result.columns[-1], status="failed", message=HOSTILE, outputs={})
    first = replace(result.columns[0], outputs={**result.columns[0].outputs, "shape_error": HOSTILE})
    return replace(result, columns=(first, failed))
