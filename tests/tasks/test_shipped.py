"""The data sets of scikit-learn: read, split and standardized as it does."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from tasks.shipped import BreastCancer, Diabetes, Digits, Standardized, Wine


@pytest.mark.parametrize(
    ("source", "load"),
    [
        (Wine(test_share=0.3, split_seed=7), load_wine),
        (BreastCancer(), load_breast_cancer),
        (Diabetes(), partial(load_diabetes, scaled=False)),
    ],
)
def test_measurements_are_split_and_standardized_as_scikit_learn_does(source: Standardized, load: Any) -> None:
    data, dataset = load(), source.load(None)
    share, seed = (0.3, 7) if isinstance(source, Wine) else (0.25, 0)
    x, x_test, y, y_test = train_test_split(data.data, data.target, test_size=share, random_state=seed)
    scaler = StandardScaler().fit(x)
    np.testing.assert_allclose(dataset.train_inputs, scaler.transform(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(dataset.test_inputs, scaler.transform(x_test), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(dataset.train_labels, y)
    np.testing.assert_array_equal(dataset.test_labels, y_test)
    assert source.classes == tuple(data.get("target_names", ()))
    assert source.predicts_numbers == (not source.classes) == (dataset.test_labels.dtype == np.float32)
    plain = replace(source, standardize=False).load(None)
    np.testing.assert_array_equal(plain.train_inputs, x.astype(np.float32))


def test_small_digits_are_images_between_0_and_1() -> None:
    data, dataset = load_digits(), Digits().load(None)
    x, x_test, y, y_test = train_test_split(data.images, data.target, test_size=0.25, random_state=0)
    np.testing.assert_array_equal(dataset.train_inputs, (x[..., None] / 16).astype(np.float32))
    np.testing.assert_array_equal(dataset.test_inputs, (x_test[..., None] / 16).astype(np.float32))
    np.testing.assert_array_equal(dataset.train_labels, y)
    np.testing.assert_array_equal(dataset.test_labels, y_test)
    assert dataset.train_inputs.shape[1:] == Digits().input_shape
