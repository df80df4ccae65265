"""Several devices beside one: the sentence, and of which rows there is none."""

import pytest

from backends.devices import check_device, single_devices
from compare.analysis.sections import summarize
from tasks.errors import UnknownNameError
from tests.analysis.runs import make_certificate, make_results, make_run


def _answer(one: str, several: str, factor: float) -> str:
    runs = [
        make_run("jax", round_=round_, device=device, examples_per_second=speed * (1 + 0.001 * round_))
        for round_ in range(3)
        for device, speed in ((one, 1000.0), (several, 1000.0 * factor))
    ]
    certificates = [make_certificate("jax", device=device) for device in (one, several)]
    (section,) = summarize(make_results(runs=runs, certificates=certificates))
    return section.answer


def test_gpus_are_held_against_as_many_times_the_speed_of_one() -> None:
    answer = _answer("gpu:0", "gpu:0-3", 3.2)
    assert "jax gpu:0-3 trains 3.20 times as fast as jax gpu:0 (95 % interval" in answer
    assert answer.endswith("scaling efficiency 80 %.")


def test_the_devices_of_a_cpu_share_its_cores() -> None:
    answer = _answer("cpu", "cpu:0-1", 0.5)
    assert "jax cpu:0-1 trains 0.50 times as fast as jax cpu" in answer
    assert "scaling efficiency 50 %, where 100 % is the speed of one, for they share the CPU's cores." in answer


@pytest.mark.parametrize(("one", "several"), [("cpu", "gpu:0-3"), ("gpu:0", "cpu:0-1"), ("gpu:0", "gpu:1")])
def test_unlike_devices_are_not_held_against_each_other(one: str, several: str) -> None:
    assert "scaling" not in _answer(one, several, 0.5)


def test_names_of_devices() -> None:
    for name in ("cpu", "gpu:0", "gpu:12", "gpu:2-3", "cpu:0-1", "cpu:0-63"):
        assert check_device(name) == name
    assert check_device("gpu") == "gpu:0"
    assert single_devices("gpu:2-4") == ("gpu:2", "gpu:3", "gpu:4")
    assert single_devices("cpu") == ("cpu",)
    for name in ("cpu:0", "cpu:1-2", "cpu:0-0", "cpu:0-64", "gpu:3-2", "gpu:1-1", "gpu:0-", "gpu:0-99", "gpu:0,1", ""):
        with pytest.raises(UnknownNameError):
            check_device(name)
