"""Whether the best trials really differ, and how far the best one's score flatters it.

Both rest on each trial's losses on the same validation rows: differences between trials are compared row by row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEVEL: Final = 0.05
COMPARED: Final = 50
RESAMPLES: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaders:
    """The trials at the top that cannot be told apart: of `compared` trials, those at the first `same` places.

    `p_values` are of the trials from the second place on, corrected for their number: how likely it is that a trial no
    worse than the best would show this difference.
    """

    same: int
    compared: int
    p_values: tuple[float, ...]


def leaders(losses: Sequence[Sequence[float]]) -> Leaders:
    """Paired one-sided tests of the best trial against those behind it: (trials, rows) losses, best trial first.

    The mean difference over rows against its standard error (normal approximation), p-values corrected by Holm (1979).
    The leading group ends before the first trial that is significantly worse.
    """
    table = _finite(losses[:COMPARED])
    differences = table[1:] - table[0]
    means = differences.mean(axis=1)
    errors = differences.std(axis=1, ddof=1) / sqrt(table.shape[1]) if len(differences) else np.empty(0)
    p_values = [_upper_tail(mean, error) for mean, error in zip(means, errors, strict=True)]
    corrected = _holm(p_values)
    worse = [number for number, p in enumerate(corrected, 1) if p < LEVEL]
    return Leaders(same=worse[0] if worse else len(table), compared=len(table), p_values=tuple(corrected))


def _finite(losses: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """(trials, rows), where what half precision, in which they are kept, has no number for is its largest.

    A trial that ran away may have finished. It is worse than others, by much, and not by infinity less infinity.
    """
    return np.minimum(np.asarray(losses, dtype=np.float64), np.finfo(np.float16).max)


def _upper_tail(mean: float, error: float) -> float:
    if error == 0:
        return 0.0 if mean > 0 else 1.0
    return 0.5 * erfc(mean / error / sqrt(2))


def _holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value times the number of hypotheses not yet rejected, in rising order, never falling."""
    corrected, largest = [0.0] * len(p_values), 0.0
    for place, number in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[number] * (len(p_values) - place)))
        corrected[number] = largest
    return corrected


def optimism(losses: Sequence[Sequence[float]], stream: np.random.Generator) -> float:
    """By how much choosing the best of these trials by these rows flatters its mean loss: (trials, rows).

    Bootstrap bias correction (Tsamardinos, Greasidou and Borboudakis 2018): the best trial on rows drawn with
    repetition is scored on the rows not drawn; the mean of that less its score on those drawn.
    """
    table = _finite(losses)
    rows = table.shape[1]
    gaps = []
    for _ in range(RESAMPLES):
        counts = np.bincount(stream.integers(rows, size=rows), minlength=rows).astype(np.float64)
        left = counts == 0
        if not left.any():
            continue
        inside = table @ counts / rows
        best = int(inside.argmin())
        gaps.append(table[best, left].mean() - inside[best])
    return float(np.mean(gaps)) if gaps else 0.0


def paired_members(best: Sequence[float], other: Sequence[float]) -> float:
    """The one-sided p-value that a trial is worse, by its folds and seeds: a sign-flip test of paired losses.

    Every assignment of signs to the differences is as likely where the trials are alike; at most 4,096 are drawn.
    """
    differences = np.asarray(other, dtype=np.float64) - np.asarray(best, dtype=np.float64)
    n = len(differences)
    if n <= 12:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    else:
        signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(4096, n))
    means = signs @ differences
    return float((means >= differences.sum() - 1e-12).mean())
