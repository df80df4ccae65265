"""Losses and optimizers, described as data. Schedules of the learning rate are in ``schedules.py``.

A step of training, in this order: the gradient; it is clipped, if the recipe says so, by the norm of all parameters'
gradients together; coupled weight decay is added; the optimizer's rule; and decoupled weight decay, with the learning
rate of the step and the parameters as they were before it. Weight decay is for kernels alone, not for biases.
"""

from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar, Literal, TypeAlias

from numpy.typing import NDArray

from tasks.errors import FieldError

Loss = Literal[
    "cross_entropy", "negative_log_likelihood", "sum_of_squared_errors", "mean_squared_error", "binary_cross_entropy"
]
"""The loss of a batch, from the network's outputs ``z`` (n, outputs) and the labels ``y`` (n,).

``cross_entropy``: the mean of ``logsumexp(z) - z[y]``: z are logits. With label smoothing s, ``z[y]`` becomes
``(1 - s) * z[y] + s * mean(z)``: of each target, a share of s is spread evenly over all classes, its own among them.
``negative_log_likelihood``: the mean of ``-z[y]``: z should be log-probabilities.
``sum_of_squared_errors``: the sum of ``(z - y)**2``, for one output.
``mean_squared_error``: the mean of ``(z - y)**2``, for one output.
``binary_cross_entropy``: the mean of ``log(1 + exp(z)) - y * z``, for one output, a logit, and labels 0 and 1.
The two of squares are for numbers that are predicted, too: then y is the number itself.
"""
OF_CLASSES: tuple[Loss, ...] = ("cross_entropy", "negative_log_likelihood")
"""The losses for which the network has an output a class; the others are for a single one."""
SQUARES: tuple[Loss, ...] = ("sum_of_squared_errors", "mean_squared_error")
"""The losses that numbers can be predicted with."""


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum: ``v = momentum * v + g; p -= learning_rate * v``.

    With Nesterov's: ``p -= learning_rate * (g + momentum * v)``, of the new v. Weight decay is coupled:
    ``g + weight_decay * p`` takes the place of g.
    """

    learning_rate: float
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    convention: ClassVar[frozenset[str]] = frozenset()
    """The frameworks whose convention this is, which alone have it; empty for the rule that all of them have."""
    decoupled: ClassVar[bool] = False
    normalizes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self)
        if self.nesterov and not self.momentum:
            raise FieldError("SGD", "nesterov", "needs a momentum above 0")

    @property
    def moments(self) -> tuple[str, ...]:
        """What it carries from step to step for each parameter: ``v``, if there is momentum."""
        return ("velocity",) if self.momentum else ()


@dataclass(frozen=True)
class Adam:
    """Adam as in Kingma and Ba (2015), algorithm 1: epsilon is added to the bias-corrected root.

    ``m = beta_1 m + (1 - beta_1) g; v = beta_2 v + (1 - beta_2) g**2;``
    ``p -= learning_rate * (m / (1 - beta_1**t)) / (sqrt(v / (1 - beta_2**t)) + epsilon)``
    Weight decay is coupled: ``g + weight_decay * p`` takes the place of g.
    """

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    convention: ClassVar[frozenset[str]] = frozenset()
    decoupled: ClassVar[bool] = False
    """Whether weight decay acts on the parameter beside the rule, not through the gradient."""
    normalizes: ClassVar[bool] = True
    """Whether it divides gradients by the root of their own squares: a gradient of rounding alone makes a step too."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def moments(self) -> tuple[str, ...]:
        """What it carries from step to step for each parameter: ``m`` and ``v``."""
        return ("first_moment", "second_moment")


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): ``p -= learning_rate * weight_decay * p``, too."""

    weight_decay: float = 0.01

    decoupled: ClassVar[bool] = True


@dataclass(frozen=True)
class RMSprop:
    """RMSprop (Hinton 2012), with epsilon added to the root and the learning rate outside of the momentum, as torch's.

    ``s = decay * s + (1 - decay) g**2; v = momentum * v + g / (sqrt(s) + epsilon); p -= learning_rate * v``
    Weight decay is coupled: ``g + weight_decay * p`` takes the place of g.
    """

    learning_rate: float = 0.001
    decay: float = 0.9
    epsilon: float = 1e-7
    momentum: float = 0.0
    weight_decay: float = 0.0

    convention: ClassVar[frozenset[str]] = frozenset()
    decoupled: ClassVar[bool] = False
    normalizes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self)

    @property
    def moments(self) -> tuple[str, ...]:
        """What it carries from step to step for each parameter: ``s`` and, if there is momentum, ``v``."""
        return ("square_average", "velocity") if self.momentum else ("square_average",)


@dataclass(frozen=True)
class Adadelta:
    """Adadelta (Zeiler 2012), with a learning rate.

    ``s = decay * s + (1 - decay) g**2; d = g * sqrt(u + epsilon) / sqrt(s + epsilon);``
    ``u = decay * u + (1 - decay) d**2; p -= learning_rate * d``
    Weight decay is coupled: ``g + weight_decay * p`` takes the place of g.
    """

    learning_rate: float = 1.0
    decay: float = 0.9
    epsilon: float = 1e-6
    weight_decay: float = 0.0

    convention: ClassVar[frozenset[str]] = frozenset()
    decoupled: ClassVar[bool] = False
    normalizes: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self)

    @property
    def moments(self) -> tuple[str, ...]:
        """What it carries from step to step for each parameter: ``s`` and ``u``."""
        return ("square_average", "update_average")


@dataclass(frozen=True)
class RateInsideSGD(SGD):
    """SGD whose velocity has the learning rate inside: ``v = momentum * v + learning_rate * g; p -= v``.

    The same as SGD while the rate is constant; under a schedule, earlier gradients keep the rates of their steps.
    """

    convention: ClassVar[frozenset[str]] = frozenset({"keras"})


@dataclass(frozen=True)
class DecoupledSGD(SGD):
    """SGD with decoupled weight decay: ``p -= learning_rate * weight_decay * p``, too."""

    convention: ClassVar[frozenset[str]] = frozenset({"keras"})
    decoupled: ClassVar[bool] = True


@dataclass(frozen=True)
class RateInsideDecoupledSGD(DecoupledSGD, RateInsideSGD):
    """The two together."""


@dataclass(frozen=True)
class EpsilonHatAdam(Adam):
    """Adam in the order that its paper calls more efficient: epsilon is added before the correction of the means.

    ``p -= learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)``: the same as Adam with
    ``epsilon / sqrt(1 - beta_2**t)``, which at the first step is 32 times as much.
    """

    convention: ClassVar[frozenset[str]] = frozenset({"keras"})


@dataclass(frozen=True)
class EpsilonHatAdamW(AdamW, EpsilonHatAdam):
    """The same with decoupled weight decay."""


@dataclass(frozen=True)
class EpsilonInsideRMSprop(RMSprop):
    """RMSprop with epsilon inside of the root: ``g / sqrt(s + epsilon)``; its velocity has the learning rate inside."""

    convention: ClassVar[frozenset[str]] = frozenset({"keras", "jax"})


Optimizer = SGD | Adam | AdamW | RMSprop | Adadelta
"""The rules of tasks, and their children: the same rule by the convention of a framework."""


def _check(optimizer: Optimizer) -> None:
    """Raises FieldError where a number of an optimizer is out of its bounds."""
    for name, value in vars(optimizer).items():
        above_zero, share = name in ("learning_rate", "epsilon"), name in ("momentum", "beta_1", "beta_2", "decay")
        if not (0 <= value < (1 if share else inf)) or (above_zero and not value):
            rule = "above 0" if above_zero else "from 0 and below 1" if share else "at least 0"
            raise FieldError(type(optimizer).__name__, name, f"must be {rule}, not {value}")


OptimizerState: TypeAlias = dict[str, NDArray[Any]]
"""What an optimizer carries from step to step, as in the formulas above: ``velocity/0_dense/kernel`` and so on, in the
parameters' canonical layout; and ``steps``, the number ``t`` of steps so far, where the rule is Adam or the learning
rate follows a schedule."""
