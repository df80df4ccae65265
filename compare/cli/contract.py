"""``sidebyside check-backend``: whether a backend does what every backend must."""

import sys
from typing import Annotated

from cyclopts import Parameter

import backends
from backends.registry import about
from compare.api import run_apart
from compare.cli.status import FAILED, OK
from compare.records.certificate import Certificate
from compare.records.results import Results
from compare.records.run import Run
from compare.run.options import make_options
from compare.text import clean
from tasks import contract


def check_backend(name: Annotated[str, Parameter(name="NAME")], *, device: str = "cpu") -> int:
    """Check a backend, of this package or another: certify and train small tasks that have all layers and rules.

    Args:
        name: The backend.
        device: The device that it computes on: cpu, gpu, gpu:1 and so on.
    """
    from compare.report.layout import print_lines
    from compare.run.plan import list_cells

    if message := backends.missing(name):
        print(f"sidebyside: {message}", file=sys.stderr)
        return FAILED
    contract.register()
    modes = about(name).modes
    options = make_options(
        {"tasks": contract.NAMES, "backends": name, "modes": modes, "devices": device, "probe": False}
    )
    results = run_apart(options, list_cells(options), train=True)
    failed = 0
    for run in results.runs:
        failure = failure_of(run, results)
        print_lines([f"{run.task}, {run.mode}: {failure or 'granted'}"])
        failed += bool(failure)
    count = len(results.runs)
    print_lines([f"{name} has kept {count - failed} of {count} parts of the contract"])
    return FAILED if failed else OK


def failure_of(run: Run, results: Results) -> str:
    """What a run of the contract fails by, with the first quantity that differs; empty where nothing does."""
    if run.status != "ok":
        return clean(f"{run.status}: {run.message}")
    certificate = next((each for each in results.certificates if each.subject == run.subject), None)
    if certificate is None:
        return "no certificate could be made"
    if not certificate.granted:
        return clean(f"{certificate.outcome}: first to differ: {certificate.failure}{_distance(certificate)}")
    if run.check is None or not run.check.passed:
        outcome, failure = (run.check.outcome, run.check.failure) if run.check else ("unverified", "no check was made")
        return clean(f"{outcome}: in the run that is timed: {failure}")
    return ""


def _distance(certificate: Certificate) -> str:
    """How far off the first quantity is that differs."""
    for distance in certificate.distances:
        if distance.quantity == certificate.failure:
            return f", {distance.relative:.1e} of its size from the reference's, where {distance.limit:.1e} is allowed"
    return ""
