"""Pruning as if trials had run one after the other, whatever trained when, where, and beside what.

A trial is compared with all trials before it. Trials train at the same time, so this is judged when it is retired: its
curve is cut where it would have been pruned. Before, while it trains, it is stopped as soon as that is certain; what
was trained in vain shows nowhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.engine import sampled_epochs
from hpsearch.execution.cohorts import TrialTask
from hpsearch.execution.outcome import Outcome
from hpsearch.judgment.ceilings import Undecided, ceilings
from hpsearch.judgment.pruning import History, pruned_after, thresholds
from hpsearch.judgment.stopping import Verdict
from hpsearch.spec import Objective, Pruning

_FINISHED: Final = (Verdict.FINISHED, Verdict.CONVERGED)
_ENDED: Final = (*_FINISHED, Verdict.DIVERGED)


class Hindsight:
    """The pruning rule of one study, and the curves of the trials retired so far.

    `rounded` gives a curve as it will be stored: what is known of a trial before it is retired is compared as after.
    """

    def __init__(
        self,
        rule: Pruning,
        objective: Objective,
        *,
        rounded: Callable[[Sequence[float]], Sequence[float]],
    ) -> None:
        self._rule, self._metric, self._rounded = rule, objective.metric, rounded
        self._sign = objective.sign
        self._history = History()
        self._retired = 0
        self._trained: dict[int, Undecided] = {}

    def foresee(self, trial: TrialTask, trained: Mapping[int, Outcome]) -> TrialTask:
        """The trial with the thresholds that it may be stopped by already: `trained` are outcomes not retired yet."""
        if self._rule.rule == "none":
            return trial
        before = range(self._retired, trial.number)
        limits = ceilings(
            self._rule,
            self._history,
            [self._undecided(number, trained.get(number)) for number in before],
            number=trial.number,
            epochs=trial.hyperparameters.epochs,
        )
        return replace(trial, thresholds=limits)

    def judge(self, outcome: Outcome, *, epochs: int) -> Outcome:
        """The outcome of the next trial, of so many epochs at most, cut where it is pruned."""
        curve = self._minimized(outcome.curves)
        if not len(curve):
            return outcome
        limits = thresholds(self._rule, self._history, number=outcome.number, epochs=epochs)
        epoch = pruned_after(curve, limits, ended=outcome.verdict in _ENDED)
        return outcome if epoch is None else _cut(outcome, epoch, int(np.argmin(curve[:epoch])) + 1)

    def remember(self, curves: Mapping[str, Sequence[float]], *, number: int, finished: bool) -> None:
        """Take in the next retired trial."""
        if self._metric in curves:
            self._history.add(self._minimized(curves), number=number, finished=finished)
        self._retired = number + 1
        self._trained.pop(number, None)

    def _undecided(self, number: int, outcome: Outcome | None) -> Undecided:
        if outcome is None:
            return Undecided(number=number)
        if number not in self._trained:
            curve = np.array(self._rounded(outcome.curves.get(self._metric, ())))
            self._trained[number] = Undecided(
                number=number, curve=self._sign * curve, may_finish=outcome.verdict in _FINISHED
            )
        return self._trained[number]

    def _minimized(self, curves: Mapping[str, Sequence[float]]) -> NDArray[np.float64]:
        return self._sign * np.array(curves.get(self._metric, ()), dtype=np.float64)


def _cut(outcome: Outcome, epoch: int, best_epoch: int) -> Outcome:
    """What would have come of a trial that was pruned after an epoch."""
    trained = max(map(len, outcome.curves.values()))
    return replace(
        outcome,
        verdict=Verdict.PRUNED,
        curves={name: curve[:epoch] for name, curve in outcome.curves.items()},
        best_epoch=best_epoch,
        scores={},
        members=(),
        sample_losses=(),
        plateau_factors=outcome.plateau_factors[:epoch],
        samples={name: curve[: len(sampled_epochs(epoch))] for name, curve in outcome.samples.items()},
        seconds=outcome.seconds * epoch / trained,
    )
