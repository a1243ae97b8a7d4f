"""How the learning rate changes during training.

The factor of an epoch follows from the member's own hyperparameters alone; it is computed one member at a
time, so that it does not depend on the neighbours.
"""

from collections.abc import Callable, Sequence
from math import cos, pi
from typing import Final

import numpy as np

from hpsearch.engine.arrays import Array
from hpsearch.spec.hyperparameters import Hyperparameters

Schedule = Callable[[Hyperparameters, int], float]
"""(hyperparameters, epoch from 0) -> the factor on the learning rate."""

PLATEAU_THRESHOLD: Final = 1e-4
"""The relative improvement below which an epoch counts as standing still (PyTorch's ReduceLROnPlateau)."""


def constant(_h: Hyperparameters, _epoch: int) -> float:
    """The learning rate stays as it is. A plateau's factor comes from what was observed."""
    return 1.0


def step(h: Hyperparameters, epoch: int) -> float:
    """Multiplied by `decay_rate` every `decay_epochs` epochs, at once."""
    return float(h.decay_rate ** (epoch // h.decay_epochs))


def exponential(h: Hyperparameters, epoch: int) -> float:
    """Multiplied by `decay_rate` every `decay_epochs` epochs, a little at every epoch."""
    return float(h.decay_rate ** (epoch / h.decay_epochs))


def cosine(h: Hyperparameters, epoch: int) -> float:
    """Down to `min_learning_rate` along half a cosine (Loshchilov and Hutter 2016, without restarts)."""
    floor = min(h.min_learning_rate / h.learning_rate, 1.0)
    return floor + (1 - floor) * (1 + cos(pi * min(epoch / h.epochs, 1.0))) / 2


SCHEDULES: Final[dict[str, Schedule]] = {
    "constant": constant,
    "step": step,
    "exponential": exponential,
    "cosine": cosine,
    "plateau": constant,
}


class Plateau:
    """Reduces the learning rate when the monitored value stands still; with PyTorch's rule and defaults.

    After more than `plateau_patience` epochs in a row without an improvement the factor is multiplied by
    `decay_rate` and the count starts again.
    """

    def __init__(self, hyperparameters: Hyperparameters, recorded: tuple[float, ...] | None = None) -> None:
        self._active = hyperparameters.schedule == "plateau"
        self._patience = hyperparameters.plateau_patience
        self._rate = hyperparameters.decay_rate
        self._recorded = recorded
        self._best = float("inf")
        self._waited = 0
        self._factor = 1.0

    def factor(self, epoch: int) -> float:
        """The factor of an epoch: as recorded in another run if there is a record, else as observed."""
        if not self._active:
            return 1.0
        if self._recorded:
            return self._recorded[min(epoch, len(self._recorded) - 1)]
        return self._factor

    def observe(self, monitored: float) -> None:
        """Take in an epoch's monitored value; lower is better, and NaN is no improvement."""
        if monitored < self._best - PLATEAU_THRESHOLD * abs(self._best if np.isfinite(self._best) else 0.0):
            self._best, self._waited = monitored, 0
            return
        self._waited += 1
        if self._waited > self._patience:
            self._factor, self._waited = self._factor * self._rate, 0


def learning_rates(
    members: Sequence[Hyperparameters], *, epoch: int, steps: int, plateau_factors: Sequence[float]
) -> Array:
    """The learning rate of K networks at every step of an epoch, (K, steps) float64.

    The schedule's rate is held above `min_learning_rate` (or above the learning rate itself, if that is
    smaller); during the first `warmup_epochs` it is approached linearly, step by step.
    """
    rates = np.empty((len(members), steps))
    for row, h, plateau_factor in zip(rates, members, plateau_factors, strict=True):
        rate = h.learning_rate * SCHEDULES[h.schedule](h, epoch) * plateau_factor
        row.fill(max(rate, min(h.min_learning_rate, h.learning_rate)))
        if epoch < h.warmup_epochs:
            reached = np.arange(epoch * steps + 1, (epoch + 1) * steps + 1) / (h.warmup_epochs * steps)
            np.multiply(row, reached, out=row)
    return rates
