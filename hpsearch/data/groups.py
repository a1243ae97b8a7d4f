"""Groups of rows that stay together: shared out to parts whose sizes come near what is asked."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def assign_groups(groups: Rows, classes: Rows, shares: Sequence[float], random: np.random.Generator) -> Rows:
    """The part of each row, (N,) numbers into `shares`; all rows of a group are in one part, and no part is empty.

    The groups, the largest first and equals in random order, go where they most lower the distance between what the
    parts have of each class and what they should have: the sum of (has - should)^2 / should. A part of share 0 gets
    nothing. `groups` and `classes`: (N,) numbers; there are at least as many groups as parts.
    """
    _, group = np.unique(groups, return_inverse=True)
    counts = np.zeros((int(group.max()) + 1, int(classes.max()) + 1))
    np.add.at(counts, (group, classes), 1)
    parts = np.flatnonzero(np.array(shares) > 0)
    should = np.outer(np.array(shares)[parts], counts.sum(axis=0))
    scale = np.where(should > 0, should, 1)
    order = random.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    has = np.zeros_like(should)
    chosen = np.empty(len(counts), dtype=np.int64)
    for place, number in enumerate(order):
        gain = (((has + counts[number] - should) ** 2 - (has - should) ** 2) / scale).sum(axis=1)
        empty = has.sum(axis=1) == 0
        if empty.sum() >= len(order) - place:
            gain[~empty] = np.inf
        part = int(np.argmin(gain))
        has[part] += counts[number]
        chosen[number] = parts[part]
    result: Rows = chosen[group]
    return result
