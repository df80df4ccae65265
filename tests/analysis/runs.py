"""Invented runs, certificates and results: in them much goes wrong, and every figure is known."""

from typing import Any

from compare.records.base import Record, Status
from compare.records.certificate import Certificate, Distance, Pair
from compare.records.check import Check
from compare.records.results import Results
from compare.records.run import Run

HASH = "a" * 64
SPEEDS = {"pytorch": 1000.0, "keras": 1150.0, "jax": 1151.0, "numpy": 90.0, "slow": 500.0, "other": 500.0}


def make_run(backend: str, *, seed: int = 0, round_: int = 0, status: Status = "ok", **fields: Any) -> Run:
    if status not in ("ok", "diverged"):
        return Run(
            task="mnist-mlp",
            recipe="standard",
            backend=backend,
            mode="tuned",
            device="cpu",
            seed=seed,
            round=round_,
            epochs=3,
            examples=640,
            status=status,
            message=f"{backend} was {status}",
        )
    noise = 1 + 0.002 * ((round_ * 7 + seed * 3 + len(backend)) % 5)
    values: dict[str, Any] = {
        "task": "mnist-mlp",
        "recipe": "standard",
        "backend": backend,
        "mode": "tuned",
        "device": "cpu",
        "seed": seed,
        "round": round_,
        "epochs": 3,
        "examples": 640,
        "status": status,
        "message": "" if status == "ok" else "the loss is no longer finite",
        "versions": {"framework": "1.2.3"},
        "settings": {"threads": 2, "affinity": 2, "layout": "NHWC", "last_batch": "kept"},
        "parameter_count": 669_706,
        "parameter_counts": {"1_dense": 401_920, "3_dense": 262_656, "5_dense": 5_130},
        "parameters_sha256": HASH,
        "batches_sha256": HASH,
        "data_sha256": HASH,
        "check": Check(outcome="granted", steps=564),
        "losses": [2.1, 1.2 + seed / 100, 0.71234567],
        "accuracies": [0.5, 0.8, 0.9],
        "accuracy_epochs": [1, 2, 3],
        "accuracy": 0.9 + seed / 1000,
        "test_examples": 10_000,
        "import_seconds": 1.5 * noise,
        "build_seconds": 0.25,
        "first_epoch_seconds": 3.5,
        "epoch_seconds": [0.64 * noise],
        "evaluate_seconds": 0.125,
        "total_seconds": 12.345 * noise,
        "examples_per_second": SPEEDS.get(backend, 700.0) * noise,
        "inference_examples_per_second": 4321.0,
        "latency_seconds": 0.00123,
        "peak_memory_bytes": 123_456_789,
        "load_average": 0.5,
        "memory_source": "resident",
        "operations_per_epoch": 3_000_000,
        "matrix_operations_per_second": 5e10,
    }
    return Run(**(values | fields))


def change(record: Record, **fields: Any) -> None:
    """Changes a record in place, which no code of the package can do, to make up results."""
    record.__dict__.update(fields)


def make_certificate(backend: str, granted: bool = True, **fields: Any) -> Certificate:
    distance = Distance(
        quantity="logits",
        absolute=1e-6,
        relative=3.21e-7 if granted else 0.5,
        reference_absolute=1e-6,
        reference_relative=2e-7,
        limit=1.6e-6,
        absolute_limit=1e-5,
        passed=granted,
    )
    values: dict[str, Any] = {
        "task": "mnist-mlp",
        "recipe": "standard",
        "backend": backend,
        "mode": "tuned",
        "device": "cpu",
        "seed": 0,
        "granted": granted,
        "failure": "" if granted else "logits",
        "parameters_sha256": HASH,
        "batches_sha256": HASH,
        "data_sha256": HASH,
        "parameter_counts": {"1_dense": 1},
        "distances": [distance],
    }
    return Certificate(**(values | fields))


def make_results(**fields: Any) -> Results:
    """Three rows in order; one refused, one unverified, and one of every way to end badly; five rounds, three seeds."""
    runs = [
        make_run(backend, seed=seed, round_=round_)
        for seed in range(3)
        for round_ in range(5)
        for backend in ("pytorch", "keras", "jax", "refused", "unverified")
    ]
    bad: tuple[Status, ...] = ("diverged", "timeout", "out-of-memory", "crashed", "skipped", "interrupted")
    runs += [make_run(f"is-{status}", status=status) for status in bad]
    runs += [make_run("partly"), make_run("partly", round_=1, status="timeout")]
    granted = ["pytorch", "keras", "jax", "partly", "is-diverged"]
    values: dict[str, Any] = {
        "created": "2026-11-22T00:00:00+00:00",
        "command": "sidebyside run --rounds 5",
        "host": {"cpu": "a CPU", "cores": 2},
        "settings": {"preset": "quick"},
        "runs": runs,
        "certificates": [*map(make_certificate, granted), make_certificate("refused", granted=False)],
        "pairs": [
            Pair(task="mnist-mlp", recipe="standard", first="keras", second="jax", quantity="loss", relative=1e-7)
        ],
    }
    return Results(**(values | fields))
