"""Feeding data: batches and shuffling.

Ten examples in batches of four: what happens to the last two, and what shuffling does.
"""

COUNT, BATCH, SEED = 10, 4, 0

NOTE = (
    "DataLoader draws a new permutation each epoch from torch's generator and keeps the last, smaller batch "
    "unless drop_last=True. tf.data's batch keeps it too unless drop_remainder=True; shuffle(buffer_size) picks "
    "at random from a buffer that is refilled from the front, so a buffer of 2 moves an example forward by at "
    "most one place: for a full shuffle the buffer must hold the whole data set. Keras's fit shuffles arrays by "
    "default (shuffle=True) and ignores the argument for a tf.data.Dataset. JAX has no loader of its own: index "
    "arrays with a permutation from a key, or use another library's loader. Shapes are part of a compiled "
    "function, so a smaller last batch compiles a second time, which is why JAX users often drop it. An index out "
    "of range is an error in NumPy, PyTorch and TensorFlow; in JAX, which cannot raise errors from compiled code, "
    "a read is clamped to the last element."
)
DIFFERS = {
    "shuffled_epoch_1": "each framework has its own generator",
    "shuffled_epoch_2": "a new order, drawn by each framework's own generator",
    "buffer_of_2": "tf.data alone shuffles within a buffer",
    "index_out_of_range": "is x[10] of ten examples an error?",
}


def with_numpy() -> dict:
    """A permutation, cut into pieces."""
    import numpy as np

    x = np.arange(COUNT)
    rng = np.random.default_rng(SEED)

    def batches(order: np.ndarray) -> list[list[int]]:
        starts = range(0, COUNT, BATCH)
        return [x[order[i : i + BATCH]].tolist() for i in starts]

    first = batches(rng.permutation(COUNT))
    second = batches(rng.permutation(COUNT))
    full = COUNT // BATCH * BATCH
    try:
        out_of_range = str(x[COUNT])
    except IndexError as error:
        out_of_range = f"IndexError: {error}"
    return {
        "in_order": batches(np.arange(COUNT)),
        "dropped_remainder": x[:full].reshape(-1, BATCH),
        "shuffled_epoch_1": first,
        "shuffled_epoch_2": second,
        "each_example_once": sorted(i for batch in first for i in batch) == list(range(COUNT)),
        "new_order_each_epoch": first != second,
        "index_out_of_range": out_of_range,
    }


def with_pytorch() -> dict:
    """DataLoader over a Dataset."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    x = torch.arange(COUNT)
    dataset = TensorDataset(x)
    generator = torch.Generator().manual_seed(SEED)
    ordered = DataLoader(dataset, BATCH)
    dropping = DataLoader(dataset, BATCH, drop_last=True)
    shuffled = DataLoader(dataset, BATCH, shuffle=True, generator=generator)

    first = [batch.tolist() for (batch,) in shuffled]
    second = [batch.tolist() for (batch,) in shuffled]
    try:
        out_of_range = str(x[COUNT])
    except IndexError as error:
        out_of_range = f"IndexError: {error}"
    return {
        "in_order": [batch.tolist() for (batch,) in ordered],
        "dropped_remainder": [batch.tolist() for (batch,) in dropping],
        "shuffled_epoch_1": first,
        "shuffled_epoch_2": second,
        "each_example_once": sorted(i for batch in first for i in batch) == list(range(COUNT)),
        "new_order_each_epoch": first != second,
        "index_out_of_range": out_of_range,
    }


def with_keras() -> dict:
    """tf.data: from_tensor_slices, shuffle, batch."""
    import tensorflow as tf

    x = tf.range(COUNT)
    dataset = tf.data.Dataset.from_tensor_slices(x)
    shuffled = dataset.shuffle(COUNT, seed=SEED).batch(BATCH)

    def lists(dataset: tf.data.Dataset) -> list[list[int]]:
        return [batch.numpy().tolist() for batch in dataset]

    first, second = lists(shuffled), lists(shuffled)
    nearly = dataset.shuffle(2, seed=SEED)
    try:
        out_of_range = str(x[COUNT].numpy())
    except tf.errors.InvalidArgumentError as error:
        out_of_range = f"InvalidArgumentError: {error.message.rpartition('}} ')[2]}"
    return {
        "in_order": lists(dataset.batch(BATCH)),
        "dropped_remainder": lists(dataset.batch(BATCH, drop_remainder=True)),
        "shuffled_epoch_1": first,
        "shuffled_epoch_2": second,
        "each_example_once": sorted(i for batch in first for i in batch) == list(range(COUNT)),
        "new_order_each_epoch": first != second,
        "buffer_of_2": str([int(example) for example in nearly]),
        "index_out_of_range": out_of_range,
    }


def with_jax() -> dict:
    """Arrays, indexed by a permutation from a key."""
    import jax
    import jax.numpy as jnp

    x = jnp.arange(COUNT)
    first_key, second_key = jax.random.split(jax.random.key(SEED))

    def batches(order: jax.Array) -> list[list[int]]:
        starts = range(0, COUNT, BATCH)
        return [x[order[i : i + BATCH]].tolist() for i in starts]

    first = batches(jax.random.permutation(first_key, COUNT))
    second = batches(jax.random.permutation(second_key, COUNT))
    full = COUNT // BATCH * BATCH
    return {
        "in_order": batches(jnp.arange(COUNT)),
        "dropped_remainder": x[:full].reshape(-1, BATCH).tolist(),
        "shuffled_epoch_1": first,
        "shuffled_epoch_2": second,
        "each_example_once": sorted(i for batch in first for i in batch) == list(range(COUNT)),
        "new_order_each_epoch": first != second,
        "index_out_of_range": f"no error: x[{COUNT}] is {x[COUNT]}",
    }
