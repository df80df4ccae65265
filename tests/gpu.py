"""``tox -e gpu``, on a machine with an NVIDIA GPU: tests, certifies and measures each framework in each arithmetic.

It ends with status 0 if every framework that has a GPU passed, and leaves the folder ``runs/gpu-<time>`` with the
results and the report. A framework that has none is named. The three may need environments of their own:
``tox -e gpu -- --python keras=PATH`` measures a framework in another one, where its tests are not run.
"""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from backends.cores import usable_cores
from backends.registry import about, framework_backends
from compare.executors.local import LocalExecutor
from compare.records.request import CallRequest
from compare.report.markdown import render_markdown
from compare.run.reading import read_results
from tasks.arithmetic import ARITHMETICS

ROOT = Path(__file__).parent.parent
TASKS = ("iris-mlp", "mnist-mlp", "mnist-cnn", "mnist-keras-example", "mnist-resnet")
ROUNDS = 5


def main() -> int:
    executor, found = LocalExecutor(usable_cores()), []
    elsewhere = [word.partition("=")[0] for word in sys.argv[1:] if "=" in word]
    for name in framework_backends():
        if name in elsewhere:
            found.append(name)
            continue
        with executor.open(name) as session:
            reply = session.ask(CallRequest(module="tests.gpu", function="must_have_a_gpu", arguments=(name,)))
        if reply.status == "ok":
            found.append(name)
        else:
            print(f"{about(name).label} has no GPU here: {reply.message}")
    if not found:
        print("No framework has a GPU here; install builds for it: sidebyside envs create pytorch keras jax --gpu")
        return 2
    tested = pytest.main([str(ROOT / "tests" / "backends" / "test_on_gpu.py")])
    folder = ROOT / "runs" / f"{datetime.now():gpu-%Y%m%d-%H%M%S}"
    command = [sys.executable, "-m", "compare", "run", *TASKS, "--mode", "both", "--device", "gpu", "--profile"]
    command += ["--arithmetic", *ARITHMETICS]
    command += ["--backend", *found, "--rounds", str(ROUNDS), "--output", str(folder), *sys.argv[1:]]
    ran = subprocess.run(command, cwd=ROOT, check=False).returncode
    if ran in (0, 1):
        (folder / "results.md").write_text(render_markdown(read_results(folder)))
        print(f"results, report and table: {folder.relative_to(ROOT)}")
    return int(tested) or ran


def must_have_a_gpu(name: str) -> None:
    """Runs in a worker. Raises DeviceUnavailableError where the framework sees no GPU."""
    from backends import load_backend
    from backends.base import DeviceUnavailableError

    backend = load_backend(name)
    backend.configure(1)
    if not any(device.startswith("gpu") for device in backend.devices()):
        raise DeviceUnavailableError(f"it sees {', '.join(backend.devices())}")


if __name__ == "__main__":
    sys.exit(main())
