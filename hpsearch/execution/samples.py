"""The sampled curves of trials: what was seen inside their networks in the epochs that `is_sampled` names."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.engine.arrays import quiet, total

Array = NDArray[np.float64]
SampledCurves = Mapping[str, tuple[float, ...]]

STATISTICS: Final = ("gradient_norm", "update_ratio", "distance", "idle")
LARGEST_SHARE: Final = "largest_share"
"""The share of the class that is predicted most often."""


class Samples:
    """The sampled curves of n trials so far; those of a trial of several networks are their means."""

    def __init__(self, layers: Sequence[str], n: int) -> None:
        self._names = [f"{statistic}/{layer}" for statistic in STATISTICS for layer in layers]
        self._layers = len(layers)
        self._rows: list[list[Array]] = [[] for _ in range(n)]
        self.idle = self.largest_share = np.empty(0)

    def begin(self, rows: int) -> None:
        """Make room for an epoch of so many networks: `idle` (K, layers) and `largest_share` (K,) are then filled."""
        self.idle = np.full((rows, self._layers), np.nan)
        self.largest_share = np.full(rows, np.nan)

    def end(self, layers: Mapping[str, Array], trials: Sequence[int], ordered: NDArray[np.intp]) -> None:
        """Keep the epoch; `ordered`, (T, M), says in which row each member of each trial stands."""
        seen = {**layers, "idle": self.idle}
        table = np.concatenate([*(seen[name] for name in STATISTICS), self.largest_share[:, None]], axis=1)
        for trial, row in zip(trials, mean_of_members(table[ordered].swapaxes(1, 2)), strict=True):
            self._rows[trial].append(row)

    def of(self, trial: int) -> dict[str, tuple[float, ...]]:
        """A trial's curves by `statistic/layer` and `largest_share`; without those that measure nothing here.

        Three digits of each number are kept: they are read as trends.
        """
        if not self._rows[trial]:
            return {}
        table = np.array(self._rows[trial]).T
        return {
            name: tuple(float(f"{value:.3g}") for value in values)
            for name, values in zip((*self._names, LARGEST_SHARE), table.tolist(), strict=True)
            if not all(np.isnan(values))
        }


def mean_of_members(values: Array) -> Array:
    """(..., M) -> (...), each with the same bits whatever T is; not finite where a member's value is not."""
    if values.shape[-1] == 1:
        return values[..., 0]
    with quiet():
        mean: Array = total(values) / values.shape[-1]
    return mean
