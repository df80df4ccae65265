"""Many processes at once: each has a folder of its own, or one line says who holds the folder."""

import tempfile
from pathlib import Path

from compare.run.reading import read_results
from tests.faults.commands import place

TINY = ("and-gate", "--backend", "numpy", "--epochs", "5", "--no-certify", "--threads", "1")


def run(count: int) -> str:
    """Starts so many runs in one moment, twice: without a folder's name, and all with the same."""
    with tempfile.TemporaryDirectory() as folder:
        with place(Path(folder) / "apart") as here:
            commands = [here.start("run", *TINY) for _ in range(count)]
            for command in commands:
                _, error = command.communicate(timeout=300)
                assert command.returncode == 0, error
            folders = list((here.run.parent / "runs").iterdir())
            assert len(folders) == count, f"{count} runs left {len(folders)} folders"
            assert all([run.status for run in read_results(path).runs] == ["ok"] for path in folders)
        with place(Path(folder) / "together") as here:
            commands = [here.start("run", *TINY, "--output", str(here.run)) for _ in range(count)]
            refused = 0
            for command in commands:
                _, error = command.communicate(timeout=300)
                if command.returncode:
                    assert command.returncode == 2, error
                    lines = [line for line in error.splitlines() if line.startswith("sidebyside: ")]
                    assert len(lines) == 1, error
                    assert "has been writing to it since" in error or "holds a run" in error or "writing" in error, (
                        error
                    )
                    refused += 1
            assert refused == count - 1, f"{count - refused} of {count} wrote into one folder"
            assert [run.status for run in read_results(here.run).runs] == ["ok"]
    return (
        f"{count} runs begun at once have {count} folders; of {count} into one folder {refused} were refused in a line"
    )
