"""Which trials are certainly hopeless, while earlier trials are still undecided.

A trial is pruned by comparison with all trials before it, as if trials ran one after the other. When it trains, some of
those may not be retired yet. Whatever becomes of them, its thresholds end up no higher than the ceilings here: a
trial that falls behind a ceiling may stop at once, and where exactly it was pruned is found when all is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpsearch.judgment.pruning import History, bracket, thresholds

if TYPE_CHECKING:
    from hpsearch.spec import Pruning

Array = NDArray[np.float64]

_MARGIN: Final = 1e-9
"""Relative: far above rounding, so that no ceiling is below the threshold it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """An earlier trial that is not retired yet.

    `curve` is None while nothing is known of it, else what was trained, in minimized form. `may_finish`: it was trained
    to its end (or is unknown), so that it will count among the finished trials unless it is pruned in hindsight.
    """

    number: int
    curve: ArrayLike | None = None
    may_finish: bool = True


def ceilings(
    rule: "Pruning", history: History, undecided: Sequence[Undecided], *, number: int, epochs: int
) -> Array:
    """What `thresholds` will say at most once the undecided trials have joined the history; (epochs,), NaN for never.

    Args:
        rule: the study's pruning section.
        history: the retired trials, all of them before `number`.
        undecided: every other trial before `number`.
        number: the trial's number.
        epochs: how many epochs it is to train.
    """
    if not undecided:
        return thresholds(rule, history, number=number, epochs=epochs)
    limits = np.full(epochs, np.nan)
    if rule.rule == "none" or history.finished_count < max(rule.startup_trials, 1):
        return limits
    if rule.rule in ("median", "percentile"):
        percent = 50.0 if rule.rule == "median" else rule.percentile
        limits[:] = _highest_percentile(percent, history.finished_bests(epochs), *_open(undecided, epochs))
    else:
        _highest_rungs(limits, rule, history, undecided, number)
    limits[: rule.warmup_epochs] = np.nan
    limits += _MARGIN * np.abs(limits)
    return limits


def _open(undecided: Sequence[Undecided], epochs: int) -> tuple[Array, int]:
    """The bests of trials that may join the finished ones, (epochs, u), and the number of those without curves."""
    trained = History()
    for trial in undecided:
        if trial.curve is not None and trial.may_finish:
            trained.add(trial.curve, number=trial.number, finished=True)
    return trained.finished_bests(epochs), sum(trial.curve is None for trial in undecided)


def _highest_percentile(percent: float, finished: Array, trained: Array, unknown: int) -> Array:
    """The highest percentile over all choices of those that join: of so many the greatest ones raise it most."""
    epochs = len(finished)
    joining = np.concatenate([np.full((epochs, unknown), np.inf), -np.sort(-trained, axis=1)], axis=1)
    everyone = np.concatenate([finished, joining], axis=1)
    highest = np.full(epochs, -np.inf)
    for count in range(finished.shape[1] + unknown, everyone.shape[1] + 1):
        np.maximum(highest, _percentile(percent, everyone[:, :count]), out=highest)
    return highest


def _percentile(percent: float, values: Array) -> Array:
    """As NumPy's, between neighbours in proportion, along the last axis; infinite where a neighbour is."""
    place = percent / 100 * (values.shape[1] - 1)
    lower = int(place)
    upper = min(lower + 1, values.shape[1] - 1)
    ordered = np.partition(values, (lower, upper), axis=1)
    below, above = ordered[:, lower], ordered[:, upper]
    with np.errstate(invalid="ignore"):
        between = below + (above - below) * (place - lower)
    return np.where(place == lower, below, np.where(np.isinf(above), np.inf, between))


def _highest_rungs(
    limits: Array, rule: "Pruning", history: History, undecided: Sequence[Undecided], number: int
) -> None:
    """Write the highest thresholds of the rungs: more trials at a rung let more go on; none of them need be better."""
    factor, in_brackets = rule.reduction_factor, rule.rule == "hyperband"
    own = bracket(number, factor) if in_brackets else 0
    competing = [t for t in undecided if not in_brackets or bracket(t.number, factor) == own]
    rung = rule.min_epochs * factor**own
    while rung < len(limits):
        best, numbers = history.at(rung)
        if in_brackets:
            best = best[[bracket(int(n), factor) == own for n in numbers]] if len(best) else best
        kept = max((len(best) + sum(_may_reach(t, rung) for t in competing) + 1) // factor, 1)
        if kept <= len(best):
            limits[rung - 1] = np.partition(best, kept - 1)[kept - 1]
        rung *= factor


def _may_reach(trial: Undecided, rung: int) -> bool:
    return trial.curve is None or trial.may_finish or np.size(trial.curve) >= rung
