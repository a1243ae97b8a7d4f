"""Which trials train together: those that agree in shape, as many as fit the cache.

How trials are packed shows nowhere in the results (law 1), so packing is free to follow the machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.engine import Inputs, working_set
from hpsearch.engine.caches import second_level_cache
from hpsearch.engine.member import shape
from hpsearch.judgment.own_metrics import OwnMetric
from hpsearch.randomness import Address
from hpsearch.spec.goal import Goal, Stopping
from hpsearch.spec.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    from hpsearch.extensions import Extension
    from hpsearch.spec import EarlyStopping, Objective

_WIDEST: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTask:
    """One trial to train. `thresholds`: (epochs,) it stops by, NaN where there is none; see `hindsight`."""

    number: int
    hyperparameters: Hyperparameters
    address: Address
    thresholds: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortTask:
    """Trials that learn at once, with all that their worker needs beside the data; a `trainer` has one at a time.

    `metrics` are those of one's own, followed beside hpsearch's.
    """

    trials: tuple[TrialTask, ...]
    objectives: tuple[Goal, ...]
    early_stopping: Stopping
    trainer: "Extension | None" = None
    metrics: tuple[OwnMetric, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """The trials' numbers."""
        return tuple(trial.number for trial in self.trials)

    def singles(self) -> "list[CohortTask]":
        """The same trials, each in a cohort of its own."""
        return [replace(self, trials=(trial,)) for trial in self.trials]


def form_cohorts(
    trials: Sequence[TrialTask],
    *,
    objectives: "tuple[Objective, ...]",
    early_stopping: "EarlyStopping",
    inputs: Inputs,
    outputs: int,
    members: int = 1,
    workers: int = 1,
    trainer: "Extension | None" = None,
    metrics: tuple[OwnMetric, ...] = (),
) -> list[CohortTask]:
    """The trials of a window as cohorts, ordered by their first trial.

    Trials that agree in shape share a cohort as long as their working set fits the second-level cache; a window that
    would leave workers idle is cut finer. `members`: how many networks a trial trains (folds times seeds); they are
    always in one cohort. A trial of a `trainer` is a cohort of its own.
    """
    groups: dict[tuple[object, ...], list[TrialTask]] = {}
    for trial in trials:
        key = shape(trial.hyperparameters) if trainer is None else trial.number
        groups.setdefault((key,), []).append(trial)
    cohorts: list[Sequence[TrialTask]] = []
    for group in groups.values():
        width = max(1, _width(group[0].hyperparameters, inputs, outputs) // members)
        cohorts += [group[start : start + width] for start in range(0, len(group), width)]
    cohorts = _spread(cohorts, workers)
    goals = tuple(objective.goal for objective in objectives)
    return [
        CohortTask(
            trials=tuple(cohort),
            objectives=goals,
            early_stopping=early_stopping.plain,
            trainer=trainer,
            metrics=metrics,
        )
        for cohort in sorted(cohorts, key=lambda cohort: cohort[0].number)
    ]


def _width(hyperparameters: Hyperparameters, inputs: Inputs, outputs: int) -> int:
    member = working_set(hyperparameters, inputs=inputs, outputs=outputs)
    return int(np.clip(second_level_cache() // max(member, 1), 1, _WIDEST))


def _spread(cohorts: list[Sequence[TrialTask]], workers: int) -> list[Sequence[TrialTask]]:
    """Halve the widest cohort until every worker has one (or every cohort has one trial)."""
    cohorts = list(cohorts)
    while len(cohorts) < workers:
        widest = max(cohorts, key=len, default=())
        if len(widest) < 2:
            break
        cohorts.remove(widest)
        middle = (len(widest) + 1) // 2
        cohorts += [widest[:middle], widest[middle:]]
    return cohorts
