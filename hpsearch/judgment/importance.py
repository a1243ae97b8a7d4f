"""How much each parameter alone decides the order of trials, and how certain that is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.spec import ParameterValue

Array = NDArray[np.float64]

BINS: Final = 4
HALVES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """The share of the variance of trials' ranks that a parameter explains by itself, and its 95% interval."""

    share: float
    low: float
    high: float


def importances(
    losses: Array, params: Sequence[Mapping[str, ParameterValue]], names: Iterable[str]
) -> dict[str, Importance]:
    """The importance of each of these parameters in the trials with these losses (less is better), the greatest first.

    Ranks of the losses are grouped by the parameter's values (numbers in four groups of equal size; trials in which a
    conditional parameter is absent are a group); epsilon squared (Kelley 1935) is the share of variance between groups,
    corrected for chance: 0 on average for a parameter without effect. The standard error is that over random halves of
    the trials, which for half of a sample is the whole sample's. Effects that a parameter has only together with others
    are not seen.
    """
    ranks = np.argsort(np.argsort(losses, kind="stable"), kind="stable").astype(np.float64)
    stream = np.random.default_rng(0)
    halves = [stream.permutation(len(ranks))[: len(ranks) // 2] for _ in range(HALVES)]
    found = {}
    for name in names:
        groups = _groups([each.get(name) for each in params])
        share = _epsilon_squared(ranks, groups)
        error = float(np.std([_epsilon_squared(ranks[half], groups[half]) for half in halves]))
        found[name] = Importance(share=share, low=max(share - 1.96 * error, 0.0), high=share + 1.96 * error)
    return dict(sorted(found.items(), key=lambda item: -item[1].share))


def _groups(values: Sequence[ParameterValue]) -> NDArray[np.intp]:
    """(n,) the group of each value."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(set(numbers)) <= BINS + 2:
        distinct = {value: place for place, value in enumerate(dict.fromkeys(map(repr, values)))}
        return np.array([distinct[repr(value)] for value in values], dtype=np.intp)
    cuts = np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1])
    return np.array(
        [int(np.searchsorted(cuts, v)) if isinstance(v, int | float) else BINS for v in values], dtype=np.intp
    )


def _epsilon_squared(ranks: Array, groups: NDArray[np.intp]) -> float:
    counts = np.bincount(groups)
    there = counts > 0
    k, n = int(there.sum()), len(ranks)
    if k < 2 or n <= k:
        return 0.0
    total = float(((ranks - ranks.mean()) ** 2).sum())
    means = np.bincount(groups, weights=ranks)[there] / counts[there]
    between = float((counts[there] * (means - ranks.mean()) ** 2).sum())
    within = (total - between) / (n - k)
    return (between - (k - 1) * within) / total
