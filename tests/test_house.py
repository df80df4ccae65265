"""The rules of the house hold in every source file, except where it is listed that they do not yet.

An exception that is no longer needed fails a test too, so the list only becomes shorter.
"""

from pathlib import Path

import pytest

from tests.house import RULES
from tests.sources import ROOT

EXCEPTIONS: dict[str, set[str]] = {
    # Several devices are another thing in each framework: processes, replicas, or one line more in JAX's tuned loop.
    "unlike frameworks": {"parallel.py: ParallelModel"},
}


@pytest.mark.parametrize("rule", RULES)
def test_the_rules_hold_except_where_it_is_listed(rule: str) -> None:
    assert sorted(RULES[rule](ROOT) - EXCEPTIONS.get(rule, set())) == []


@pytest.mark.parametrize("rule", RULES)
def test_no_exception_is_left_that_is_no_longer_needed(rule: str) -> None:
    assert sorted(EXCEPTIONS.get(rule, set()) - RULES[rule](ROOT)) == []
    assert set(EXCEPTIONS) <= set(RULES)


BROKEN: dict[str, tuple[dict[str, str], set[str]]] = {
    "imports against the order": (
        {
            "tasks/a.py": "def f():\n    import backends.a",
            "backends/a.py": "import tasks.a\nfrom compare import host",
            "compare/host.py": "if TYPE_CHECKING:\n    import compare.api\nelse:\n    from compare import text",
            "compare/text.py": "import backends.a, tasks.a",
            "compare/run/a.py": "from compare.report import b, c",
            "compare/report/b.py": "import_module('compare.api')",
            "compare/report/c.py": "import compare.report.b, compare.host",
            "compare/api.py": "from compare import report, run",
        },
        {
            "tasks/a.py -> backends/a.py",
            "backends/a.py -> compare/host.py",
            "compare/host.py -> compare/text.py",
            "compare/run/a.py -> compare/report/b.py",
            "compare/run/a.py -> compare/report/c.py",
            "compare/report/b.py -> compare/api.py",
        },
    ),
    "unknown rooms": (
        {"compare/attic/a.py": "", "compare/cellar.py": "", "compare/text.py": "", "tasks/a.py": ""},
        {"compare/attic", "compare/cellar"},
    ),
    "files in a circle": (
        {
            "tasks/a.py": "import tasks.b",
            "tasks/b.py": "def f():\n    from tasks import c",
            "tasks/c.py": "import tasks.a",
            "tasks/d.py": "import tasks.a",
        },
        {"tasks/a.py", "tasks/b.py", "tasks/c.py"},
    ),
    "imports of the worker": (
        {
            "compare/worker/a.py": "from compare.worker import b",
            "compare/worker/b.py": "",
            "compare/run/a.py": "from compare.worker.b import f",
            "compare/executors/a.py": "COMMAND = 'compare.worker'",
            "tests/worker/test_a.py": "import compare.worker.b",
            "tests/run/test_a.py": "import compare.worker.b",
        },
        {"compare/run/a.py -> compare/worker/b.py", "tests/run/test_a.py -> compare/worker/b.py"},
    ),
    "long files": ({"tasks/a.py": "pass\n" * 250, "tests/b.py": "pass\n" * 251}, {"tests/b.py"}),
    "long functions": (
        {"tasks/a.py": "def f():\n" + "    pass\n" * 59 + "class A:\n  async def g(self):\n" + "    pass\n" * 60},
        {"tasks/a.py: g"},
    ),
    "many parameters": (
        {"tests/a.py": "def f(self, a, b, /, c, d, *, e, f, g, **more): ...\ndef g(a, b, c, d, /, e, f, g, *, h): ..."},
        {"tests/a.py: g"},
    ),
    "untyped signatures": (
        {
            "compare/run/a.py": "def f(a: list[dict[str, Any]]): ...\ndef g() -> 'dict[str, Any]': ...\ndef h(): ...",
            "compare/certify.py": "class A:\n  def f(self, *, a: dict[str, Any] | None): ...",
            "compare/report/a.py": "def f(a: dict[str, Any]): ...",
        },
        {"compare/run/a.py: f", "compare/run/a.py: g", "compare/certify.py: f"},
    ),
    "unlike frameworks": (
        {
            "backends/pytorch/a.py": "A: int = 1\nclass B:\n  def f(self): ...\n  def g(self): ...\n_C = 2",
            "backends/keras/a.py": "A = 1\nclass B:\n  def g(self): ...\n  def f(self): ...",
            "backends/jax/a.py": "A = 1\nclass B:\n  def f(self): ...\n  x = 1\n  def g(self): ...\ndef _d(): ...",
            "backends/pytorch/b.py": "A, B = 1, 2",
            "backends/keras/b.py": "B, A = 1, 2",
            "backends/jax/c.py": "",
            "backends/numpy/d.py": "",
        },
        {"a.py: B", "b.py: missing", "b.py: names", "c.py: missing"},
    ),
}
"""For each rule, files of a small source tree and what breaks the rule in them."""


@pytest.mark.parametrize("rule", RULES)
def test_a_broken_rule_is_seen(rule: str, tmp_path: Path) -> None:
    """The twin of the tests above."""
    files, violations = BROKEN[rule]
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert RULES[rule](tmp_path) == violations
