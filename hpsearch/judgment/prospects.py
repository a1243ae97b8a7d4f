"""What more trials may gain, from those that there are: not from the order in which the lucky ones happened to come."""

from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ORDERS: Final = 400
_TREND: Final = -2.33  # of the standard normal distribution, 1% lie below


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """By how much as many trials again are expected to better the best one, and at most, nine times in ten."""

    expected: float
    at_most: float


def prospects(losses: Array) -> Prospects:
    """The prospects of a search whose finished trials have these losses, in their order; at least four, less is better.

    Over random orders of the trials, the best of all is held against the best of a half and of a quarter (the expected
    validation performance of Dodge et al. 2019). What the last doubling gained on average, times how much less that is
    than the doubling before, is what the next may be expected to gain: right on average for a search at random. The
    bound is what the last two doublings gained together in nine orders of ten, which holds for nine searches of ten.

    Where later trials are better than earlier ones beyond chance, the search learns as it goes, and what it gained in
    its own order counts as well.
    """
    n = len(losses)
    stream = np.random.default_rng(0)
    drawn = losses[stream.random((ORDERS, n)).argsort(axis=1)]
    last, both = _gains(drawn)
    expected = _continued(float(last.mean()), float((both - last).mean()), most=1.0)
    at_most = float(np.quantile(both, 0.9))
    if _learns(losses):
        own, own_both = (float(gain[0]) for gain in _gains(losses[None]))
        expected = max(expected, _continued(own, own_both - own, most=0.75))
        at_most = max(at_most, own_both)
    return Prospects(expected=expected, at_most=at_most)


def _gains(drawn: Array) -> tuple[Array, Array]:
    """What the second half, and what all but the first quarter, of (orders, n) losses gained."""
    n, best = drawn.shape[1], drawn.min(axis=1)
    return drawn[:, : n // 2].min(axis=1) - best, drawn[:, : n // 4].min(axis=1) - best


def _continued(last: float, before: float, *, most: float) -> float:
    """The next doubling's gain, by a geometric series."""
    return last * (min(max(last / before, 0.25), most) if before > 0 else 0.5)


def _learns(losses: Array) -> bool:
    """Whether losses fall from trial to trial: Spearman's rank correlation with their order, at the level of 1%."""
    n = len(losses)
    ranks = np.argsort(np.argsort(losses, kind="stable"), kind="stable")
    correlation = float(np.corrcoef(ranks, np.arange(n))[0, 1])
    return correlation * sqrt(n - 1) < _TREND
