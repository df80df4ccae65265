"""The optimizers' rules of tasks/training.py in NumPy, and those of single frameworks' conventions."""

import numpy as np

from backends.numpy.arrays import Array
from tasks.architecture import Parameters
from tasks.task import Recipe
from tasks.training import SGD, Adadelta, Adam, EpsilonHatAdam, OptimizerState, RMSprop


class Update:
    """What all rules have in common: a step from the gradients to the parameters, in the order of tasks/training.py.

    Attributes:
        moments: what the rule carries from step to step, by its names; of each a number for each of the parameters'.
        steps: the steps so far.
    """

    def __init__(self, recipe: Recipe, parameters: Parameters) -> None:
        self.recipe, self.rule = recipe, recipe.optimizer
        self.moments = {
            name: {key: np.zeros_like(value) for key, value in parameters.items()} for name in self.rule.moments
        }
        self.steps = 0

    def state(self) -> OptimizerState:
        """Copies of the moments, and the steps so far."""
        copies = [{key: value.copy() for key, value in moment.items()} for moment in self.moments.values()]
        return self.recipe.make_state(copies, self.steps)

    def load(self, state: OptimizerState) -> None:
        """Goes on from a state, in the precision of the parameters."""
        self.steps = int(state["steps"].item()) if "steps" in state else 0
        for name, moment in self.moments.items():
            for key, value in moment.items():
                value[:] = state[f"{name}/{key}"]

    def update(self, parameters: Parameters, gradients: Parameters) -> None:
        """One step, in place."""
        rate = self.rate = self.learning_rate()
        self.steps += 1
        if self.recipe.clip_norm is not None:
            gradients = clipped(gradients, self.recipe.clip_norm)
        for key, p in parameters.items():
            g = gradients[key]
            decay = self.decay(key)
            if decay and not self.rule.decoupled:
                g = g + decay * p
            step = rate * self.direction(key, g)
            self.move(p, step, rate * decay if self.rule.decoupled else 0.0)

    def move(self, p: Array, step: Array, share: float) -> None:
        """Takes the step, and a share of the parameter itself, from a parameter."""
        p -= step + share * p if share else step

    def learning_rate(self) -> float:
        """The learning rate of the step that comes next."""
        rates = self.recipe.learning_rates
        return self.rule.learning_rate if rates is None else float(rates[min(self.steps, len(rates) - 1)])

    def decay(self, key: str) -> float:
        """The weight decay of a parameter."""
        return self.rule.weight_decay if key in self.recipe.decayed else 0.0

    def direction(self, key: str, g: Array) -> Array:
        """By what, times the learning rate, the rule lowers a parameter whose gradient is g; updates the moments."""
        raise NotImplementedError


class SGDUpdate(Update):
    """SGD with momentum: one velocity for each parameter."""

    rule: SGD

    def direction(self, key: str, g: Array) -> Array:
        if not self.rule.momentum:
            return g
        v = self.moments["velocity"][key]
        v *= self.rule.momentum
        v += g
        return g + self.rule.momentum * v if self.rule.nesterov else v


class RateInsideSGDUpdate(SGDUpdate):
    """SGD whose velocity has the learning rate inside."""

    def direction(self, key: str, g: Array) -> Array:
        rate = self.rate
        return super().direction(key, g * rate) / rate if self.rule.momentum and rate else super().direction(key, g)


class AdamUpdate(Update):
    """Adam: for each parameter the running means of its gradient and of the gradient's square."""

    rule: Adam

    def direction(self, key: str, g: Array) -> Array:
        """The means begin at 0; dividing by ``1 - beta**steps`` corrects that."""
        rule, number = self.rule, g.dtype.type
        m, v = self.moments["first_moment"][key], self.moments["second_moment"][key]
        m[:] = rule.beta_1 * m + (1 - rule.beta_1) * g
        v[:] = rule.beta_2 * v + (1 - rule.beta_2) * g * g
        m_hat = m / self.correction(rule.beta_1, number)
        v_hat = v / self.correction(rule.beta_2, number)
        return m_hat / (np.sqrt(v_hat) + self.epsilon(number))

    def epsilon(self, number: type[np.floating]) -> float:
        """What is added to the root of the corrected mean."""
        if not isinstance(self.rule, EpsilonHatAdam):
            return self.rule.epsilon
        return float(self.rule.epsilon / np.sqrt(self.correction(self.rule.beta_2, number)))

    def correction(self, beta: float, number: type[np.floating]) -> np.floating:
        """``1 - beta**steps``, computed in the parameters' own precision."""
        return number(1 - number(beta) ** number(self.steps))


class RMSpropUpdate(Update):
    """RMSprop: for each parameter the running mean of its gradient's square and, with momentum, a velocity."""

    rule: RMSprop

    def direction(self, key: str, g: Array) -> Array:
        rule = self.rule
        s = self.moments["square_average"][key]
        s[:] = rule.decay * s + (1 - rule.decay) * g * g
        scaled = g / self.root(s)
        if not rule.momentum:
            return scaled
        v = self.moments["velocity"][key]
        v *= rule.momentum
        v += scaled
        return v

    def root(self, s: Array) -> Array:
        """By what a gradient is divided."""
        return np.asarray(np.sqrt(s) + self.rule.epsilon)


class EpsilonInsideRMSpropUpdate(RMSpropUpdate):
    """RMSprop with epsilon inside of the root, and the learning rate inside of the momentum."""

    def direction(self, key: str, g: Array) -> Array:
        if not (self.rule.momentum and self.rate):
            return super().direction(key, g)
        s, v = self.moments["square_average"][key], self.moments["velocity"][key]
        s[:] = self.rule.decay * s + (1 - self.rule.decay) * g * g
        v *= self.rule.momentum
        v += self.rate * g / self.root(s)
        return v / self.rate

    def root(self, s: Array) -> Array:
        return np.asarray(np.sqrt(s + self.rule.epsilon))


class AdadeltaUpdate(Update):
    """Adadelta: for each parameter the running means of the squares of its gradient and of its updates."""

    rule: Adadelta

    def direction(self, key: str, g: Array) -> Array:
        rule = self.rule
        s, u = self.moments["square_average"][key], self.moments["update_average"][key]
        s[:] = rule.decay * s + (1 - rule.decay) * g * g
        d = g * np.sqrt(u + rule.epsilon) / np.sqrt(s + rule.epsilon)
        u[:] = rule.decay * u + (1 - rule.decay) * d * d
        return np.asarray(d)


def clipped(gradients: Parameters, norm: float) -> Parameters:
    """The gradients, scaled together so that their common norm is at most this one."""
    total = np.sqrt(sum((gradient * gradient).sum() for gradient in gradients.values()))
    return gradients if total <= norm else {key: gradient * (norm / total) for key, gradient in gradients.items()}
