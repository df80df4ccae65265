"""Results in which every kind of field is set."""

from typing import Any

from compare.records.certificate import Certificate, Distance, Pair
from compare.records.check import Check
from compare.records.results import Results
from compare.records.run import Run
from compare.run.claim import now

HASH = "0123456789abcdef" * 4


def make_run(**replaced: Any) -> Run:
    values = {"task": "and-gate", "recipe": "standard", "backend": "numpy", "mode": "tuned", "device": "cpu"}
    check = Check(outcome="granted", steps=2)
    return Run(**{**values, "seed": 0, "epochs": 2, "status": "ok", "check": check, **replaced})


def make_certificate(**replaced: Any) -> Certificate:
    values = {"task": "and-gate", "recipe": "standard", "backend": "numpy", "mode": "tuned", "device": "cpu"}
    distance = Distance(
        quantity="gradient of 0_dense/kernel",
        absolute=1.5e-9,
        relative=1e-8,
        reference_absolute=1e-9,
        reference_relative=0.1 + 0.2,
        limit=1e-6,
        absolute_limit=1e-6,
        passed=True,
    )
    facts = {"parameters_sha256": HASH, "batches_sha256": HASH, "data_sha256": HASH, "parameter_counts": {"0_dense": 3}}
    return Certificate(**{**values, **facts, "seed": 0, "granted": True, "distances": [distance], **replaced})


def make_results() -> Results:
    run = make_run(
        round=2,
        examples=10,
        batch_size=4,
        versions={"numpy": "2.0"},
        settings={"threads": 2, "compiled": True, "layout": "NHWC", "ratio": 0.1},
        parameter_count=3,
        parameter_counts={"0_dense": 3},
        parameters_sha256=HASH,
        losses=[0.1 + 0.2, 1e-300],
        accuracies=[0.5, 1.0],
        accuracy_epochs=[1, 2],
        accuracy=1.0,
        epoch_seconds=[1 / 3],
        peak_memory_bytes=2**40,
        matrix_operations_per_second=1.25e11,
    )
    late = make_run(seed=1, status="timeout", message="ended after 3 seconds; β\n<b>second line</b>")
    pair = Pair(task="and-gate", recipe="standard", first="jax", second="numpy", quantity="logits", relative=1e-8)
    return Results(
        created=now(),
        command="sidebyside run and-gate",
        host={"cpu": "a cpu", "cores": 2},
        settings={"preset": "quick", "certified": True},
        runs=[run, late],
        certificates=[make_certificate()],
        pairs=[pair],
    )
