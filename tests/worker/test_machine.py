"""What is measured of the machine itself beside a cell."""

from pathlib import Path

from compare.worker.machine import machine_rate, throttles


def test_the_cores_counts_of_heat_are_added_up(tmp_path: Path) -> None:
    assert throttles(tmp_path) is None
    for core, count in ((0, 3), (1, 4)):
        folder = tmp_path / f"cpu{core}" / "thermal_throttle"
        folder.mkdir(parents=True)
        (folder / "core_throttle_count").write_text(f"{count}\n")
    assert throttles(tmp_path) == 7
    (folder / "core_throttle_count").write_text("unknown")
    assert throttles(tmp_path) is None


def test_a_machine_has_a_rate() -> None:
    rate = machine_rate()
    assert rate.matrix_operations_per_second > 1e6
    assert rate.copied_bytes_per_second > 1e6
