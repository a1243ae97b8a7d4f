"""Which trials are hopeless: thresholds on the learning curve, from the trials retired before.

All curves are in minimized form: smaller is better. A trial is compared by its best value so far, and so are
the trials that it is compared with.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from hpsearch.spec import Pruning

Array = NDArray[np.float64]

_INITIAL_TRIALS: Final = 64


class History:
    """The monitored curves of retired trials, as running bests.

    A finished trial (complete or stopped early) offers its final best at every later epoch as well; a trial
    that was pruned or diverged is known only up to where it came.
    """

    def __init__(self) -> None:
        # epochs first: every comparison is within one epoch, across trials
        self._best = np.empty((0, _INITIAL_TRIALS))
        self._numbers = np.empty(_INITIAL_TRIALS, dtype=np.int64)
        self._finished = np.empty(_INITIAL_TRIALS, dtype=np.bool_)
        self._count = 0
        self._percentiles: dict[float, Array] = {}

    def __len__(self) -> int:
        return self._count

    @property
    def finished_count(self) -> int:
        """How many of the trials finished."""
        return int(self._finished[: self._count].sum())

    def add(self, curve: ArrayLike, *, number: int, finished: bool) -> None:
        """Take in a retired trial.

        Args:
            curve: (epochs trained,) the monitored metric in minimized form; what follows a value that is not
                finite is ignored.
            number: the trial's number.
            finished: whether it was trained to its end, or to where patience stopped it.
        """
        values = np.asarray(curve, dtype=np.float64)
        values = values[: np.argmin(np.append(np.isfinite(values), False))]
        self._make_room(len(values))
        at = self._count
        self._best[: len(values), at] = np.minimum.accumulate(values)
        self._best[len(values) :, at] = (
            self._best[len(values) - 1, at] if finished and len(values) else np.nan
        )
        self._numbers[at], self._finished[at] = number, finished and len(values) > 0
        self._count += 1
        self._percentiles.clear()

    def percentile(self, percent: float) -> Array:
        """(longest,): for each epoch, what `percent` percent of the finished trials reach or beat."""
        if percent not in self._percentiles:
            best = self._best[:, : self._count][:, self._finished[: self._count]]
            self._percentiles[percent] = np.percentile(best, percent, axis=1)
        return self._percentiles[percent]

    def finished_bests(self, epochs: int) -> Array:
        """(epochs, finished): the finished trials' bests after each epoch, the final one behind a trial's end."""
        best = self._best[:, : self._count][:, self._finished[: self._count]]
        if not len(best):
            return np.empty((epochs, 0))
        return best[np.minimum(np.arange(epochs), len(best) - 1)]

    def at(self, epoch: int) -> tuple[Array, NDArray[np.int64]]:
        """The bests of the trials that reached an epoch (or finished before it), and their numbers."""
        if not self._count or not len(self._best):
            return np.empty(0), np.empty(0, dtype=np.int64)
        best = self._best[min(epoch, len(self._best)) - 1, : self._count]
        reached = ~np.isnan(best)
        if epoch > len(self._best):
            reached &= self._finished[: self._count]
        return best[reached], self._numbers[: self._count][reached]

    def _make_room(self, epochs: int) -> None:
        """Double the room for trials when it is full; add epochs when a curve is longer than any before."""
        longest, room = self._best.shape
        if self._count == room:
            self._best = np.concatenate([self._best, np.empty_like(self._best)], axis=1)
            self._numbers = np.concatenate([self._numbers, np.empty_like(self._numbers)])
            self._finished = np.concatenate([self._finished, np.empty_like(self._finished)])
        if epochs > longest:
            final = self._best[-1] if longest else np.full(self._best.shape[1], np.nan)
            carried = np.where(self._finished, final, np.nan)
            self._best = np.concatenate([self._best, np.tile(carried, (epochs - longest, 1))])


def thresholds(rule: "Pruning", history: History, *, number: int, epochs: int) -> Array:
    """Where a new trial is pruned: after epoch e, when its best so far is greater than `thresholds[e - 1]`.

    - median, percentile: as Optuna's `PercentilePruner`, among finished trials; it goes on while among the
      best `percentile` percent of them.
    - halving: asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel
      Hyperparameter Tuning"): at the rungs `min_epochs * reduction_factor**i` it must be among the best
      1/reduction_factor of all trials that came to the rung, itself included.
    - hyperband: halving in brackets (Li et al. 2018), see `bracket`.

    No rule compares within the first `warmup_epochs` epochs, nor while fewer than `startup_trials` trials
    have finished.

    Args:
        rule: the study's pruning section.
        history: the retired trials; nothing else enters.
        number: the new trial's number; decides its bracket.
        epochs: how many epochs the new trial is to train.

    Returns:
        (epochs,), NaN where there is no threshold.
    """
    limits = np.full(epochs, np.nan)
    if rule.rule == "none" or history.finished_count < max(rule.startup_trials, 1):
        return limits
    if rule.rule in ("median", "percentile"):
        known = history.percentile(50.0 if rule.rule == "median" else rule.percentile)
        limits[: len(known)] = known[:epochs]
        limits[len(known) :] = known[-1]
    else:
        _halve(limits, rule, history, number)
    limits[: rule.warmup_epochs] = np.nan
    return limits


def pruned_after(curve: ArrayLike, limits: Array, *, ended: bool) -> int | None:
    """The epoch after which a trial is pruned, None if it is not.

    Args:
        curve: (epochs trained,) its monitored metric in minimized form, at least one.
        limits: its `thresholds`.
        ended: whether it ended by itself in its last epoch, which then stands: there is nothing left to save.
    """
    best = np.minimum.accumulate(np.asarray(curve, dtype=np.float64))
    behind = best > limits[: len(best)]
    if ended:
        behind[-1] = False
    return int(np.argmax(behind)) + 1 if behind.any() else None


def bracket(number: int, reduction_factor: int) -> int:
    """The Hyperband bracket of a trial: how often the factor divides number + 1.

    Bracket 0 has its first rung at `min_epochs`, each further one by the factor later. Of f consecutive
    trials all but one fall into bracket 0, of f of the rest all but one into bracket 1, and so on: shares
    that shrink by the factor, about as in Hyperband, where all brackets cost the same. The number decides
    alone, not the largest number of epochs, which may differ between trials.
    """
    found, rest = 0, number + 1
    while rest % reduction_factor == 0:
        found, rest = found + 1, rest // reduction_factor
    return found


def _halve(limits: Array, rule: "Pruning", history: History, number: int) -> None:
    """Write the thresholds of the rungs of a trial."""
    factor, in_brackets = rule.reduction_factor, rule.rule == "hyperband"
    start = factor ** bracket(number, factor) if in_brackets else 1
    rung = rule.min_epochs * start
    while rung < len(limits):
        best, numbers = history.at(rung)
        if in_brackets:
            best = best[((numbers + 1) % start == 0) & ((numbers + 1) % (start * factor) != 0)]
        if len(best):
            kept = max((len(best) + 1) // factor, 1)
            limits[rung - 1] = np.partition(best, kept - 1)[kept - 1]
        rung *= factor
