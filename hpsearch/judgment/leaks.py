"""Inputs that give the target away: one alone predicts it nearly without fault."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import Task
from hpsearch.judgment.metrics import Targets

BINS: Final = 32
GIVEN_AWAY: Final = 0.98
"""The share of what a constant guess gets wrong that one input sets right, from which on it gives the target away."""

MOST_INPUTS: Final = 1000
FEWEST_ROWS: Final = 60


def lone_predictors(x: NDArray[Any], y: Targets, *, task: Task) -> dict[int, float]:
    """The inputs, by their place, that predict the target alone, and how much of a constant guess's error they take.

    Each of (N, D) inputs is cut into 32 bins of equal size on every other row; a bin says its most frequent class, or
    its mean; that is judged on the rows between. Several targets must all be given away. Nothing of inputs that are no
    table.
    """
    if x.ndim != 2 or x.shape[1] > MOST_INPUTS or len(x) < FEWEST_ROWS:
        return {}
    found = {}
    for place in range(x.shape[1]):
        column = x[:, place].astype(np.float64)
        edges = np.unique(np.quantile(column[::2], np.linspace(0, 1, BINS + 1)[1:-1]))
        bins = np.searchsorted(edges, column)
        gained = _gained(bins, y, len(edges) + 1, classes=len(task.classes) if task.is_classification else 0)
        if gained >= GIVEN_AWAY:
            found[place] = gained
    return found


def _gained(bins: NDArray[np.intp], y: Targets, count: int, *, classes: int) -> float:
    """How much of a constant guess's error the bins take away, on the odd rows."""
    known, judged = slice(0, None, 2), slice(1, None, 2)
    if classes:
        table = np.zeros((count, classes))
        np.add.at(table, (bins[known], y[known].astype(np.intp)), 1)
        usual = int(table.sum(axis=0).argmax())
        said = np.where(table.sum(axis=1) > 0, table.argmax(axis=1), usual)[bins[judged]]
        wrong, guessed = float((said != y[judged]).mean()), float((y[judged] != usual).mean())
        return 1 - wrong / guessed if guessed > 0 else 0.0
    targets = y.astype(np.float64).reshape(len(y), -1)
    sums = np.zeros((count, targets.shape[1]))
    np.add.at(sums, bins[known], targets[known])
    rows = np.bincount(bins[known], minlength=count)[:, None]
    means = np.where(rows > 0, sums / np.maximum(rows, 1), targets[known].mean(axis=0))
    errors = np.square(targets[judged] - means[bins[judged]]).mean(axis=0)
    variances = targets[judged].var(axis=0)
    return float((1 - errors / np.where(variances > 0, variances, np.inf)).min())
