"""NaN at each of the first steps, in every backend and loop: the training is ``diverged`` at that step."""

from typing import Any

import backends
from tests.remote import RemoteBackend, task_of
from tests.worker.diverging import INITIAL, SAMPLE, STEPS


def check(remote: RemoteBackend, mode: Any, steps: list[int]) -> None:
    """Asserts that a backend's loop finds each of the steps."""
    remote.build(task_of(SAMPLE.recipe), INITIAL, mode=mode)
    found = remote.call("apply", "tests.worker.diverging", "diverged_steps", mode, steps)
    assert found == steps, f"{remote.name}, {mode}: found {found}, planted {steps}"


def run(count: int) -> str:
    """Plants NaN at each of the first steps, in each installed backend and loop; 100 steps at most."""
    steps = list(range(1, min(count, STEPS) + 1))
    loops = 0
    for name in backends.available_backends():
        if backends.missing(name) is not None:
            continue
        remote = RemoteBackend(name)
        try:
            for mode in backends.modes(name):
                check(remote, mode, steps)
                loops += 1
        finally:
            remote.close()
    return f"NaN at each of the first {len(steps)} steps: found at its step in {loops} of {loops} loops"
