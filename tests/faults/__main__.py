"""The large counts: ``python -m tests.faults [TOPIC ...]`` runs every topic, or those named, and prints what it saw."""

import importlib
import sys
import time

COUNTS = {
    "kills": 200,
    "power_cut": 10_000,
    "claims": 16,
    "failing_writes": 10_000,
    "workers": 100,
    "interrupts": 100,
    "divergence": 100,
    "damaged_data": 1000,
    "missing_frameworks": 100,
    "hostile_words": 10_000,
    "hostile_results": 10_000,
    "hostile_files": 10_000,
    "widths": 100,
    "rendering": 1000,
    "undisturbed": 90,
    "layers": 108,
}
"""The topics and their counts; a count beyond the number of cases stands for all of them."""


def main(topics: list[str]) -> int:
    """Runs the topics one after the other; 1 if one failed."""
    failed = 0
    for topic in topics or COUNTS:
        begun = time.monotonic()
        try:
            said = importlib.import_module(f"tests.faults.{topic}").run(COUNTS[topic])
        except Exception as error:  # the other topics are run all the same
            failed, said = 1, f"FAILED: {type(error).__name__}: {error}"
        print(f"{topic}: {said} ({time.monotonic() - begun:.0f} s)", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
