"""Each framework runs in a process of its own; one that fails costs its own lesson only."""

from pathlib import Path

import pytest

from compare import lessons
from compare.lessons import processes
from tests.lessons.common import NAMES


def test_a_missing_framework_says_what_to_install_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "missing", lambda name: "keras needs it: pip install it" if name == "keras" else None)
    result = lessons.run_lesson("two-layers", ["numpy", "keras"])
    assert [column.status for column in result.columns] == ["ok", "missing"]
    assert result.columns[1].message == "keras needs it: pip install it"
    assert result.columns[1].source.startswith("def with_keras")
    assert result.failures == ()


FAKE = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
import numpy as np
import compare.lessons.processes as processes

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

processes.load_lesson = Fake
processes.serve(sys.argv[2], sys.argv[3], sys.argv[4:])
"""


def test_a_child_that_fails_costs_its_own_lesson_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_CHILD", FAKE)
    monkeypatch.setattr(processes, "LIMIT_SECONDS", 5.0)
    names = ["fine", "raises", "dies", "tensor", "hangs", "nan", "again"]
    replies = processes.run_jobs("numpy", [(name, 0) for name in names], tmp_path, None)
    outcome = {name: reply for (name, _), reply in replies.items()}
    assert set(outcome) == set(names)
    assert outcome["fine"]["outputs"] == outcome["again"]["outputs"] == {"x": 0.1, "many": [[0, 1], [2, 3]]}
    assert outcome["raises"]["error"] == "ValueError: first line second [bold]line[/bold]"
    assert outcome["dies"]["error"] == "the process ended (exit status 3): luck"
    assert outcome["hangs"]["error"] == "took longer than 5 seconds"
    assert outcome["tensor"]["error"].startswith("TypeError: ")
    assert "object" in outcome["tensor"]["error"]
    assert outcome["nan"]["error"].startswith("ValueError: ")


def test_a_framework_that_cannot_start_is_not_tried_for_every_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = tmp_path / "starts"
    monkeypatch.setattr(
        processes, "_CHILD", f"open({str(counter)!r}, 'a').write('x'); raise SystemExit('no such library')"
    )
    replies = processes.run_jobs("numpy", [(name, 0) for name in NAMES], tmp_path, None)
    assert len(replies) == len(NAMES)
    assert {reply["error"] for reply in replies.values()} == {"the process ended (exit status 1): no such library"}
    assert counter.read_text() == "xx"


def test_progress_names_what_is_about_to_run() -> None:
    seen: list[tuple[str, str]] = []
    lessons.run_lessons(["gradient", "matmul"], ["numpy"], progress=lambda *pair: seen.append(pair))
    assert seen == [("numpy", "gradient"), ("numpy", "matmul")]
