"""What a study's earlier trials say about a parameter: where it had other values, how did they fare?"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

REMEMBERED: Final = 500
"""Trials that are looked back on: enough for any range, and as cheap after ten thousand trials as after these."""

FEW: Final = 3
"""Trials below which nothing is said of a range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Better:
    """A range of a parameter in which earlier trials did better: `ratio`, their median loss against the trial's own."""

    low: float
    high: float
    trials: int
    ratio: float


class Experience:
    """The recipes of a study's latest trials and the best validation loss that each reached; and the best of all.

    Losses are in units of the baseline loss, so that they compare whatever loss was trained.
    """

    def __init__(self) -> None:
        self._trials: deque[tuple[Mapping[str, Any], float]] = deque(maxlen=REMEMBERED)
        self._best = np.inf

    def add(self, recipe: Mapping[str, Any], loss: float) -> None:
        """Take in the next trial; one whose loss is no finite number says that its values are bad."""
        known = loss if np.isfinite(loss) else np.inf
        self._trials.append((recipe, known))
        self._best = min(self._best, known)

    @property
    def best(self) -> float:
        """The least loss so far; infinite without trials."""
        return self._best

    def better(self, parameter: str, *, own: float, loss: float, higher: bool) -> Better | None:
        """Where, on one side of a trial's own value, others had at most four fifths of its loss.

        The range holds the better half of them; `ratio` counts all trials within it, good and bad.
        """
        pairs = [
            (float(value), reached)
            for recipe, reached in self._trials
            if isinstance(value := recipe.get(parameter), int | float)
            and (value > own if higher else value < own)
        ]
        good = sorted((reached, value) for value, reached in pairs if reached <= 0.8 * loss)
        if len(good) < FEW:
            return None
        chosen = [value for _, value in good[: max(FEW, len(good) // 2)]]
        low, high = min(chosen), max(chosen)
        within = [reached for value, reached in pairs if low <= value <= high]
        ratio = float(np.median(within)) / loss
        return Better(low=low, high=high, trials=len(within), ratio=ratio) if ratio <= 0.9 else None
