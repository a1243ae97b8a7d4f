"""The rules of diagnosis for training that breaks down: numbers without bounds, gradients that die away.

Losses are in units of the baseline loss (see `Reading`).
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from hpsearch.judgment.finding import Finding
from hpsearch.judgment.reading import Reading


def diverged(reading: Reading) -> Finding | None:
    """The loss is no finite number any more, or rose far above a constant guess's."""
    if reading.state == "diverged" or reading.n < reading.trained:
        epoch = min(reading.n + 1, reading.trained)
        sentence = f"The loss or the weights stopped being finite numbers in epoch {epoch}."
        evidence = {"epoch": float(epoch)}
    elif reading.train[-1] > 3 and reading.train[-1] > 0.9 * reading.train[0]:
        sentence = (
            f"After {reading.n} epochs the training loss is {reading.train[-1]:.3g} times a constant guess's."
        )
        evidence = {"epoch": float(reading.n), "last_train_loss_ratio": float(reading.train[-1])}
    else:
        return None
    return Finding(
        name="diverged",
        severity="failure",
        sentence=sentence,
        advice=f"Try {reading.scaled_rate(0.03, 0.3)}, or clip_norm: 1.",
        evidence=evidence,
    )


def exploding_gradients(reading: Reading) -> Finding | None:
    """The gradient's norm grew tenfold or more while the training loss rose by half, or left all bounds."""
    gradient = reading.gradient
    if not len(gradient):
        return None
    broken = np.flatnonzero(~np.isfinite(gradient))
    peak = int(broken[0]) if len(broken) else int(gradient.argmax())
    before = gradient[:peak]
    usual = float(np.median(before)) if len(before) else float("nan")
    if not len(broken):
        rose = peak >= reading.n or (peak > 0 and reading.train[peak] > 1.5 * reading.train[:peak].min())
        if not (rose and len(before) and gradient[peak] > 10 * max(usual, gradient[0])):
            return None
    shown = "no finite number" if len(broken) else f"{gradient[peak]:.3g}"
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
        advice=f"Try clip_norm: 1, {reading.scaled_rate(0.03, 0.3)}, or smaller initial weights.",
        evidence={name: value for name, value in evidence.items() if np.isfinite(value)},
    )


def vanishing_gradients(reading: Reading) -> Finding | None:
    """The gradient is next to nothing although most of the loss is still there."""
    half = reading.gradient[: reading.n][reading.n // 2 :]
    left = float(np.median(reading.train[reading.n // 2 :]))
    if reading.n < 3 or not len(half) or left < 0.5:
        return None
    typical = float(np.median(half))
    if not typical < 1e-3 * np.sqrt(left):
        return None
    return Finding(
        name="vanishing_gradients",
        severity="failure",
        sentence=f"The gradient's norm is about {typical:.2g}, although the training loss is still "
        f"{left:.0%} of a constant guess's: the network hears nothing of its errors.",
        advice="Try activation: relu (or silu), initializer: he, or fewer layers.",
        evidence={"gradient_norm": typical, "train_loss_ratio": left},
    )


BREAKDOWNS: Final[tuple[Callable[[Reading], Finding | None], ...]] = (diverged, exploding_gradients)
