"""Two models of a user's held against each other: how far apart each layer is, and what could not be paired."""

from compare.records.base import Record

ROUNDING = 3e-8
"""In float64, a distance below this is rounding, and no difference in meaning: that would be as large in float32, which
could not tell it. Most are below 1e-15; Keras's GELU has a constant in float32, and is 4e-9 away from PyTorch's."""

IN_TRAINING = 1e-6
"""The same for losses, gradients and updates of a few steps, which add up rounding."""


class LayerPair(Record):
    """A layer of the first model and the one of the second that takes its place.

    Distances are of the outputs in float64, relative to the size of the first's.
    """

    first: str
    second: str
    kind: str
    carried: float | None
    """Between the models' own outputs; None where their shapes differ."""
    own: float | None
    """Where the second's layer is given the first's input: of the layer itself, without what came before it."""
    settings: dict[str, tuple[str, str]] = {}
    """What the two were made with otherwise, by name: the first's, and the second's."""
    causes: list[str] = []
    """What explains the layer's own difference: with it undone, the two are equal but for rounding."""
    note: str = ""
    """What else differs: a bias that one of them lacks, say."""

    @property
    def differs(self) -> bool:
        """Whether the models' outputs differ by more than rounding."""
        return self.carried is None or self.carried > ROUNDING

    @property
    def by_itself(self) -> bool:
        """Whether, of what differs, the layer itself is the reason, and not what it was given."""
        return self.differs and (self.own is None or self.own > ROUNDING)


class TrainedArray(Record):
    """A parameter or a state of a layer in a step of training. Distances are relative to the first's size."""

    first: str
    second: str
    name: str
    gradient: float | None
    """Of a parameter: between the two gradients."""
    update: float
    """Between what the step adds to the two."""
    by_rounding: bool = False
    """Whether the gradient is 0 but for rounding, so that its figures say nothing."""

    @property
    def gradient_differs(self) -> bool:
        return self.gradient is not None and self.gradient > IN_TRAINING and not self.by_rounding

    @property
    def update_differs(self) -> bool:
        return self.update > IN_TRAINING and not self.by_rounding


class TrainingStep(Record):
    """A step of training of both models, in float64."""

    step: int
    losses: tuple[float, float]
    arrays: list[TrainedArray]

    @property
    def loss_differs(self) -> bool:
        """Whether the losses before the update differ by more than rounding."""
        return abs(self.losses[0] - self.losses[1]) > IN_TRAINING * abs(self.losses[0])

    @property
    def differs(self) -> bool:
        """Whether anything of the step does."""
        return self.loss_differs or any(array.gradient_differs or array.update_differs for array in self.arrays)


class Port(Record):
    """The comparison of two models.

    Attributes:
        first: file and function of the first.
        second: of the second, which was given the first's parameters.
        layers: in the order of execution.
        output: the distance of the models' outputs in float64.
        output_float32: the same in float32.
        unpaired: layers with parameters that have no counterpart, of the first and of the second.
        reordered: dense layers of the second whose rows were put in the order of its own flattened image.
        steps: of training, where they were asked for and the models are the same.
        training_causes: what explains the first difference in training.
    """

    first: str
    second: str
    layers: list[LayerPair]
    output: float | None
    output_float32: float | None
    unpaired: tuple[list[str], list[str]]
    reordered: list[str] = []
    steps: list[TrainingStep] = []
    training_causes: list[str] = []

    @property
    def right(self) -> bool:
        """Whether the models are the same but for rounding, and train so as far as that was asked for."""
        same = self.output is not None and self.output <= ROUNDING and not any(self.unpaired)
        return same and not any(step.differs for step in self.steps)

    @property
    def differences(self) -> list[LayerPair]:
        """The first layer whose output differs, and all after it that differ by themselves too."""
        found = [layer for layer in self.layers if layer.differs]
        return found[:1] + [layer for layer in found[1:] if layer.own is not None and layer.own > ROUNDING]

    def before(self, layer: LayerPair) -> LayerPair | None:
        """The layer before another; None before the first."""
        at = self.layers.index(layer)
        return self.layers[at - 1] if at else None
