"""Schedules of the learning rate: by step or by epoch, and from which step on.

Nine steps in three epochs: the rate is halved after each epoch, falls a little at each step, or follows half a cosine.
Each framework's own schedule gives the same nine rates if it counts as the others do. Momentum then makes a difference:
Keras keeps the rate inside the velocity.
"""

from typing import Any

RATE, STEPS_AN_EPOCH, EPOCHS = 0.1, 3, 3
STEPS = STEPS_AN_EPOCH * EPOCHS
GAMMA = 0.5  # what an epoch multiplies the rate by
MOMENTUM = 0.9

NOTE = (
    "A torch scheduler changes its optimizer's rate when its step() is called, after optimizer.step(), and so counts "
    "whatever you call it for, in most examples epochs; called before the first optimizer.step(), it skips the first "
    "rate, and warns. The schedules of Keras and optax are functions of the step, which the optimizer counts from 0, "
    "so decay_steps and transition_steps are in steps: StepLR(1) at the end of each epoch is "
    "ExponentialDecay(decay_steps=steps an epoch, staircase=True). The first step takes the full rate in all; what "
    "shows after it is the rate just used in torch and optax (inject_hyperparams), the next one in Keras. Past its end "
    "a cosine stays at its last value in Keras and optax, and rises again in torch (CosineAnnealingLR is a wave, not "
    "half of one). torch and optax compute v = m * v + g and w -= rate * v, Keras v = m * v - rate * g and w += v: the "
    "same while the rate is constant, but when it falls Keras's velocity still carries the old, higher rates."
)
DIFFERS = {
    "shown_after_a_step": "the rate that the optimizer shows after its third step: the one just used, or the next",
    "first_rate_if_stepped_too_early": "the rate of the first step where the scheduler is stepped before the optimizer",
    "cosine_past_its_end": "the rates of the four steps after the last",
    "momentum_falling_rate": "weights with momentum, gradient 1 and the rate halved after each epoch",
}


def with_numpy() -> dict:
    """Formulas of the step, which counts from 0."""
    import numpy as np

    step = np.arange(STEPS)
    halved = RATE * GAMMA ** (step // STEPS_AN_EPOCH)

    def weights(rates: np.ndarray) -> np.ndarray:
        w, v, path = 0.0, 0.0, []
        for rate in rates:
            v = MOMENTUM * v + 1
            w -= rate * v
            path.append(w)
        return np.array(path)

    return {
        "halved_each_epoch": halved,
        "exponential": RATE * GAMMA ** (step / STEPS_AN_EPOCH),
        "cosine": RATE * (1 + np.cos(np.pi * step / STEPS)) / 2,
        "epochs_taken_for_steps": RATE * GAMMA**step,
        "plain_weights": -np.cumsum(halved),
        "momentum_constant_rate": weights(np.full(STEPS, RATE)),
        "momentum_falling_rate": weights(halved),
    }


def with_pytorch() -> dict:
    """A scheduler changes the optimizer's rate when it is stepped."""
    import warnings
    from collections.abc import Callable

    import torch
    from torch.optim import lr_scheduler

    def run(make: Callable, by_epoch: bool = False, steps: int = STEPS, momentum: float = 0.0) -> Any:
        w = torch.zeros(1, requires_grad=True)
        optimizer = torch.optim.SGD([w], RATE, momentum)
        scheduler = make(optimizer)
        rates, shown, path = [], [], []
        for step in range(1, steps + 1):
            rates.append(scheduler.get_last_lr()[0])
            optimizer.zero_grad()
            w.sum().backward()
            optimizer.step()
            shown.append(optimizer.param_groups[0]["lr"])
            if not by_epoch or step % STEPS_AN_EPOCH == 0:
                scheduler.step()
            path.append(w.item())
        return rates, shown, path

    def halving(optimizer: torch.optim.Optimizer) -> Any:
        return lr_scheduler.StepLR(optimizer, step_size=1, gamma=GAMMA)

    def exponential(optimizer: torch.optim.Optimizer) -> Any:
        return lr_scheduler.ExponentialLR(optimizer, GAMMA ** (1 / STEPS_AN_EPOCH))

    def cosine(optimizer: torch.optim.Optimizer) -> Any:
        return lr_scheduler.CosineAnnealingLR(optimizer, T_max=STEPS)

    def constant(optimizer: torch.optim.Optimizer) -> Any:
        return lr_scheduler.ConstantLR(optimizer, factor=1)

    halved, shown, plain = run(halving, by_epoch=True)
    early = halving(torch.optim.SGD([torch.zeros(1)], RATE))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "the first value of the learning rate schedule" is skipped
        early.step()
    return {
        "halved_each_epoch": halved,
        "exponential": run(exponential)[0],
        "cosine": run(cosine)[0],
        "epochs_taken_for_steps": run(halving)[0],
        "plain_weights": plain,
        "momentum_constant_rate": run(constant, momentum=MOMENTUM)[2],
        "momentum_falling_rate": run(halving, by_epoch=True, momentum=MOMENTUM)[2],
        "shown_after_a_step": shown[2],
        "first_rate_if_stepped_too_early": early.get_last_lr()[0],
        "cosine_past_its_end": run(cosine, steps=STEPS + 4)[0][STEPS:],
    }


def with_keras() -> dict:
    """A schedule is given to the optimizer as its rate."""
    import keras
    import tensorflow as tf
    from keras.optimizers.schedules import CosineDecay, ExponentialDecay

    def run(rate: Any, momentum: float = 0.0) -> tuple[list[float], list[float]]:
        w = tf.Variable([0.0])
        optimizer = keras.optimizers.SGD(rate, momentum)
        shown, path = [], []
        for _ in range(STEPS):
            optimizer.apply([tf.ones(1)], [w])
            shown.append(float(optimizer.learning_rate))
            path.append(float(w[0]))
        return shown, path

    def rates(schedule: Any, first: int = 0, end: int = STEPS) -> list[float]:
        return [float(schedule(step)) for step in range(first, end)]

    halving = ExponentialDecay(RATE, STEPS_AN_EPOCH, GAMMA, staircase=True)
    cosine = CosineDecay(RATE, decay_steps=STEPS)
    shown, plain = run(halving)
    return {
        "halved_each_epoch": rates(halving),
        "exponential": rates(ExponentialDecay(RATE, STEPS_AN_EPOCH, GAMMA)),
        "cosine": rates(cosine),
        "epochs_taken_for_steps": rates(ExponentialDecay(RATE, 1, GAMMA, staircase=True)),
        "plain_weights": plain,
        "momentum_constant_rate": run(RATE, MOMENTUM)[1],
        "momentum_falling_rate": run(halving, MOMENTUM)[1],
        "shown_after_a_step": shown[2],
        "cosine_past_its_end": rates(cosine, STEPS, STEPS + 4),
    }


def with_jax() -> dict:
    """A schedule is a function of the step."""
    import jax.numpy as jnp
    import optax

    def run(rate: Any, momentum: float | None = None) -> tuple[list[float], list[float]]:
        w = jnp.zeros(1)
        optimizer = optax.inject_hyperparams(optax.sgd)(rate, momentum)
        state = optimizer.init(w)
        shown, path = [], []
        for _ in range(STEPS):
            updates, state = optimizer.update(jnp.ones(1), state)
            w = optax.apply_updates(w, updates)
            shown.append(float(state.hyperparams["learning_rate"]))
            path.append(float(w[0]))
        return shown, path

    def rates(schedule: Any, first: int = 0, end: int = STEPS) -> list[float]:
        return [float(schedule(step)) for step in range(first, end)]

    halving = optax.exponential_decay(RATE, STEPS_AN_EPOCH, GAMMA, staircase=True)
    cosine = optax.cosine_decay_schedule(RATE, STEPS)
    shown, plain = run(halving)
    return {
        "halved_each_epoch": rates(halving),
        "exponential": rates(optax.exponential_decay(RATE, STEPS_AN_EPOCH, GAMMA)),
        "cosine": rates(cosine),
        "epochs_taken_for_steps": rates(optax.exponential_decay(RATE, 1, GAMMA, staircase=True)),
        "plain_weights": plain,
        "momentum_constant_rate": run(RATE, MOMENTUM)[1],
        "momentum_falling_rate": run(halving, MOMENTUM)[1],
        "shown_after_a_step": shown[2],
        "cosine_past_its_end": rates(cosine, STEPS, STEPS + 4),
    }


def pictures(outputs: dict) -> dict[str, Any]:
    """The rate at each step, by schedule."""
    import altair as alt

    names = {"halved_each_epoch": "halved each epoch", "exponential": "exponential", "cosine": "cosine"}
    rows = [
        {"step": step, "rate": rate, "schedule": name}
        for output, name in names.items()
        for step, rate in enumerate(outputs[output])
    ]
    points = alt.Chart(alt.Data(values=rows)).mark_line(point=True, interpolate="step-after")
    chart = points.encode(
        x=alt.X("step:Q", title="step", axis=alt.Axis(values=list(range(STEPS)), format="d")),
        y=alt.Y("rate:Q", title="learning rate"),
        color=alt.Color("schedule:N", title=None),
    )
    return {"The learning rate at each of the nine steps, by schedule.": chart}
