"""Layers of sequences (time, features)."""

from dataclasses import dataclass
from typing import ClassVar

from tasks.layers.base import Layer, Shape, need_positive, need_rank


@dataclass(frozen=True)
class LSTM(Layer):
    """Long short-term memory (Hochreiter and Schmidhuber 1997; forget gates Gers et al. 2000), from (time, features).

    ``z = x @ kernel + h @ recurrent_kernel + bias`` in four parts, each (units,): ``i, f, g, o``;
    ``c = sigmoid(f) * c + sigmoid(i) * tanh(g); h = sigmoid(o) * tanh(c)``, from h and c of 0 on. The kernel is
    (features, 4 * units), the recurrent kernel (units, 4 * units), with one bias.

    Attributes:
        units: of h and c.
        return_sequences: whether it gives h after each step, (time, units), or after the last, (units,).
    """

    units: int
    return_sequences: bool = False
    kind: ClassVar[str] = "lstm"

    def __post_init__(self) -> None:
        need_positive(self, units=self.units)

    def output_shape(self, shape: Shape) -> Shape:
        need_rank(self, shape, 2)
        return (shape[0], self.units) if self.return_sequences else (self.units,)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        gates = 4 * self.units
        return {"kernel": (shape[1], gates), "recurrent_kernel": (self.units, gates), "bias": (gates,)}

    def operations(self, shape: Shape) -> int:
        return 2 * shape[0] * shape[1] * 4 * self.units + self.recurrent_operations(shape)

    def recurrent_operations(self, shape: Shape) -> int:
        return 2 * shape[0] * self.units * 4 * self.units
