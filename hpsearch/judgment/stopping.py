"""When a trial stops: by patience, by pruning, by divergence, or because it has trained all its epochs."""

from collections.abc import Sequence
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpsearch.judgment.metrics import Direction


class Verdict(Enum):
    """What becomes of a trial after an epoch; how it ended, after its last.

    Having converged is not losing: a converged trial has its objective's value, a pruned one has none. FAILED
    is for trials that could not be trained at all; watching never gives it.
    """

    CONTINUE = "continue"
    FINISHED = "finished"
    CONVERGED = "converged"
    PRUNED = "pruned"
    DIVERGED = "diverged"
    FAILED = "failed"


class Watch:
    """Follows the monitored metric of n trials that train together.

    The best epoch is the one with the strictly best value, however small the gain: it is the value that the
    objective reports and the weights that are restored. Patience is counted as Keras does, against a
    reference of its own: the reference moves when a value beats it by more than `min_delta`, and a trial has
    converged when `patience` epochs in a row did not move it. So gains too small for patience are kept, and
    gains that are small each but add up keep a trial alive.

    Where several verdicts hold at one epoch, the first of this order is given: DIVERGED (the value is not
    finite), FINISHED (all epochs trained), CONVERGED (its value is final and paid for: other trials may be
    compared with it), PRUNED.

    Attributes:
        best_epoch: (n,) 1-based; 0 for a trial without a finite value yet.
        best_value: (n,) in the metric's own direction; NaN for such a trial.
    """

    def __init__(
        self,
        n: int,
        *,
        epochs: ArrayLike,
        patience: int | None,
        min_delta: float,
        direction: Direction,
        thresholds: NDArray[np.float64],
    ) -> None:
        """Start watching n trials.

        Args:
            n: how many.
            epochs: (n,) epochs that each trial is to train.
            patience: epochs (at least 1) without improvement after which a trial has converged; None: never.
            min_delta: an improvement counts for patience when it is larger than this.
            direction: which way the monitored metric is better.
            thresholds: (n, E), E at least the largest of `epochs`, for the minimized metric; a trial is
                pruned after epoch e when its best is worse than `thresholds[:, e - 1]`; NaN where nothing is
                compared.
        """
        self._sign: Final = 1.0 if direction == "minimize" else -1.0
        self._epochs: Final = np.asarray(epochs)
        self._patience, self._min_delta, self._thresholds = patience, min_delta, thresholds
        self._best = np.full(n, np.inf)
        self._reference = np.full(n, np.inf)
        self._reference_epoch = np.zeros(n, dtype=np.int64)
        self.best_epoch = np.zeros(n, dtype=np.int64)

    @property
    def best_value(self) -> NDArray[np.float64]:
        """(n,): each trial's best value so far."""
        return np.where(self.best_epoch > 0, self._sign * self._best, np.nan)

    def update(
        self, positions: Sequence[int], epoch: int, monitored: NDArray[np.float64]
    ) -> tuple[list[Verdict], NDArray[np.bool_]]:
        """Judge the trials at `positions` after an epoch.

        Args:
            positions: (K,) which of the n trials `monitored` speaks of.
            epoch: epochs trained so far, 1 after the first.
            monitored: (K,) values in the metric's own direction.

        Returns:
            A verdict for each position, and (K,) whether the value is the trial's best so far.
        """
        at = np.asarray(positions, dtype=np.intp)
        values = self._sign * monitored
        finite = np.isfinite(values)
        improved = finite & (values < self._best[at])
        self._best[at[improved]] = values[improved]
        self.best_epoch[at[improved]] = epoch
        moved = finite & (values < self._reference[at] - self._min_delta)
        self._reference[at[moved]] = values[moved]
        self._reference_epoch[at[moved]] = epoch
        return self._verdicts(at, epoch, finite), improved

    def _verdicts(self, at: NDArray[np.intp], epoch: int, finite: NDArray[np.bool_]) -> list[Verdict]:
        waited = epoch - self._reference_epoch[at]
        rules = {
            Verdict.DIVERGED: ~finite,
            Verdict.FINISHED: epoch >= self._epochs[at],
            Verdict.CONVERGED: self._converged(waited),
            Verdict.PRUNED: self._best[at] > self._thresholds[at, epoch - 1],
        }
        verdicts = [Verdict.CONTINUE] * len(at)
        for verdict, holds in reversed(rules.items()):
            for i in np.flatnonzero(holds):
                verdicts[i] = verdict
        return verdicts

    def _converged(self, waited: NDArray[np.int64]) -> NDArray[np.bool_]:
        if self._patience is None:
            return np.zeros(len(waited), dtype=np.bool_)
        return waited >= self._patience
