"""One training, one validation and one test part, drawn at random."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def part_size(fraction: float, rows: int) -> int:
    """How many rows a fraction of the whole is, halves rounded up."""
    return int(np.floor(fraction * rows + 0.5))


class Parts(NamedTuple):
    """Row numbers of the three parts, each ascending; together they are all rows, each once."""

    train: Rows
    validation: Rows
    test: Rows


def random_split(rows: int, *, validation: float, test: float, random: np.random.Generator) -> Parts:
    """A split at random, by fractions of the whole."""
    order = random.permutation(rows)
    first, second = part_size(test, rows), part_size(test, rows) + part_size(validation, rows)
    return _parts(test=order[:first], validation=order[first:second], train=order[second:])


def stratified_split(classes: Rows, *, validation: float, test: float, random: np.random.Generator) -> Parts:
    """A split that keeps the classes' shares. `classes`: (N,) class ids 0 to C-1.

    Test and validation part hold each class within one row of its proportional share (largest remainders,
    classes that would otherwise be left out first), and training keeps at least one row of every class: the
    parts are smaller than asked where classes are too small for that.
    """
    counts = np.bincount(classes)
    wanted = counts * validation, counts * test
    in_test = _apportion(
        wanted[1], part_size(test, len(classes)), counts - 1 - np.floor(wanted[0]).astype(np.int64)
    )
    in_validation = _apportion(wanted[0], part_size(validation, len(classes)), counts - 1 - in_test)
    pieces: tuple[list[Rows], ...] = ([], [], [])
    for label in range(len(counts)):
        members = random.permutation(np.flatnonzero(classes == label))
        cuts = np.cumsum([in_test[label], in_validation[label]])
        for piece, chosen in zip(pieces, np.split(members, cuts), strict=True):
            piece.append(chosen)
    chosen_test, chosen_validation, chosen_train = (np.concatenate(piece) for piece in pieces)
    return _parts(test=chosen_test, validation=chosen_validation, train=chosen_train)


def _apportion(quotas: NDArray[np.floating], seats: int, room: Rows) -> Rows:
    """Whole numbers near `quotas` that sum to `seats`, none above `room` nor negative."""
    given = np.clip(np.floor(quotas).astype(np.int64), 0, np.maximum(room, 0))
    fractions = quotas - np.floor(quotas)
    order = np.lexsort((np.arange(len(quotas)), -fractions, given > 0))
    takers = [label for label in order if given[label] < room[label] and fractions[label] > 0]
    given[takers[: max(0, seats - int(given.sum()))]] += 1
    return np.asarray(given, dtype=np.int64)


def _parts(*, test: Rows, validation: Rows, train: Rows) -> Parts:
    return Parts(test=np.sort(test), validation=np.sort(validation), train=np.sort(train))
