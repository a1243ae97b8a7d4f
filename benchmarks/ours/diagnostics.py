"""hpsearch: a cohort trained as a search trains it, with networks looked into in some epochs, and never."""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.ours.steps import recipe
from benchmarks.problem import Case
from hpsearch.data.prepared import Fold, TrainingData, frozen
from hpsearch.data.prepared import Task as DataTask
from hpsearch.engine import cohort as engine_cohort
from hpsearch.execution import CohortTask, TrialTask, train_cohort
from hpsearch.execution.evaluation import EvaluationSet
from hpsearch.randomness import Address
from hpsearch.spec import EarlyStopping, Objective


_LOOKED_INTO = engine_cohort.is_sampled


class Trials:
    """A repetition trains the cohort to its end both ways; see `benchmarks.worker.Subject`.

    The two trainings of a pair stand next to each other in one process, and take turns at being first: what else the
    machine does, where memory lies and how warm caches are disturbs both alike. The report has each pair's processor
    times, with and without.
    """

    def __init__(self, *, case: dict[str, Any], networks: int, epochs: int) -> None:
        problem = Case(**case)
        x, y = problem.data()
        classes = problem.widths[-1]
        names = tuple(map(str, range(classes)))
        kind = DataTask(kind="multiclass", target_names=("y",), classes=names)
        cut = len(x) * 3 // 4
        parts = [frozen(x[rows].copy(), y[rows].astype(np.int32)) for rows in (slice(cut), slice(cut, None))]
        self._data = TrainingData(folds=(Fold(train=parts[0], validation=parts[1], task=kind),))
        self._task = CohortTask(
            trials=tuple(
                TrialTask(
                    number=number,
                    hyperparameters=replace(recipe(problem), epochs=epochs),
                    address=Address(seed=0, trial=number),
                    thresholds=np.full(epochs, np.nan),
                )
                for number in range(networks)
            ),
            objectives=(Objective(),),
            early_stopping=EarlyStopping(patience=None),
        )
        self._evaluation = EvaluationSet.draw(self._data, 0)
        self._pairs: list[dict[bool, float]] = []

    def repeat(self) -> None:
        first = len(self._pairs) % 2 == 0
        self._pairs.append({sampled: self._processor(sampled=sampled) for sampled in (first, not first)})

    def _processor(self, *, sampled: bool) -> float:
        engine_cohort.is_sampled = _LOOKED_INTO if sampled else lambda _epoch: False  # type: ignore[assignment]
        before = time.process_time()
        train_cohort(self._task, self._data, evaluation=self._evaluation)
        return time.process_time() - before

    def report(self) -> dict[str, Any]:
        return {"pairs": [(pair[True], pair[False]) for pair in self._pairs]}
