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
    """In an epoch the gradient was six times what was usual, and the training loss rose by half or left all bounds."""
    peak = _peak(reading)
    if peak is None:
        return None
    gradient, before = reading.gradient, reading.gradient[:peak]
    usual = float(np.median(before)) if len(before) else float("nan")
    shown = f"{gradient[peak]:.3g}" if np.isfinite(gradient[peak]) else "no finite number"
    against = f", against {usual:.3g} before" if len(before) else ""
    evidence = {
        "epoch": float(peak + 1),
        "gradient_norm": float(gradient[peak]),
        "usual_gradient_norm": usual,
    }
    return Finding(
        name="exploding_gradients",
        severity="failure",
        sentence=f"In epoch {peak + 1} the gradient's norm was {shown}{against}, and the training loss rose.",
        evidence={name: value for name, value in evidence.items() if np.isfinite(value)},
        **trying(CLIP, reading.rate_change(0.03, 0.3), _SMALLER_WEIGHTS),
    )


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
