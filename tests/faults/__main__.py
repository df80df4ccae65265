"""The large counts: ``python -m tests.faults [TOPIC ...]`` runs every topic, or those named, and prints what it saw."""

import importlib
import sys
import time

COUNTS = {
    "kills": 200,
    "power_cut": 0,
    "claims": 16,
    "failing_writes": 0,
    "workers": 0,
    "interrupts": 100,
    "divergence": 100,
    "damaged_data": 1000,
    "missing_frameworks": 0,
    "hostile_words": 10_000,
    "hostile_results": 10_000,
    "hostile_files": 10_000,
    "widths": 0,
    "rendering": 1000,
}
"""The topics and their counts; 0 where the count is given by the cases themselves."""


def main(topics: list[str]) -> int:
    """Runs the topics one after the other; 1 if one failed."""
    failed = 0
    for topic in topics or COUNTS:
        begun = time.monotonic()
        try:
            said = importlib.import_module(f"tests.faults.{topic}").run(COUNTS[topic])
        except AssertionError as error:
            failed, said = 1, f"FAILED: {error}"
        print(f"{topic}: {said} ({time.monotonic() - begun:.0f} s)", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
