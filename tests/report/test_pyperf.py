"""pyperf reads what is exported for it, and compares two runs by it."""

import subprocess
import sys
from pathlib import Path

import pyperf
import pytest

from compare.report.render import render
from tests.analysis.runs import make_results, make_run

NAME = "mnist-mlp jax tuned cpu, 3 epochs of 640 examples"


def write(path: Path, seconds: float) -> Path:
    runs = [
        make_run(name, round_=r, epoch_seconds=[seconds + r / 1000] * 3) for name in ("jax", "keras") for r in range(3)
    ]
    path.write_text(render(make_results(runs=runs), None, "pyperf"), encoding="utf-8")
    return path


def test_pyperf_reads_every_epoch_of_every_run(tmp_path: Path) -> None:
    suite = pyperf.BenchmarkSuite.load(str(write(tmp_path / "a.json", 0.5)))
    assert set(suite.get_benchmark_names()) == {NAME, NAME.replace("jax", "keras")}
    benchmark = suite.get_benchmark(NAME)
    assert benchmark.get_values() == pytest.approx([0.5] * 3 + [0.501] * 3 + [0.502] * 3)
    assert (benchmark.get_nrun(), benchmark.get_unit()) == (3, "second")


def test_pyperf_compares_two_runs(tmp_path: Path) -> None:
    files = [write(tmp_path / name, seconds) for name, seconds in (("a.json", 0.5), ("b.json", 1.0))]
    done = subprocess.run(
        [sys.executable, "-m", "pyperf", "compare_to", *map(str, files)], capture_output=True, text=True, check=True
    )
    assert f"{NAME}: Mean +- std dev: [a] 501 ms" in done.stdout
    assert "slower" in done.stdout
