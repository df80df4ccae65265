"""One set of results, and its page."""

import pytest

from compare.records.results import Results
from compare.report.render import render
from tests.analysis.runs import make_results
from tests.report.page import Page


@pytest.fixture(scope="session")
def results() -> Results:
    return make_results()


@pytest.fixture(scope="session")
def page(results: Results) -> Page:
    return Page(render(results, None, "html"))
