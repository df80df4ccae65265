"""The layers' outputs in the certificate: which must be there, which are one, and which rounding alone decides."""

import numpy as np
import pytest

from backends.numpy.model import NumpyModel
from backends.numpy.noise import NoisyModel
from compare.certify.judge import Reference
from compare.records.quantity import Quantity
from tasks.layers import BatchNorm, Dense, Layer, LayerNorm, ReLU, Tanh
from tests.certify.evidence import Gathered, judge, make_reference, numpy_evidence
from tests.samples import SAMPLES, make_sample

SAMPLE = SAMPLES["convolution"]
FUSED = ("output of layer 0_conv2d", "output of layer 1_relu", "output of layer 2_max_pool2d")
GROUP = "output of layers 0_conv2d, 1_relu, 2_max_pool2d"


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return make_reference(SAMPLE, tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Gathered:
    return numpy_evidence(NumpyModel, SAMPLE, tmp_path_factory.mktemp("evidence"))


@pytest.mark.parametrize("text", ["output of layer conv", GROUP, "output of layer norm at step 55"])
def test_names_are_read_as_they_are_written(text: str) -> None:
    quantity = Quantity.of(text)
    assert quantity.kind == "layer_output"
    assert quantity.text == text
    assert Quantity.of(Quantity(kind="size", name=text).text) == Quantity(kind="size", name=text)


def test_the_parts_of_a_group_are_its_layers() -> None:
    assert tuple(part.text for part in Quantity.of(GROUP).parts) == FUSED
    parameter = Quantity.of("0_conv2d/kernel after 1 steps")
    assert parameter.parts == (parameter,)


def test_a_layer_that_is_left_out_is_missing(gathered: Gathered, reference: Reference) -> None:
    evidence, summary = gathered
    less = {name: array for name, array in evidence.items() if name != FUSED[1]}
    assert judge((less, summary), reference).failure == f"{FUSED[1]}: missing"


def test_layers_that_are_computed_as_one_are_held_against_the_last(gathered: Gathered, reference: Reference) -> None:
    evidence, summary = gathered
    fused = {name: array for name, array in evidence.items() if name not in FUSED} | {GROUP: evidence[FUSED[-1]]}
    certificate = judge((fused, summary), reference)
    assert certificate.granted
    assert GROUP in [distance.quantity for distance in certificate.distances]
    wrong = fused | {GROUP: evidence[FUSED[-1]] * np.float32(1.0001)}
    assert judge((wrong, summary), reference).failure == GROUP


def test_what_a_relu_leaves_may_be_as_far_off_as_its_input(gathered: Gathered, reference: Reference) -> None:
    """The limit follows the size of the terms: an output all but zero has the rounding of what it came of."""
    evidence, summary = gathered
    size = Quantity(kind="size", name=FUSED[1]).text
    apart = evidence | {FUSED[1]: evidence[FUSED[1]] + np.float32(2e-5)}
    assert judge((apart, summary), reference).failure == FUSED[1]
    larger = reference._replace(evidence={**reference.evidence, size: 100 * reference.evidence[size]})
    assert judge((apart, summary), larger).granted


def test_an_output_that_is_rounding_alone_is_left_to_the_logits(gathered: Gathered, reference: Reference) -> None:
    evidence, summary = gathered
    wrong = evidence | {FUSED[1]: evidence[FUSED[1]] * np.float32(1.1)}
    assert judge((wrong, summary), reference).failure == FUSED[1]
    noisy = reference._replace(noise={**reference.noise, FUSED[1]: (1.0, 1.0)})
    assert judge((wrong, summary), noisy).granted
    assert not judge((evidence, summary), reference._replace(noise={**reference.noise, "logits": (1.0, 1.0)})).granted


@pytest.mark.parametrize(
    ("layers", "size"),
    [
        ((Dense(1),), 5.0),  # 3 * 1 - 4 * 1
        ((Dense(1), ReLU()), 5.0),
        ((Dense(1), Tanh()), 1.0),
        ((LayerNorm(1e-9),), 12.5**0.5 / 3.5),
        ((BatchNorm(epsilon=3.0),), 12.5**0.5 / 2),
    ],
)
def test_the_size_of_an_output_is_that_of_its_terms(layers: tuple[Layer, ...], size: float) -> None:
    sample = make_sample((2,), layers)
    parameters = {key: np.ones(shape, np.float32) for key, shape in sample.recipe.architecture.variable_shapes.items()}
    parameters |= {key: 0 * array for key, array in parameters.items() if key.endswith(("bias", "mean"))}
    model = NoisyModel(sample.recipe, parameters, "cpu", "float64")
    sizes = model.output_sizes(np.array([[3, -4]], np.float32))
    assert list(sizes) == [node.name for node in sample.recipe.architecture.nodes]
    np.testing.assert_allclose(list(sizes.values())[-1], [[size]], rtol=1e-6)
