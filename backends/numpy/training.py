"""The losses and optimizers of tasks/training.py in NumPy."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from backends.numpy.arrays import Array
from tasks.architecture import Parameters
from tasks.training import SGD, Adam, Loss, Optimizer, OptimizerState, make_state

Labels = NDArray[np.int32]
LossFunction = Callable[[Array, Labels], tuple[Array, Array]]


def loss_function(loss: Loss) -> LossFunction:
    """The function from outputs (n, outputs) and labels (n,) to the loss and its gradient for the outputs."""
    if loss == "cross_entropy":
        return cross_entropy
    if loss == "negative_log_likelihood":
        return negative_log_likelihood
    return sum_of_squared_errors


def cross_entropy(outputs: Array, labels: Labels) -> tuple[Array, Array]:
    """The mean of ``logsumexp(z) - z[y]``; its gradient is ``(softmax(z) - one_hot(y)) / n``."""
    n = len(outputs)
    rows = np.arange(n)
    shifted = outputs - outputs.max(axis=1, keepdims=True)  # exp never overflows
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    gradient = exponentials / sums
    gradient[rows, labels] -= 1
    return (np.log(sums[:, 0]) - shifted[rows, labels]).mean(), gradient / n


def negative_log_likelihood(outputs: Array, labels: Labels) -> tuple[Array, Array]:
    """The mean of ``-z[y]``; its gradient is ``-one_hot(y) / n``."""
    n = len(outputs)
    rows = np.arange(n)
    gradient = np.zeros_like(outputs)
    gradient[rows, labels] = -1 / n
    return -outputs[rows, labels].mean(), gradient


def sum_of_squared_errors(outputs: Array, labels: Labels) -> tuple[Array, Array]:
    """The sum of ``(z - y)**2`` over outputs (n, 1); its gradient is ``2 (z - y)``."""
    difference = outputs - labels[:, None].astype(outputs.dtype)
    return (difference**2).sum(), 2 * difference


def make_optimizer(optimizer: Optimizer, parameters: Parameters) -> "SGDUpdate | AdamUpdate":
    """The optimizer with fresh state for these parameters."""
    return SGDUpdate(optimizer, parameters) if isinstance(optimizer, SGD) else AdamUpdate(optimizer, parameters)


class SGDUpdate:
    """SGD with momentum: one velocity for each parameter."""

    def __init__(self, rule: SGD, parameters: Parameters) -> None:
        self.rule = rule
        self.velocities = zeros_like(parameters)

    def state(self) -> OptimizerState:
        """Copies of the velocities."""
        return make_state(self.rule, [copies(self.velocities)][: len(self.rule.moments)], 0)

    def load(self, state: OptimizerState) -> None:
        """Goes on from a state, in the precision of the parameters."""
        for key, velocity in self.velocities.items():
            velocity[:] = state.get(f"velocity/{key}", 0)

    def update(self, parameters: Parameters, gradients: Parameters) -> None:
        """One step, in place."""
        for key, p in parameters.items():
            v = self.velocities[key]
            v *= self.rule.momentum
            v += gradients[key]
            p -= self.rule.learning_rate * v


class AdamUpdate:
    """Adam: for each parameter the running means of its gradient and of the gradient's square, and the steps so far."""

    def __init__(self, rule: Adam, parameters: Parameters) -> None:
        self.rule = rule
        self.first, self.second = zeros_like(parameters), zeros_like(parameters)
        self.steps = 0

    def state(self) -> OptimizerState:
        """Copies of the moments, and the steps so far."""
        return make_state(self.rule, [copies(self.first), copies(self.second)], self.steps)

    def load(self, state: OptimizerState) -> None:
        """Goes on from a state, in the precision of the parameters."""
        self.steps = int(state["steps"].item())
        for key in self.first:
            self.first[key][:] = state[f"first_moment/{key}"]
            self.second[key][:] = state[f"second_moment/{key}"]

    def update(self, parameters: Parameters, gradients: Parameters) -> None:
        """One step, in place. The means begin at 0; dividing by ``1 - beta**steps`` corrects that."""
        rule = self.rule
        self.steps += 1
        for key, p in parameters.items():
            g = gradients[key]
            m = self.first[key] = rule.beta_1 * self.first[key] + (1 - rule.beta_1) * g
            v = self.second[key] = rule.beta_2 * self.second[key] + (1 - rule.beta_2) * g * g
            m_hat = m / self.correction(rule.beta_1, p.dtype.type)
            v_hat = v / self.correction(rule.beta_2, p.dtype.type)
            p -= rule.learning_rate * m_hat / (np.sqrt(v_hat) + rule.epsilon)

    def correction(self, beta: float, number: type[np.floating]) -> np.floating:
        """``1 - beta**steps``, computed in the parameters' own precision."""
        return number(1 - number(beta) ** number(self.steps))


def copies(parameters: Parameters) -> Parameters:
    """A copy of each array."""
    return {key: value.copy() for key, value in parameters.items()}


def zeros_like(parameters: Parameters) -> Parameters:
    """A zero for each number of each parameter."""
    return {key: np.zeros_like(value) for key, value in parameters.items()}
