"""Fixtures: one process for each backend, and what must be installed."""

import os
from collections.abc import Iterator

import pytest

import backends
from tasks import file_source, registry
from tests.remote import RemoteBackend

REQUIRED = tuple(filter(None, os.environ.get("SIDEBYSIDE_REQUIRE", "numpy").split(",")))
"""The backends whose absence is an error; tests of others are skipped where a package is missing."""


@pytest.fixture(autouse=True)
def _no_task_is_left_behind() -> Iterator[None]:
    """A test that registers a task takes it out again: others draw from the registry."""
    before = dict(registry._TASKS)
    yield
    left = registry._TASKS.keys() ^ before.keys() ^ registry._DOCUMENTS.keys()  # own tasks come with what is tested
    registry._TASKS.clear()
    registry._TASKS.update(before)
    registry._DOCUMENTS.clear()
    registry._GIVEN.clear()
    file_source._PLACES.clear()
    assert not left, f"in the registry of tasks there are other names than before the test: {sorted(left)}"


@pytest.fixture(scope="session", params=(backends.REFERENCE, *backends.framework_backends()))
def remote(request: pytest.FixtureRequest) -> Iterator[RemoteBackend]:
    """Each backend in turn, in its own process."""
    yield from start(request.param)


@pytest.fixture(scope="session")
def every_remote() -> Iterator[dict[str, RemoteBackend]]:
    """All installed frameworks at once, each in its own process."""
    yield from start_all()


@pytest.fixture
def fresh_remotes() -> Iterator[dict[str, RemoteBackend]]:
    """The same, for one test alone."""
    yield from start_all()


def start_all() -> Iterator[dict[str, RemoteBackend]]:
    started = {name: RemoteBackend(name) for name in backends.framework_backends() if is_there(name)}
    yield started
    for server in started.values():
        server.close()


def start(name: str) -> Iterator[RemoteBackend]:
    if not is_there(name):
        pytest.skip(backends.missing(name) or "")
    server = RemoteBackend(name)
    yield server
    server.close()


def is_there(name: str) -> bool:
    message = backends.missing(name)
    if message and name in REQUIRED:
        pytest.fail(f"SIDEBYSIDE_REQUIRE names {name}: {message}")
    return message is None
