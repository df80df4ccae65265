"""What is kept of a GPU, by a driver's library that is made up: a table of devices, as NVML would give them."""

import os
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from backends.numpy.model import NumpyModel
from compare.analysis.remarks import remarks
from compare.analysis.rows import Row
from compare.analysis.sections import summarize
from compare.records.run import Gpu
from compare.report.columns import themes
from compare.worker.calls import Calls
from compare.worker.gpu import meter_of
from tests.analysis.runs import make_certificate, make_results, make_run
from tests.worker.test_measure import SAMPLE, make_model


class NVMLError(Exception): ...


def fake_nvml(**readings: Any) -> ModuleType:
    """A module like pynvml with two GPUs; a reading that is an exception is raised."""
    table: dict[str, Any] = {
        "TotalEnergyConsumption": iter(range(1000, 100_000, 1000)),
        "ClockInfo": 1755,
        "MaxClockInfo": 1980,
        "Name": b"NVIDIA H100",
        "ComputeRunningProcesses": [SimpleNamespace(pid=os.getpid(), usedGpuMemory=700_000_000)],
        "CurrentClocksEventReasons": 0,
    } | readings
    module = ModuleType("pynvml")

    def read(name: str, handle: int) -> Any:
        value = table[name]
        if isinstance(value, Exception):
            raise value
        if callable(value):
            return value(handle)
        return value if not hasattr(value, "__next__") else next(value)

    module.NVMLError = NVMLError  # type: ignore[attr-defined]
    module.NVML_CLOCK_SM = 1  # type: ignore[attr-defined]
    module.nvmlClocksEventReasonSwThermalSlowdown = 0x20  # type: ignore[attr-defined]
    module.nvmlClocksEventReasonSwPowerCap = 0x4  # type: ignore[attr-defined]
    module.nvmlInit = lambda: None  # type: ignore[attr-defined]
    module.nvmlSystemGetDriverVersion = lambda: "580.82"  # type: ignore[attr-defined]
    for name in table:
        setattr(module, f"nvmlDeviceGet{name}", lambda handle, *which, name=name: read(name, handle))

    def by_index(index: int) -> int:
        if index > 1:
            raise NVMLError("no such GPU")
        return index

    module.nvmlDeviceGetHandleByIndex = by_index  # type: ignore[attr-defined]
    module.nvmlDeviceGetHandleByUUID = lambda name: by_index({"GPU-b": 1}.get(name, 2))  # type: ignore[attr-defined]
    return module


@pytest.fixture(autouse=True)
def _all_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_energy_clocks_memory_and_processes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml())
    meter = meter_of(("gpu:0",))
    assert meter is not None
    before, after = meter.joules(), meter.joules()
    assert (before, after) == (1.0, 2.0)
    assert meter.read(0.25) == Gpu(
        name="NVIDIA H100",
        driver="580.82",
        memory_bytes=700_000_000,
        joules_per_example=0.25,
        clock_mhz=1755,
        highest_clock_mhz=1980,
        other_processes=0,
    )


def test_what_the_driver_does_not_tell_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = {name: NVMLError("Not Supported") for name in ("TotalEnergyConsumption", "ClockInfo", "MaxClockInfo")}
    silent |= {name: NVMLError("No Permission") for name in ("ComputeRunningProcesses", "CurrentClocksEventReasons")}
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml(**silent))
    meter = meter_of(("gpu:1",))
    assert meter is not None
    assert meter.joules() is None
    assert meter.read(None) == Gpu(name="NVIDIA H100", driver="580.82")


@pytest.mark.parametrize(
    ("visible", "index", "handle"),
    [("1", "0", 1), ("GPU-b", "0", 1), ("1, 0", "1", 0), ("0", "1", None), ("", "0", None)],
)
def test_gpus_are_counted_as_the_framework_counts_them(
    visible: str, index: str, handle: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    meter = meter_of((f"gpu:{index}",))
    assert (None if meter is None else meter.handle) == handle


def test_there_is_no_meter_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", fake_nvml())
    assert meter_of(("cpu",)) is None
    assert meter_of(("gpu:0", "gpu:1")) is None  # the energy of one would be given out for that of all
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert meter_of(("gpu:0",)) is None
    broken = fake_nvml()
    broken.nvmlInit = lambda: (_ for _ in ()).throw(NVMLError("Driver Not Loaded"))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pynvml", broken)
    assert meter_of(("gpu:0",)) is None


def _row(**gpu: Any) -> Row:
    runs = [make_run("jax", round_=at, device="gpu:0", gpu=Gpu(name="NVIDIA H100", **gpu)) for at in range(3)]
    certificates = [make_certificate("jax", device="gpu:0")]
    (section,) = summarize(make_results(runs=runs, certificates=certificates))
    return section.rows[0]


def test_a_gpu_that_others_use_or_that_is_slowed_is_warned_of() -> None:
    assert not remarks(_row(other_processes=0), None)
    (said,) = remarks(_row(other_processes=2), None)
    assert "2 other processes used the GPU while it was timed" in said
    (said,) = remarks(_row(slowed_for=["heat"], clock_mhz=1200, highest_clock_mhz=1980), None)
    assert "the GPU's driver kept its clock down for heat (1,200 of 1,980 MHz)" in said


def test_energy_and_the_drivers_memory_have_columns_where_they_are_known() -> None:
    runs = [make_run("jax", device="gpu:0", gpu=Gpu(name="x", memory_bytes=7 * 10**8, joules_per_example=0.0125))]
    (section,) = summarize(make_results(runs=runs, certificates=[make_certificate("jax", device="gpu:0")]))
    shown = {column.name: str(column.figure(section.rows[0])) for of in themes(section).values() for column in of}
    assert (shown["driver_memory"], shown["joules"]) == ("700", "12.5")
    (section,) = summarize(make_results(runs=[make_run("jax")], certificates=[make_certificate("jax")]))
    names = {column.name for of in themes(section).values() for column in of}
    assert not names & {"driver_memory", "joules"}


def test_a_cells_energy_is_that_of_its_timed_calls() -> None:
    calls, reading = Calls(None), iter([0.0, 10.0, 10.0, 16.0, 16.0, 18.0])
    calls.energy = lambda: next(reading)
    model, batches = make_model(NumpyModel), SAMPLE.batches
    for _ in range(3):
        calls.train(model, batches)
    assert calls.joules_a_step(2) == (6.0 + 2.0) / (2 * batches.epochs * batches.steps)
    assert calls.joules_a_step(4) is None  # there were not so many calls
