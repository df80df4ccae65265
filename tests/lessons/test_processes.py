"""Each framework runs in a process of its own; one that fails costs its own lesson only."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from compare.executors.local import LocalExecutor
from compare.lessons import run as lessons
from compare.records.event import Reply
from tests.lessons.common import NAMES


def test_a_missing_framework_says_what_to_install_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.missing", lambda name: "keras needs it: pip install it" if name == "keras" else None)
    result = lessons.run_lesson("two-layers", ["numpy", "keras"])
    assert [column.status for column in result.columns] == ["ok", "missing"]
    assert result.columns[1].message == "keras needs it: pip install it"
    assert result.columns[1].source.startswith("def with_keras")
    assert result.failures == ()


FAKE = """
import os, sys, time
import numpy as np
from compare.worker import __main__ as worker, lesson

class Fake:
    def __init__(self, name):
        self.name = name
    def run(self, framework, stage, folder):
        print("noise from Python")
        os.system("echo noise from C")
        if self.name == "raises":
            raise ValueError("first line\\nsecond [bold]line[/bold]")
        if self.name == "dies":
            sys.stderr.write("out of\\nluck\\n")
            sys.stderr.flush()
            os._exit(3)
        if self.name == "hangs":
            os.system("sleep 60 &")
            time.sleep(60)
        if self.name == "tensor":
            return {"x": object()}
        if self.name == "nan":
            return {"x": float("nan")}
        return {"x": np.float32(0.1), "many": np.arange(4).reshape(2, 2)}

lesson.load_lesson = Fake
worker.main()
"""


def run_scripted(script: str, monkeypatch: pytest.MonkeyPatch, folder: Path, names: Sequence[str]) -> dict[str, Reply]:
    """The replies to lessons whose worker runs a script."""
    command = (sys.executable, "-P", "-c", script)
    monkeypatch.setattr(lessons, "LocalExecutor", partial(LocalExecutor, command=command))
    replies = lessons.run_jobs("numpy", [(name, 0) for name in names], folder)
    return {name: reply for (name, _), reply in replies.items()}


def test_a_child_that_fails_costs_its_own_lesson_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "LIMIT_SECONDS", 5.0)
    names = ["fine", "raises", "dies", "tensor", "hangs", "nan", "again"]
    outcome = run_scripted(FAKE, monkeypatch, tmp_path, names)
    assert set(outcome) == set(names)
    assert outcome["fine"].value == outcome["again"].value == {"x": 0.1, "many": [[0, 1], [2, 3]]}
    messages = {name: reply.message for name, reply in outcome.items()}
    assert messages["raises"] == "ValueError: first line second [bold]line[/bold]"
    assert messages["dies"] == "the process ended with status 3: luck"
    assert messages["hangs"] == "ended after 5 seconds"
    assert messages["tensor"].startswith("TypeError: ")
    assert "object" in messages["tensor"]
    assert messages["nan"].startswith("ValueError: ")


def test_a_framework_that_cannot_start_is_not_tried_for_every_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = tmp_path / "starts"
    script = f"open({str(counter)!r}, 'a').write('x'); raise SystemExit('no such library')"
    outcome = run_scripted(script, monkeypatch, tmp_path, NAMES)
    assert len(outcome) == len(NAMES)
    assert {reply.message for reply in outcome.values()} == {"the process ended with status 1: no such library"}
    assert counter.read_text() == "xx"


def test_progress_names_what_is_about_to_run() -> None:
    seen: list[tuple[str, str]] = []
    lessons.run_lessons(["gradient", "matmul"], ["numpy"], announce=lambda *pair: seen.append(pair))
    assert seen == [("numpy", "gradient"), ("numpy", "matmul")]
