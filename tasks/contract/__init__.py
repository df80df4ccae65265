"""The tasks that a backend must train right: together they have every layer, loss, optimizer and schedule."""

from pathlib import Path

from tasks.registry import register_own
from tasks.toml_task import read_task

NAMES = (
    "contract-dense",
    "contract-convolution",
    "contract-branches",
    "contract-sequence",
    "contract-binary",
    "contract-squares",
    "contract-likelihood",
    "contract-gate",
)
"""The tasks whose files stand beside this one."""


def register() -> None:
    """Makes the tasks known."""
    for name in NAMES:
        register_own(*read_task(Path(__file__).parent / f"{name}.toml"))
