"""hpsearch: a trial's networks for every fold and seed, the seeds of a fold as one cohort, scored on their fold."""

from typing import Any

import numpy as np

from benchmarks.problem import Folds
from hpsearch.data.prepared import Part
from hpsearch.engine import Cohort, Member
from hpsearch.randomness import Address
from hpsearch.spec import parse_study


class Fits:
    """A repetition trains and scores all networks; see `benchmarks.worker.Subject`."""

    def __init__(self, *, problem: dict[str, Any]) -> None:
        self._problem = Folds(**problem)
        self._folds = [
            (Part(x=x, y=y.astype(np.int32)), test_x, test_y) for x, y, test_x, test_y in self._problem.folds()
        ]
        self._recipe = _recipe(self._problem)
        self._scores: list[float] = []

    def repeat(self) -> None:
        self._scores = [score for fold in range(len(self._folds)) for score in self._fold(fold)]

    def report(self) -> dict[str, Any]:
        return {"accuracy": float(np.mean(self._scores)), "fits": len(self._scores)}

    def _fold(self, fold: int) -> list[float]:
        part, x, y = self._folds[fold]
        members = [
            Member(self._recipe, Address(seed=seed, trial=0, fold=fold)) for seed in range(self._problem.seeds)
        ]
        cohort = Cohort(members, part, outputs=3)
        for _ in range(self._problem.epochs):
            cohort.train_epoch()
        return list((cohort.predict(x).argmax(axis=2) == y).mean(axis=1))


def _recipe(problem: Folds) -> Any:
    study = parse_study(
        f"""
        study: bench
        data: {{source: sklearn/iris}}
        model: {{hidden: {list(problem.hidden)}, activation: relu, initializer: xavier}}
        space:
          optimizer: adam
          learning_rate: {problem.learning_rate}
          batch_size: {problem.batch}
          l2: {problem.l2}
          epochs: {problem.epochs}
        """
    )
    return study.resolve({name: fixed.value for name, fixed in study.space.items()}, default_loss="cross_entropy")
