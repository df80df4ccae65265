"""Results files that were damaged or made up: ``report`` and ``diff`` end in time and with one line."""

import contextlib
import io
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from compare.cli import main
from tests.sources import ROOT

RECORDED = ROOT / "tests" / "data" / "recorded" / "results.json"
SECONDS = 1.0
"""Of processor time that a command may take; rendering the page draws charts, and is not among the commands."""
MEMORY = 500_000_000
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 10**18, 2**63, 10**400, 0.0, 1.0, 0.1, 1e-18, 1e18, 1e-320, 1e308, "", "ok", "NaN",
    "x" * 100_000, "word " * 20_000, "\x1b[2J\x1b]0;owned\x07", "\u202e\x00", "\ud800", "<script>", "../../etc/passwd",
    [], {}, [[]], [0] * 1000, {"a": {"b": []}},
)  # fmt: skip
TOKENS = (b"NaN", b"Infinity", b"-1e999", b"1" * 5000, b"[" * 50_000, b'{"a":' * 50_000, b"\xff\xfe", b"\0", b'"', b"}")


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value in a tree of JSON."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, inner in pairs for place in _places(inner, (*path, key))]


def _swapped(tree: Any, chance: random.Random) -> bytes:
    """Some values replaced by values of other types, by huge ones, or by others of the same file."""
    places = _places(tree)
    for _ in range(chance.choice((1, 1, 2, 5))):
        *way, last = chance.choice(places)
        inner = tree
        with contextlib.suppress(KeyError, IndexError, TypeError):  # the way there was cut by an earlier change
            for key in way:
                inner = inner[key]
            alike = [value for value in VALUES if type(value) is type(inner[last])]
            inner[last] = chance.choice(alike if alike and chance.random() < 0.7 else VALUES)
    return json.dumps(tree).encode()


def _repeated(tree: Any, chance: random.Random) -> bytes:
    """Runs, certificates or pairs that stand there several times, or not at all."""
    for name in ("runs", "certificates", "pairs"):
        tree[name] = chance.choices(tree[name], k=chance.choice((0, 1, 10, 100)))
        for item in tree[name]:
            if chance.random() < 0.1:
                item["task"] = chance.choice(("", "a" * 1000, "mnist-cnn", "\n"))
    return json.dumps(tree).encode()


def _renamed(tree: Any, chance: random.Random) -> bytes:
    """Keys that are lost, unknown, or there twice."""
    text = json.dumps(tree)
    key = chance.choice(list(tree["runs"][0]) + list(tree))
    other = chance.choice(("", key, "x" * 10_000, "\\u0000", "schema_version", "__class__"))
    return text.replace(f'"{key}"', f'"{other}"', chance.choice((1, -1))).encode()


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 10, 1000))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _inserted(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + chance.choice(TOKENS) + content[at + chance.choice((0, 1, 100)) :]


def fuzzed(seed: int) -> bytes:
    """The recorded results with something wrong."""
    chance, content = random.Random(seed), RECORDED.read_bytes()
    if seed % 2:
        return chance.choice((_cut, _flipped, _inserted))(content, chance)
    return chance.choice((_swapped, _swapped, _repeated, _renamed))(json.loads(content), chance)


def command(arguments: list[str]) -> tuple[int, str, float]:
    """Runs a command in this process; returns its exit status, what it says of an error, and its seconds."""
    output, errors = io.StringIO(), io.StringIO()
    start = time.process_time()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = main(arguments)
    seconds = time.process_time() - start
    shown = output.getvalue()
    assert not [character for character in shown + errors.getvalue() if character in "\x1b\x07\x00\u202e"], arguments
    return status, errors.getvalue(), seconds


def check(seed: int, folder: Path) -> tuple[list[int], float]:
    """Shows one fuzzed file, and compares it with the recorded one; returns the statuses and the most seconds."""
    path = folder / "results.json"
    path.write_bytes(fuzzed(seed))
    form = ("table", "markdown", "csv", "json", "latex")[seed % 5]
    statuses, slowest = [], 0.0
    for arguments in (
        ["report", str(path), "--format", form],
        ["diff", str(RECORDED), str(path)],
        ["diff", str(path), str(RECORDED)],
    ):
        status, error, seconds = command(arguments)
        assert status in (0, 1, 2), (seed, arguments, status)
        assert error.count("\n") == (1 if status == 2 else 0), (seed, arguments, error[:500])
        assert len(error) < 1000, (seed, arguments, len(error))
        assert "Traceback" not in error, (seed, arguments, error[:500])
        assert seconds < SECONDS, (seed, arguments, seconds)
        statuses.append(status)
        slowest = max(slowest, seconds)
    return statuses, slowest


def peak_bytes(make: Callable[[], bytes], *, limit: float) -> int:
    """The most memory that a fresh process takes to show a file, which it does within a limit of seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        path.write_bytes(make())
        start = time.perf_counter()
        code = (
            "import resource, sys; from compare.cli import main; status = main(sys.argv[1:]);"
            "print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code, "report", str(path)],
            cwd=ROOT, capture_output=True, text=True, timeout=limit, check=True,
        )  # fmt: skip
        assert time.perf_counter() - start < limit
        *errors, last = ended.stderr.splitlines()
        status, peak = map(int, last.split())
        assert status in (0, 2), errors
        assert len(errors) <= 1, errors[:3]
    return peak * (1 if sys.platform == "darwin" else 1024)


def many_runs(count: int = 100_000) -> bytes:
    """One run, many times."""
    tree = json.loads(RECORDED.read_bytes())
    tree["runs"] = [{**tree["runs"][0], "round": at, "backend": f"b{at % 1000}"} for at in range(count)]
    return json.dumps(tree).encode()


def huge_text() -> bytes:
    """A message of 20 million characters that steer a terminal."""
    tree = json.loads(RECORDED.read_bytes())
    tree["runs"][0] |= {"status": "crashed", "message": "\x1b[2J word\n" * 2_000_000}
    return json.dumps(tree).encode()


def run(count: int = 2500) -> str:
    """Fuzzes as many files, and measures a fresh process that reads one of them, and two that are huge."""
    with tempfile.TemporaryDirectory() as folder:
        checked = [check(seed, Path(folder)) for seed in range(count)]
    statuses = Counter(status for of_file, _ in checked for status in of_file)
    peak = peak_bytes(lambda: fuzzed(1), limit=20)
    assert peak < MEMORY, peak
    huge = [peak_bytes(make, limit=120) for make in (huge_text, many_runs)]
    return (
        f"{count:,} fuzzed results files, {3 * count:,} commands: statuses {dict(sorted(statuses.items()))},"
        f" every error in one line; slowest {max(seconds for _, seconds in checked):.2f} s; {peak / 1e6:.0f} MB;"
        f" of {', '.join(f'{size / 1e6:,.0f} MB' for size in huge)} for huge text and 100,000 runs"
    )
