"""Names and points of metrics: MLflow's UI groups by what stands before the last slash."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from hpsearch.search.fact import TrialFact
from hpsearch.tracking.record import Point, finite_or_nan, safe_key

CURVE_POINTS: Final = 1000
_PARTS: Final = ("train", "validation")
_NOT_SHOWN: Final = frozenset({"plateau_factor"})  # already in the learning rate's curve
_SCORE_NAMES: Final = {"generalization_gap": "gap/loss"}
_SCORE_GROUPS: Final = ("best", "last", "gap", "spread")


def curve_key(name: str) -> str:
    """`validation_loss` -> `validation/loss`, `learning_rate` -> `training/learning_rate`."""
    part, _, metric = name.partition("_")
    return safe_key(f"{part}/{metric}" if part in _PARTS and metric else f"training/{name}")


def score_key(name: str) -> str:
    """`best_validation_loss` -> `best/validation_loss`; what belongs to no group comes under `score/`."""
    if name in _SCORE_NAMES:
        return _SCORE_NAMES[name]
    group, _, rest = name.partition("_")
    return safe_key(f"{group}/{rest}" if group in _SCORE_GROUPS and rest else f"score/{name}")


def shown_curves(fact: TrialFact) -> dict[str, Sequence[float]]:
    """The curves that MLflow gets, under its names."""
    return {curve_key(name): curve for name, curve in fact.curves.items() if name not in _NOT_SHOWN}


def kept_epochs(curve: Sequence[float], limit: int = CURVE_POINTS) -> list[int]:
    """The epochs (from 0) that are shown: all, or `limit` with the first, last, least and greatest."""
    if len(curve) <= limit:
        return list(range(len(curve)))
    finite = [epoch for epoch, value in enumerate(curve) if math.isfinite(value)]
    extremes = {f(finite, key=curve.__getitem__) for f in (min, max)} if finite else set()
    even = limit - len(extremes)
    spaced = {round(i * (len(curve) - 1) / (even - 1)) for i in range(even)}
    return sorted(spaced | extremes)


def curve_points(curves: Mapping[str, Sequence[float]], start: int, end: int) -> list[Point]:
    """Every curve's points: step = epoch, from 1; epochs share the time from `start` to `end`."""
    points = []
    for key, curve in curves.items():
        share = (end - start) / max(len(curve), 1)
        points += [
            Point(
                key=key, value=finite_or_nan(curve[e]), step=e + 1, timestamp=start + round((e + 1) * share)
            )
            for e in kept_epochs(curve)
        ]
    return points
