"""Why two optimizers make other updates of the same gradients: one rule with one setting changed makes the other's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from backends.numpy.rules import AdamUpdate
from backends.numpy.training import make_optimizer
from backends.own import Array
from tasks.architecture import Parameters
from tasks.errors import FieldError
from tasks.training import (
    SGD,
    Adam,
    AdamW,
    DecoupledSGD,
    EpsilonHatAdam,
    EpsilonHatAdamW,
    EpsilonInsideRMSprop,
    RMSprop,
)

CLOSE = 1e-7
"""Relative to the update."""
TRIED: Mapping[str, tuple[Any, ...]] = {
    "momentum": (0.0, 0.9, 0.95, 0.99),
    "nesterov": (True, False),
    "epsilon": (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3),
    "place of epsilon": ("after the correction", "before the correction"),
    "beta 1": (0.9, 0.8, 0.5, 0.95),
    "beta 2": (0.999, 0.99, 0.9, 0.98),
    "decay": (0.9, 0.99, 0.95),
    "weight decay": (0.0, 1e-5, 1e-4, 5e-4, 1e-3, 1e-2, 0.05, 0.1),
    "form of weight decay": ("coupled", "decoupled"),
}
"""Settings that are tried where an optimizer does not tell its own."""
CONVENTIONS: Mapping[str, Mapping[str, str]] = {
    "SGD": {"form of weight decay": "coupled"},
    "Adam": {"form of weight decay": "coupled", "place of epsilon": "after the correction"},
    "AdamW": {"form of weight decay": "decoupled", "place of epsilon": "after the correction"},
    "RMSprop": {"form of weight decay": "coupled", "place of epsilon": "to the root"},
}
"""What PyTorch's rules do that is no setting of theirs."""
OF_KERAS: Mapping[str, str] = {"after the correction": "before the correction", "to the root": "inside the root"}


@dataclass(frozen=True)
class Trained:
    """What an optimizer was given, and what it made of it: arrays by the parameter, in each step."""

    settings: Mapping[str, Any]
    gradients: Sequence[Mapping[str, Array]]
    before: Mapping[str, Array]
    after: Sequence[Mapping[str, Array]]


@dataclass(frozen=True)
class _Recipe:
    """What the reference's rules need of a recipe."""

    optimizer: Any
    decayed: frozenset[str]
    clip_norm: None = None
    learning_rates: None = None


class _KerasAdamUpdate(AdamUpdate):
    """Keras's Adam, whose corrections are of betas in float32, also where all else is in float64."""

    def correction(self, beta: float, number: type[np.floating]) -> np.floating:
        return number(1 - number(np.float32(beta)) ** number(self.steps))


def in_words(framework: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """An optimizer's settings with what its framework does by convention; empty where they are not known."""
    conventions = dict(CONVENTIONS.get(str(settings.get("rule")), {}))
    if not conventions:
        return {}
    if framework == "keras":
        conventions["form of weight decay"] = "decoupled"
        conventions = {name: OF_KERAS.get(value, value) for name, value in conventions.items()}
    rule = str(settings["rule"]).removesuffix("W")
    return {**settings, "rule": rule, **conventions}


def why_updates(first: Trained, second: Trained) -> list[str]:
    """The one or two settings of the rules that explain the updates' difference; empty where nothing known does."""
    if first.settings and second.settings:
        names = [name for name, value in second.settings.items() if first.settings.get(name) != value]
        names = [name for name in names if not (name == "form of weight decay" and not _decays(first, second))]
        for count in (1, 2, 3):
            for chosen in combinations(names, count):
                settings = {**first.settings, **{name: second.settings[name] for name in chosen}}
                if _makes(settings, second):
                    return [
                        f"{name} is {_word(first.settings.get(name))} in the first and"
                        f" {_word(second.settings[name])} in the second"
                        for name in chosen
                    ]
        return []
    for known, other, words in ((first, second, ("first", "second")), (second, first, ("second", "first"))):
        if known.settings and _makes(known.settings, known):
            for name, value in _tries(known, other):
                if _makes({**known.settings, name: value}, other):
                    said = f"{name} is {_word(known.settings[name])} in the {words[0]}"
                    return [f"{said}, and the {words[1]}'s updates are those of {_word(value)}"]
    return []


def _decays(*sides: Trained) -> bool:
    return any(side.settings.get("weight decay") for side in sides)


def _tries(known: Trained, other: Trained) -> Iterator[tuple[str, Any]]:
    """Single settings that the other may have."""
    yield "learning rate", float(f"{known.settings['learning rate'] * _moved(other) / (_moved(known) or 1.0):.9g}")
    for name, values in TRIED.items():
        if name in known.settings:
            yield from ((name, value) for value in values if value != known.settings[name])


def _moved(side: Trained) -> float:
    """How far the first step moves all parameters together."""
    return float(np.sqrt(sum(((side.after[0][key] - side.before[key]) ** 2).sum() for key in side.gradients[0])))


def _rule(settings: Mapping[str, Any]) -> Any:
    """The reference's rule for settings; None where it has none."""
    rate, decay = settings["learning rate"], settings.get("weight decay") or 0.0
    decoupled = settings["form of weight decay"] == "decoupled" and decay
    try:
        match settings["rule"]:
            case "SGD":
                kind: Any = DecoupledSGD if decoupled else SGD
                return kind(rate, settings["momentum"], bool(settings["nesterov"]), decay)
            case "Adam":
                before = settings["place of epsilon"] == "before the correction"
                kind = (EpsilonHatAdamW if before else AdamW) if decoupled else (EpsilonHatAdam if before else Adam)
                return kind(rate, settings["beta 1"], settings["beta 2"], settings["epsilon"], decay)
            case "RMSprop":
                kind = EpsilonInsideRMSprop if settings["place of epsilon"] == "inside the root" else RMSprop
                return kind(rate, settings["decay"], settings["epsilon"], settings["momentum"], decay)
    except (FieldError, KeyError, TypeError):  # settings that no rule of ours can have
        return None
    return None


def _makes(settings: Mapping[str, Any], side: Trained) -> bool:
    """Whether the reference's rule with these settings makes a side's updates of its gradients."""
    rule = _rule(settings)
    if rule is None:
        return False
    parameters: Parameters = {key: side.before[key].astype(np.float64).copy() for key in side.gradients[0]}
    make = _KerasAdamUpdate if isinstance(rule, EpsilonHatAdam) else make_optimizer
    update = make(_Recipe(rule, frozenset(parameters)), parameters)  # type: ignore[arg-type]
    for gradients, after in zip(side.gradients, side.after, strict=True):
        before = {key: array.copy() for key, array in parameters.items()}
        update.update(parameters, {key: gradients[key] for key in parameters})
        for key, array in parameters.items():
            moved, apart = after[key] - before[key], after[key] - array
            if np.linalg.norm(apart.ravel()) > CLOSE * np.linalg.norm(moved.ravel()) + 1e-15:
                return False
    return True


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
