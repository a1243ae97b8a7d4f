"""k folds: every row is in one of them, and their sizes differ by a row at most."""

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
