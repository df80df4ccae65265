"""The faults of the frameworks that the certificate found are still there; if not, the list is out of date."""

import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.framework_faults import FAULTS
from tests.sources import ROOT


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_still_there(name: str) -> None:
    fault = FAULTS[name]
    if find_spec(fault.distribution) is None:
        pytest.skip(f"{fault.distribution} is not installed")
    command = [sys.executable, "-m", "tests.framework_faults", name]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    if ended.returncode < 0 or "wrong" in ended.stdout:
        return
    assert ended.returncode == 0, ended.stderr
    installed = version(fault.distribution)
    if "amx" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("seen on processors with AMX only")
    assert installed.split("+")[0] != fault.version, "it comes and goes: say so in the list"
    pytest.fail(f"{fault.distribution} {installed} has mended it: take it off the list, and out of the README")


def test_the_readme_names_them_all() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    for fault in FAULTS.values():
        assert fault.what in readme
