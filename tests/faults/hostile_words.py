"""Command lines and plan files that no one would mean: one line, a status, no traceback, and nothing is trained."""

import contextlib
import io
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compare import cli
from tests.cli.common import make_commands_harmless

COMMANDS = ("list", "run", "parity", "report", "diff", "lesson", "predict", "convert", "weights")
OPTIONS = (
    *("--backend", "--mode", "--device", "--seeds", "--rounds", "--self-check", "--preset", "--epochs", "--examples"),
    *("--batch-size", "--learning-rate", "--recipe", "--timeout", "--threads", "--output", "--resume", "--data"),
    *("--no-certify", "--save-models", "--json", "--format", "--charts", "--html", "--model", "--test-set", "--task"),
    *("--to", "--verbose", "--help", "--version", "-h", "--", "-", "---", "--=", "--no-", "--backend=", "--seeds=2"),
)
VALUES = (
    *("iris-mlp", "and-gate", "mnist-cnn", "numpy", "pytorch", "jax", "tuned", "both", "cpu", "gpu", "gpu:99", "quick"),
    *("neuron", "html", "keras", "plan.toml", "folder", "missing", "run", "1", "0", "-1", "3", "1e999", "nan", "0x10"),
    *("9" * 400, "1_000", "½", "٣", "", " ", "\n", "a\nb", "\x00", "\x1b[31mred\x1b[0m", "[red]x[/red]", "%s{0}{x}"),
    *("../../etc", "/", "/dev/null", "~", "~nobody", "*", "'", '"', "\\", "\udcff", "é" * 3000, "a" * 100_000, "🦄"),
    *("plan.toml.toml", ".toml", "None", "True", "[]", "{}", "numpy,jax", "--model", "@file", "$(id)", "\u202eabc"),
)
KEYS = ("tasks", "backends", "modes", "devices", "seeds", "rounds", "self_check", "epochs", "timeout", "data", "resume")
TOML = (
    *('"iris-mlp"', '["iris-mlp", 3]', "[]", "[[]]", "1", "-1", "0", "1.5", "nan", "inf", "true", '""', '"\\u0000"'),
    *("{}", "{a = 1}", "1979-05-27", "9" * 4000, '"' + "x" * 5000 + '"', "[" * 90 + "]" * 90, "=", "\x00", "'''"),
)
LIMIT_SECONDS = 10.0


def words(source: random.Random) -> list[str]:
    """A command line: mostly a command, then options and values in any order."""
    first = [source.choice(COMMANDS)] if source.random() < 0.9 else []
    return first + [source.choice(OPTIONS if source.random() < 0.45 else VALUES) for _ in range(source.randrange(8))]


def plan(source: random.Random) -> bytes:
    """A plan file: keys and values, at times not TOML, at times not text."""
    lines = [f"{source.choice((*KEYS, 'nonsense', ''))} = {source.choice(TOML)}" for _ in range(source.randrange(1, 5))]
    content = "\n".join(lines).encode()
    if source.random() < 0.2:
        content = bytes(source.randrange(256) for _ in range(source.randrange(40)))
    return content


@contextlib.contextmanager
def harmless() -> Iterator[Path]:
    """A folder of its own to work in, where nothing can be run: each command ends before it starts a worker."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        make_commands_harmless(monkeypatch)
        os.chdir(folder)
        Path("folder").mkdir()
        try:
            yield Path(folder)
        finally:
            os.chdir(here)


def check(arguments: list[str]) -> tuple[int, float]:
    """Runs one command line; returns its status and how long it took."""
    out, err = io.StringIO(), io.StringIO()
    start = time.perf_counter()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main(arguments)
    seconds = time.perf_counter() - start
    shown = [word[:60] for word in arguments]
    assert status in (0, 1, 2), (shown, status)
    assert "Traceback" not in out.getvalue() + err.getvalue(), shown
    if status == 2:
        lines = err.getvalue().splitlines()
        assert len(lines) == 1, (shown, lines)
        assert lines[0].startswith("sidebyside: "), (shown, lines)
        assert len(lines[0]) < 1100, (shown, len(lines[0]))
        assert lines[0].isprintable(), (shown, lines)
    assert seconds < LIMIT_SECONDS, (shown, seconds)
    return status, seconds


def run(count: int) -> str:
    """Tries as many command lines, every third of them with a plan file."""
    statuses, slowest = {0: 0, 1: 0, 2: 0}, 0.0
    source = random.Random(0)
    with harmless() as folder:
        check(["list"])  # what is imported once is not counted
        for number in range(count):
            arguments = words(source)
            if number % 3 == 0:
                (folder / "plan.toml").write_bytes(plan(source))
                arguments = ["run", "plan.toml"] + [word for word in arguments[1:] if source.random() < 0.3]
            status, seconds = check(arguments)
            statuses[status] += 1
            slowest = max(slowest, seconds)
    return (
        f"{count:,} of {count:,} fuzzed command lines answered in one line: {statuses[2]:,} refused, "
        f"{statuses[1]:,} failed, {statuses[0]:,} accepted; slowest {slowest:.2f} s"
    )
