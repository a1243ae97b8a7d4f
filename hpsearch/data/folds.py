"""k folds: every row is in one of them, and their sizes differ by a row at most; or in the order of time."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def random_folds(rows: int, folds: int, random: np.random.Generator) -> Rows:
    """The fold of each row, at random: (N,) numbers 0 to folds - 1."""
    number = np.empty(rows, dtype=np.int64)
    number[random.permutation(rows)] = np.arange(rows) % folds
    return number


def stratified_folds(classes: Rows, folds: int, random: np.random.Generator) -> Rows:
    """The fold of each row, such that each class's rows in two folds differ by one at most.

    The rows of one class after the other are dealt out like cards: who is next goes on from class to class, so that
    the folds' sizes differ by one at most as well. `classes`: (N,) class ids.
    """
    shuffled = random.permutation(len(classes))
    dealt = shuffled[np.argsort(classes[shuffled], kind="stable")]
    number = np.empty(len(classes), dtype=np.int64)
    number[dealt] = np.arange(len(classes)) % folds
    return number


def expanding_folds(times: NDArray[np.float64], folds: int, gap: int) -> list[tuple[Rows, Rows]]:
    """What trains and what validates in each fold: positions, in the order of (N,) times.

    As scikit-learn's TimeSeriesSplit: each fold validates on the next N // (folds + 1) rows, the last one on the
    latest, and trains on all before them but `gap` rows. Rows of one moment stay together, in the later part.
    """
    order = np.argsort(times, kind="stable")
    ordered, size = times[order], len(times) // (folds + 1)
    starts = [len(times) - left * size for left in range(folds, 0, -1)]
    cuts = [*np.searchsorted(ordered, ordered[starts]).tolist(), len(times)]
    return [(order[: max(begin - gap, 0)], order[begin:end]) for begin, end in pairwise(cuts)]
