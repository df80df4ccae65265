"""What surrounds a lesson: the user's own settings of Keras, and a parent that is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from compare.executors.environment import worker_environment
from compare.lessons import run as lessons
from tests.conftest import is_there
from tests.sources import ROOT


def test_the_users_settings_of_keras_change_no_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_there("keras"):
        pytest.skip("keras is not installed")
    settings = {"image_data_format": "channels_first", "floatx": "float64", "epsilon": 0.1, "backend": "tensorflow"}
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / ".keras"))
    (column,) = lessons.run_lesson("layers", ["keras"]).columns
    assert (column.status, column.message) == ("ok", "")
    assert column.outputs["image_shape"] == "(1, 4, 4, 2)"
    assert worker_environment("keras", 1, tmp_path)["KERAS_HOME"] != str(tmp_path / ".keras")


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_a_child_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "compare", "lesson", "save-load", "--backend", "numpy"]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        child = wait_for_child(parent.pid)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(10)
        child.wait(10)  # raises TimeoutExpired where it lives on
    finally:
        parent.kill()
        parent.communicate()
    assert not child.is_running()


def wait_for_child(pid: int) -> psutil.Process:
    for _ in range(600):
        if children := psutil.Process(pid).children():
            return children[0]
        time.sleep(0.02)
    raise AssertionError("no child was started")
