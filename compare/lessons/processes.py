"""A process for each framework, and the lessons it runs there."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backends.lessons import load_lesson

LIMIT_SECONDS = 300.0
"""The longest that one lesson may take in one framework, the import included."""
_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
    "CUDA_VISIBLE_DEVICES": "-1",  # the outputs should not depend on a GPU and its TF32
    "JAX_PLATFORMS": "cpu",
    "PYTHONIOENCODING": "utf-8",
    "NO_COLOR": "1",
}
_ROOT = Path(__file__).resolve().parents[2]
_CHILD = (
    "import sys; root = sys.argv[1]; root in sys.path or sys.path.insert(0, root);"
    "from compare.lessons.processes import serve; serve(sys.argv[2], sys.argv[3], sys.argv[4:])"
)

Job = tuple[str, int]
"""A lesson's name, and whether its first (0) or its second (1) function is to run."""


def run_jobs(
    framework: str, jobs: Sequence[Job], folder: Path, progress: Callable[[str, str], None] | None
) -> dict[Job, dict[str, Any]]:
    """Runs jobs in a child process. Where one kills the child, the rest go on in another."""
    replies: dict[Job, dict[str, Any]] = {}
    pending = list(jobs)
    silent = 0  # children that died without a single answer
    while pending:
        answers, death = _run_child(framework, pending, folder, progress)
        replies.update(zip(pending, answers, strict=False))
        pending = pending[len(answers) :]
        silent = 0 if answers else silent + 1
        if pending:
            # A framework that cannot even be imported is not tried again for every lesson.
            lost = pending if silent == 2 else pending[:1]
            replies.update({job: {"error": death} for job in lost})
            pending = pending[len(lost) :]
    return replies


def _run_child(
    framework: str, jobs: Sequence[Job], folder: Path, progress: Callable[[str, str], None] | None
) -> tuple[list[dict[str, Any]], str]:
    """The answers of one child process, in order, and how it ended if it did not give them all."""
    command = [sys.executable, "-P", "-c", _CHILD, str(_ROOT), framework, str(folder)]
    command += [f"{name}:{stage}" for name, stage in jobs]
    answers: list[dict[str, Any]] = []
    late = threading.Event()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **_ENVIRONMENT},
            cwd=folder,
            start_new_session=True,
        )
        assert process.stdout is not None

        def stop() -> None:
            late.set()
            _kill(process)

        try:
            for name, _ in jobs:
                if progress:
                    progress(framework, name)
                timer = threading.Timer(LIMIT_SECONDS, stop)
                timer.daemon = True
                timer.start()
                try:
                    line = process.stdout.readline()
                finally:
                    timer.cancel()
                if not line.endswith(b"\n"):
                    break
                answers.append(json.loads(line))
            else:
                process.wait(10)
        except subprocess.TimeoutExpired:
            pass  # it has answered, and is killed below
        finally:
            _kill(process)
            process.stdout.close()
            code = process.wait()
        errors.seek(0)
        text = errors.read().decode(errors="replace").strip()
    if late.is_set():
        return answers, f"took longer than {LIMIT_SECONDS:g} seconds"
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
    return answers, _one_line(f"the process ended ({how}): {text.splitlines()[-1] if text else 'it said nothing'}")


def _kill(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):  # no groups on Windows; already gone
        if process.poll() is None:
            process.kill()


def serve(framework: str, folder: str, jobs: Sequence[str]) -> None:
    """The child: runs each job and writes one line of JSON for it."""
    # Frameworks print, from C++ too: what they write to stdout goes to stderr, and the answers have a channel alone.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for job in jobs:
        name, _, stage = job.partition(":")
        start = time.perf_counter()
        answer: dict[str, Any]
        try:
            outputs = load_lesson(name).run(framework, int(stage), Path(folder) / name)
            answer = {"outputs": plain(outputs)}
            json.dumps(answer, allow_nan=False)
        except Exception as error:
            answer = {"error": _one_line(f"{type(error).__name__}: {error}")}
        answer["seconds"] = time.perf_counter() - start
        channel.write(json.dumps(answer) + "\n")
        channel.flush()


def _one_line(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    line = "".join(character for character in line if character.isprintable())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def plain(value: Any) -> Any:
    """Outputs as JSON has them. A float32 becomes the shortest decimal that stands for it: 0.1, not 0.10000000149.

    Raises:
        TypeError: a value is none of what :data:`backends.lessons.Outputs` allows (a framework's tensor, say).
    """
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind == "f" and value.dtype.itemsize < 8:
            value = np.asarray(value).astype(str).astype(np.float64)
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"a lesson returned a {type(value).__name__}; it must return NumPy arrays, numbers, strings or lists"
    )
