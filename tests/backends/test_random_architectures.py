"""Random architectures: every framework computes them as the reference does, by the certificate's measure."""

from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from tasks.architecture import sequence
from tasks.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Shape, Sigmoid, Softmax, Tanh
from tasks.training import SGD, Adadelta, Adam, AdamW, Loss, RMSprop
from tests.certify.evidence import judge, make_reference, remote_evidence
from tests.remote import RemoteBackend, RemoteError
from tests.samples import Sample, make_sample

OPTIMIZERS = (
    SGD(0.01),
    SGD(0.01, 0.9),
    Adam(0.001),
    Adam(0.003, 0.8, 0.99, 1e-6),
    SGD(0.01, 0.9, nesterov=True, weight_decay=0.1),
    AdamW(0.001, weight_decay=0.1),
    RMSprop(0.001),
    RMSprop(0.001, 0.99, 1e-8, momentum=0.9, weight_decay=0.1),
    Adadelta(),
    Adadelta(0.1, 0.95, 1e-7),
)
REFUSED_ONCE = {
    # A gradient of exactly 0, half of the labels being 0 and half 1: Adam makes a step of what rounding leaves of it.
    "labels in balance": make_sample(
        (7, 6, 2),
        (
            Conv2D(6, (2, 1), (2, 2), "valid"), Tanh(), Conv2D(1, (3, 3), (1, 2), "valid"), ReLU(), Flatten(),
            Dense(2), Softmax(),
        ),
        loss="negative_log_likelihood", optimizer=Adam(0.001), count=57, batch_size=8, seed=58,
    ),
    # XLA computed what is pooled twice, with other roundings: a value was not equal to its maximum.
    "maximum computed twice": make_sample(
        (9, 7, 3),
        (Conv2D(5, (2, 1), (1, 2)), Tanh(), Conv2D(4, (3, 2), (2, 2)), ReLU(), MaxPool2D((1, 2)), Flatten(), Dense(1)),
        loss="sum_of_squared_errors", optimizer=SGD(0.01, 0.9), count=40, batch_size=3, seed=134,
    ),
}  # fmt: skip
"""Random architectures that were refused once."""


@pytest.mark.parametrize("name", REFUSED_ONCE)
def test_refused_once(name: str, every_remote: dict[str, RemoteBackend], tmp_path: Path) -> None:
    check_random(REFUSED_ONCE[name], every_remote, tmp_path)


@pytest.mark.parametrize("seed", [77, 87])
def test_terms_that_cancel(seed: int, every_remote: dict[str, RemoteBackend], tmp_path: Path) -> None:
    """With the ReLU dead, a bias's gradient is the difference of two equal terms: its own size says nothing."""
    layers = (Dense(1), ReLU(), Dense(2), Softmax())
    sample = make_sample(
        (1,), layers, loss="negative_log_likelihood", optimizer=SGD(0.01), count=20, batch_size=2, seed=seed
    )
    check_random(sample, every_remote, tmp_path)


@st.composite
def drawn_samples(draw: st.DrawFn) -> Sample:
    """Random stacks of convolutions, pools, dense layers and activations, with any loss and optimizer."""
    activations = st.sampled_from([ReLU(), Tanh(), Sigmoid()])
    layers: list[Layer] = []
    shape: Shape
    if draw(st.booleans()):
        shape = (draw(st.integers(4, 9)), draw(st.integers(4, 9)), draw(st.sampled_from([1, 2, 3, 6])))
        for _ in range(draw(st.integers(1, 2))):
            conv = Conv2D(
                draw(st.integers(1, 6)),
                (draw(st.integers(1, 3)), draw(st.integers(1, 3))),
                (draw(st.integers(1, 2)), draw(st.integers(1, 2))),
                draw(st.sampled_from(["same", "valid"])),
            )
            # oneDNN (in PyTorch 2.15 and TensorFlow 2.21, seen on a CPU with AMX) damages memory in the backward
            # pass of a 1x1 convolution with a stride (with 7 images of 4x9 and 6 channels, say): the process dies.
            hypothesis.assume(conv.kernel_size != (1, 1) or conv.strides == (1, 1))
            layers += [conv, draw(activations)]
            if draw(st.booleans()):
                layers.append(MaxPool2D((draw(st.integers(1, 2)), draw(st.integers(1, 2)))))
        layers.append(Flatten())
    else:
        shape = (draw(st.integers(1, 9)),)
    for _ in range(draw(st.integers(0, 2))):
        layers += [Dense(draw(st.integers(1, 12))), draw(activations)]
    loss: Loss = draw(st.sampled_from(["cross_entropy", "negative_log_likelihood", "sum_of_squared_errors"]))
    layers.append(Dense(1 if loss == "sum_of_squared_errors" else draw(st.integers(2, 5))))
    if loss == "negative_log_likelihood":
        layers.append(Softmax())
    try:
        sequence(shape, tuple(layers))
    except ValueError:
        hypothesis.reject()  # a kernel or a pool that does not fit
    optimizer = draw(st.sampled_from(OPTIMIZERS))
    return make_sample(
        shape,
        tuple(layers),
        loss=loss,
        optimizer=optimizer,
        count=draw(st.integers(20, 60)),
        batch_size=draw(st.integers(2, 8)),
        seed=draw(st.integers(0, 1000)),
    )


def check_random(sample: Sample, every_remote: dict[str, RemoteBackend], folder: Path) -> None:
    reference = make_reference(sample, folder)
    for remote in every_remote.values():
        preparations = ["without_compiler"] if remote.name == "pytorch" else []
        try:
            certificate = judge(remote_evidence(remote, sample, folder, *preparations), reference)
        except RemoteError as error:
            raise AssertionError(f"{remote.name}: {error}") from error
        worst = [distance for distance in certificate.distances if not distance.passed]
        assert certificate.outcome != "refused", (remote.name, certificate.failure, worst[:1])


SETTINGS = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(hypothesis.HealthCheck),
}


@hypothesis.settings(max_examples=20, **SETTINGS)  # type: ignore[arg-type]
@hypothesis.given(sample=drawn_samples())
def test_random_architectures(
    sample: Sample, every_remote: dict[str, RemoteBackend], tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_random(sample, every_remote, tmp_path_factory.mktemp("random"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_many_random_architectures(
    seed: int, fresh_remotes: dict[str, RemoteBackend], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """200 of them, in processes that are renewed: after some 120 XLA could allocate no more memory for its code."""

    @hypothesis.seed(seed)
    @hypothesis.settings(max_examples=20, **{**SETTINGS, "derandomize": False})  # type: ignore[arg-type]
    @hypothesis.given(sample=drawn_samples())
    def check(sample: Sample) -> None:
        check_random(sample, fresh_remotes, tmp_path_factory.mktemp("random"))

    check()
