"""Batches: every epoch uses every example once, in an order that follows from the seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tasks
from tasks.batches import Batches, draw_batches
from tasks.reproducible import random_stream
from tests.tasks.common import drawn


@drawn
@given(
    count=st.integers(1, 50),
    batch_size=st.integers(1, 60),
    epochs=st.integers(1, 4),
    seed=st.integers(0, 2**40),
    shuffle=st.booleans(),
)
def test_every_epoch_is_a_permutation_with_its_remainder(
    count: int, batch_size: int, epochs: int, seed: int, shuffle: bool
) -> None:
    batches = draw_batches(count, batch_size, epochs, seed, shuffle=shuffle)
    size = min(batch_size, count)
    rest = count % size
    assert batches.indices.dtype == batches.remainder.dtype == np.int32
    assert batches.indices.shape == (epochs, count // size, size)
    assert batches.remainder.shape == (epochs, rest)
    assert (batches.epochs, batches.full_steps, batches.batch_size) == (epochs, count // size, size)
    assert (batches.rest, batches.steps) == (rest, count // size + (1 if rest else 0))
    assert batches.examples == count
    for epoch in range(epochs):
        steps = list(batches.of_epoch(epoch))
        assert [len(step) for step in steps] == batches.step_sizes.tolist()
        order = np.concatenate(steps)
        assert sorted(order) == list(range(count))
        if not shuffle:
            assert order.tolist() == list(range(count))


def test_mnist_mlp_trains_on_the_last_partial_batch() -> None:
    batches = tasks.load_task("mnist-mlp").batches(60_000, 0, epochs=2)
    assert (batches.full_steps, batches.rest, batches.steps, batches.examples) == (937, 32, 938, 60_000)
    assert batches.step_sizes.tolist() == [64] * 937 + [32]
    for epoch in range(2):
        np.testing.assert_array_equal(np.sort(np.concatenate(list(batches.of_epoch(epoch)))), np.arange(60_000))
    assert not np.array_equal(batches.indices[0], batches.indices[1])
    assert batches.sha256() == "b90490a9409a1a1824bfeac3a171d9557bf654dc1966f9969c65c1f3f2e76be2"


def test_the_order_is_a_sort_of_one_random_number_an_example() -> None:
    batches = draw_batches(60, 8, 2, 5, shuffle=True)
    stream = random_stream(5, "batches")
    for epoch in range(2):
        expected = np.argsort(stream.random_sample(60))
        np.testing.assert_array_equal(np.concatenate(list(batches.of_epoch(epoch))), expected)


def test_iris_is_not_shuffled() -> None:
    batches = tasks.load_task("iris-mlp").batches(90, 3, epochs=2)
    np.testing.assert_array_equal(batches.indices, np.tile(np.arange(90).reshape(1, 9, 10), (2, 1, 1)))
    assert batches.sha256() == "24c8118e588366638a2dabf97ad8c8d7008bcd09f4fe2a70c513ad884bf4ccd3"


def test_orders_differ_by_seed_and_epoch() -> None:
    orders = [
        tuple(draw_batches(40, 40, 2, seed, shuffle=True).indices[epoch, 0]) for seed in (0, 1) for epoch in (0, 1)
    ]
    assert len(set(orders)) == 4


def test_fewer_examples_keep_the_first_steps() -> None:
    task = tasks.load_task("mnist-mlp")
    whole, part = task.batches(60_000, 0, epochs=2), task.batches(60_000, 0, epochs=2, examples=20_000)
    assert (part.full_steps, part.rest, part.examples) == (312, 32, 20_000)
    np.testing.assert_array_equal(part.indices, whole.indices[:, :312])
    np.testing.assert_array_equal(part.remainder, whole.indices[:, 312, :32])


def test_more_examples_than_there_are_is_all() -> None:
    assert draw_batches(7, 3, 1, 0, shuffle=True, examples=100).examples == 7


def test_more_epochs_keep_the_first_ones_and_a_slice_takes_some() -> None:
    task = tasks.load_task("mnist-cnn")
    long, short = task.batches(100, 0, epochs=5), task.batches(100, 0, epochs=2)
    assert long[:2].sha256() == short.sha256()
    assert long[2:5].epochs == 3
    np.testing.assert_array_equal(long[2:5].remainder, long.remainder[2:5])


def test_a_task_gives_its_recipes_batches_unless_told() -> None:
    task = tasks.load_task("iris-mlp")
    assert task.batches(90, 0).indices.shape == (100, 9, 10)
    other = task.batches(90, 0, epochs=2, batch_size=40)
    assert (other.indices.shape, other.remainder.shape) == ((2, 2, 40), (2, 10))


def test_epoch_means_weigh_the_last_batch_by_its_size() -> None:
    batches = draw_batches(5, 2, 2, 0, shuffle=False)
    losses = np.array([[1, 2, 6], [0, 0, 5]], np.float32)
    np.testing.assert_array_equal(batches.epoch_means(losses), [(2 * 1 + 2 * 2 + 1 * 6) / 5, 1])
    assert batches.epoch_means(losses).dtype == np.float64


def test_epoch_means_of_a_loop_that_keeps_means_alone() -> None:
    means = np.array([[0.5], [0.25]], np.float32)
    assert draw_batches(5, 2, 2, 0, shuffle=False).epoch_means(means).tolist() == [0.5, 0.25]


def test_the_hash_of_batches_covers_the_remainder() -> None:
    batches = draw_batches(5, 2, 1, 0, shuffle=False)
    assert Batches(batches.indices, batches.remainder[:, :0]).sha256() != batches.sha256()


@pytest.mark.parametrize("buffer", [1, 4, 20, 50])
def test_a_buffer_gives_out_every_example_once(buffer: int) -> None:
    batches = draw_batches(20, 5, 3, 0, shuffle=True, buffer=buffer)
    for epoch in batches.indices.reshape(3, 20):
        assert sorted(epoch) == list(range(20))
        assert (epoch < np.arange(20) + buffer).all()
    assert np.array_equal(batches.indices[0].ravel(), np.arange(20)) == (buffer == 1)
