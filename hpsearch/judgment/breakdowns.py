"""The rules of diagnosis for training that breaks down: numbers without bounds.

Losses are in units of the baseline loss (see `Reading`).
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from hpsearch.judgment.advice import CLIP, trying
from hpsearch.judgment.finding import Change, Finding
from hpsearch.judgment.reading import Array, Reading

_TIMES: Final = 6
_UNBOUNDED: Final = ("sgd", "momentum", "nesterov")
"""Rules whose steps are as long as the gradient."""
_SMALLER_WEIGHTS: Final = ("smaller initial weights", Change(parameter="initial_scale", way="lower"))


def diverged(reading: Reading) -> Finding | None:
    """The loss is no finite number any more, or rose far above a constant guess's."""
    if reading.state == "diverged" or reading.n < reading.trained:
        epoch = min(reading.n + 1, reading.trained)
        sentence = f"The loss or the weights stopped being finite numbers in epoch {epoch}."
        evidence = {"epoch": float(epoch)}
    elif reading.level > 10 or _far_and_rising(reading):
        sentence = (
            f"After {reading.n} epochs the training loss is {reading.level:.3g} times a constant guess's."
        )
        evidence = {"epoch": float(reading.n), "last_train_loss_ratio": reading.level}
    else:
        return None
    return Finding(
        name="diverged",
        severity="failure",
        sentence=sentence,
        evidence=evidence,
        **trying(reading.rate_change(0.03, 0.3), CLIP),
    )


def _far_and_rising(reading: Reading) -> bool:
    """Above three times a constant guess's loss, hardly below the start, and not at its lowest."""
    return reading.level > max(3.0, 0.9 * float(reading.train[0]), 1.02 * float(reading.train.min()))


def exploding_gradients(reading: Reading) -> Finding | None:
    """In an epoch the gradient was six times what was usual, and the training loss rose by half or left all bounds.

    Or the weights leapt, which without an adaptive optimizer they do by such gradients alone: of the gradients, every
    fourth is measured.
    """
    if (peak := _peak(reading)) is not None:
        sentence, evidence = _of_gradient(reading, peak)
    elif (leap := _leap(reading)) is not None:
        sentence, evidence = _of_weights(reading, leap)
    else:
        return None
    return Finding(
        name="exploding_gradients",
        severity="failure",
        sentence=f"{sentence}, and the training loss rose.",
        evidence={name: value for name, value in evidence.items() if np.isfinite(value)},
        **trying(CLIP, reading.rate_change(0.03, 0.3), _SMALLER_WEIGHTS),
    )


def _of_gradient(reading: Reading, peak: int) -> tuple[str, dict[str, float]]:
    gradient, before = float(reading.gradient[peak]), reading.gradient[:peak]
    usual = float(np.median(before)) if len(before) else float("nan")
    shown = f"{gradient:.3g}" if np.isfinite(gradient) else "no finite number"
    against = f", against {usual:.3g} before" if len(before) else ""
    evidence = {"epoch": float(peak + 1), "gradient_norm": gradient, "usual_gradient_norm": usual}
    return f"In epoch {peak + 1} the gradient's norm was {shown}{against}", evidence


def _of_weights(reading: Reading, leap: int) -> tuple[str, dict[str, float]]:
    before, after = map(float, reading.weights[leap - 1 : leap + 1])
    evidence = {"epoch": float(leap + 1), "weight_norm": after, "weight_norm_before": before}
    return f"In epoch {leap + 1} the norm of the weights leapt from {before:.3g} to {after:.3g}", evidence


def _leap(reading: Reading) -> int | None:
    """The first epoch that doubled the weights, with ten times their usual change, while the training loss rose."""
    if reading.recipe.get("optimizer") not in _UNBOUNDED or len(reading.weights) < reading.n:
        return None
    train, weights = reading.train, reading.weights[: reading.n]
    changes = np.abs(np.diff(weights))
    for epoch in range(2, reading.n):
        least, change, before = train[:epoch].min(), changes[epoch - 1], changes[: epoch - 1]
        rose = train[epoch] > max(1.5 * least, least + 0.1)
        if rose and change > max(10 * np.median(before), 5 * before[0], weights[epoch - 1]):
            return epoch
    return None


def _peak(reading: Reading) -> int | None:
    """The first epoch whose gradient is not finite, else that which stands out most, counted from 0."""
    gradient, train = reading.gradient, reading.train
    broken = np.flatnonzero(~np.isfinite(gradient))
    if len(broken):
        return int(broken[0])
    least = np.minimum.accumulate(train)
    rose = [
        epoch
        for epoch in range(1, len(gradient))
        if epoch >= reading.n or train[epoch] > 1.5 * least[epoch - 1]
    ]
    heights = {epoch: _height(gradient, epoch) for epoch in rose}
    highest = max(heights, key=heights.__getitem__, default=None)
    return highest if highest is not None and heights[highest] > _TIMES else None


def _height(gradient: Array, epoch: int) -> float:
    """An epoch's gradient against the usual one before it, and at least the first."""
    usual = max(float(np.median(gradient[:epoch])), float(gradient[0]))
    return float(gradient[epoch]) / usual if usual > 0 else 0.0


BREAKDOWNS: Final[tuple[Callable[[Reading], Finding | None], ...]] = (diverged, exploding_gradients)
