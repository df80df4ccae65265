"""The one order of examples that every backend follows."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.reproducible import random_stream, sha256_of


@dataclass(frozen=True)
class Batches:
    """Which examples make which batch.

    Attributes:
        indices: int32, ``(epochs, steps, batch_size)``: the full batches.
        remainder: int32, ``(epochs, rest)``: the last, smaller batch of each epoch; ``rest`` may be 0.
    """

    indices: NDArray[np.int32]
    remainder: NDArray[np.int32]

    @property
    def epochs(self) -> int:
        return int(self.indices.shape[0])

    @property
    def full_steps(self) -> int:
        """Full batches an epoch."""
        return int(self.indices.shape[1])

    @property
    def batch_size(self) -> int:
        return int(self.indices.shape[2])

    @property
    def rest(self) -> int:
        """Examples in the last, smaller batch of an epoch; 0 where there is none."""
        return int(self.remainder.shape[1])

    @property
    def steps(self) -> int:
        """Steps an epoch, the smaller last one included."""
        return self.full_steps + (self.rest > 0)

    @property
    def examples(self) -> int:
        """Examples an epoch."""
        return self.full_steps * self.batch_size + self.rest

    @property
    def step_sizes(self) -> NDArray[np.int64]:
        """``(steps,)``: the number of examples of each step of an epoch."""
        return np.array([self.batch_size] * self.full_steps + [self.rest] * (self.rest > 0))

    def __getitem__(self, epochs: slice) -> "Batches":
        """Some of the epochs."""
        return Batches(self.indices[epochs], self.remainder[epochs])

    def of_epoch(self, epoch: int) -> Iterator[NDArray[np.int32]]:
        """The example indices of each step of one epoch, in order."""
        yield from self.indices[epoch]
        if self.rest:
            yield self.remainder[epoch]

    def parts(self, begin: int, end: int, size: int) -> Iterator["Batches"]:
        """The steps from ``begin`` to ``end``, from 0 over all epochs: at most ``size`` a part, none over two epochs.

        After the last epoch the first one follows again.
        """
        while begin < end:
            epoch, first = divmod(begin, self.steps)
            epoch %= self.epochs
            last = min(first + min(size, end - begin), self.steps)
            rest = self.remainder[epoch : epoch + 1, : None if last > self.full_steps else 0]
            full = self.indices[epoch : epoch + 1, first:last]
            yield Batches(np.ascontiguousarray(full), np.ascontiguousarray(rest))
            begin += last - first

    def epoch_means(self, losses: NDArray[np.float32]) -> NDArray[np.float64]:
        """``(epochs,)``: the mean over each epoch's examples, from what ``Model.train`` returned for these batches."""
        if losses.shape[1] == self.steps:
            return losses.astype(np.float64) @ self.step_sizes / self.examples
        return losses[:, 0].astype(np.float64)

    def sha256(self) -> str:
        return sha256_of({"indices": self.indices, "remainder": self.remainder})


def draw_batches(
    example_count: int,
    batch_size: int,
    epochs: int,
    seed: int,
    *,
    shuffle: bool,
    buffer: int | None = None,
    examples: int | None = None,
) -> Batches:
    """Draws the batches of a training; examples that fill no batch are a smaller last one.

    Args:
        example_count: size of the training set.
        batch_size: examples a step; a batch never holds more than the training set.
        epochs: passes over the data.
        seed: any int from 0.
        shuffle: a new order each epoch; otherwise the order of the data set.
        buffer: the size of the buffer from which the order is drawn; None to shuffle all examples at once.
        examples: number of examples used per epoch, from the start of that epoch's order; None for all.
    """
    count = min(example_count, examples or example_count)
    batch_size = min(batch_size, count)
    random = random_stream(seed, "batches")

    def draw() -> NDArray[np.int64]:
        if not shuffle:
            return np.arange(example_count)
        drawn = random.random_sample(example_count)
        return np.argsort(drawn, kind="stable") if buffer is None else _through_a_buffer(drawn, buffer)

    orders = [draw() for _ in range(epochs)]
    order = np.array([order[:count] for order in orders], np.int32).reshape(epochs, count)
    steps = count // batch_size
    full = order[:, : steps * batch_size].reshape(epochs, steps, batch_size)
    return Batches(full, order[:, steps * batch_size :])


def _through_a_buffer(drawn: NDArray[np.float64], size: int) -> NDArray[np.int64]:
    """The order in which a buffer gives out the examples, as the pipelines of ``tf.data`` shuffle.

    It begins with the first examples of the data set; each time one of them is drawn, the next one takes its place.

    Args:
        drawn: ``(n,)``, from 0 up to 1: which of the buffer's examples is given out each time.
        size: of the buffer.
    """
    count = len(drawn)
    buffer, order = list(range(min(size, count))), []
    for at, share in enumerate(drawn.tolist()):
        place = int(share * len(buffer))
        order.append(buffer[place])
        if at + size < count:
            buffer[place] = at + size
        else:
            buffer[place] = buffer[-1]
            buffer.pop()
    return np.array(order, np.int64)
