"""Every formulation of a tuned loop computes the same, and is one that the backend names."""

from pathlib import Path

import pytest

from backends.about import MODES
from backends.registry import about, framework_backends
from tasks.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU
from tasks.training import SGD
from tests.certify.evidence import judge_twice, make_reference, remote_evidence
from tests.remote import RemoteBackend, RemoteError, task_of
from tests.samples import Sample, make_sample


def sample(*layers: Layer, batch_size: int) -> Sample:
    recipe = {"optimizer": SGD(0.01, 0.9), "count": 3 * batch_size, "batch_size": batch_size}
    return make_sample((12, 12, 1), (*layers, Flatten(), Dense(120), ReLU(), Dense(3)), **recipe)  # type: ignore[arg-type]


SAMPLES = {
    "dense": sample(batch_size=40),
    "convolutional": sample(Conv2D(16, (3, 3)), ReLU(), MaxPool2D((2, 2)), batch_size=20),
    "convolutional, large batch": sample(Conv2D(8, (3, 3)), ReLU(), MaxPool2D((2, 2)), batch_size=100),
}
FORMS = {
    ("pytorch", "dense"): ("cpp-wrapper", "pattern-matcher", "python-wrapper"),
    ("pytorch", "convolutional"): ("cpp-wrapper", "pattern-matcher", "python-wrapper"),
    ("keras", "dense"): ("xla", "graph"),
    ("keras", "convolutional"): ("graph",),
    ("jax", "dense"): (),
    ("jax", "convolutional"): ("one-product", "product-for-each-image"),
    ("jax", "convolutional, large batch"): ("product-for-each-image", "one-product"),
}


@pytest.mark.parametrize(("name", "kind"), FORMS)
def test_every_formulation_computes_the_same(
    name: str, kind: str, every_remote: dict[str, RemoteBackend], tmp_path: Path
) -> None:
    if name not in every_remote:
        pytest.skip(f"needs {name}")
    remote, made = every_remote[name], SAMPLES[kind]
    assert remote.call("backend.formulations", task_of(made.recipe), "cpu", "tuned") == FORMS[name, kind]
    assert remote.call("backend.formulations", task_of(made.recipe), "cpu", "stock") == ()
    reference = make_reference(made, tmp_path)
    for formulation in FORMS[name, kind]:
        evidence = remote_evidence(remote, made, tmp_path, formulation=formulation)
        assert remote.call("apply", "tests.backends.test_formulations", "formulation_of") == formulation
        certificate = judge_twice(evidence, reference, made, tmp_path)
        assert (certificate.outcome, certificate.failure) == ("granted", ""), formulation


def formulation_of(model: object) -> object:
    """In the worker: of the model that was built last."""
    return model.formulation  # type: ignore[attr-defined]


def test_a_formulation_that_a_loop_does_not_have_is_refused(every_remote: dict[str, RemoteBackend]) -> None:
    task = task_of(SAMPLES["convolutional"].recipe)
    for name, remote in every_remote.items():
        for mode in MODES:
            with pytest.raises(RemoteError, match="unknown formulation") as refused:
                remote.build(task, task.parameters(0), mode=mode, formulation="banana")
            assert refused.value.kind == "UnknownNameError", name


def test_a_backend_names_all_its_formulations() -> None:
    named = {name: set(about(name).formulations) for name in framework_backends()}
    found: dict[str, set[str]] = {name: set() for name in named}
    for (name, _), forms in FORMS.items():
        found[name] |= set(forms)
    found["jax"] |= {"library", "command-buffers"}  # on a GPU
    found["pytorch"].add("cuda-graph")
    assert named == found
