"""hpsearch: a trial's networks for every fold and seed as one cohort, as a study with folds trains them; each scored on its fold."""

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
        places = [(fold, seed) for fold in range(len(self._folds)) for seed in range(self._problem.seeds)]
        cohort = Cohort(
            [Member(self._recipe, Address(seed=seed, trial=0, fold=fold)) for fold, seed in places],
            [self._folds[fold][0] for fold, _ in places],
            outputs=3,
        )
        for _ in range(self._problem.epochs):
            cohort.train_epoch()
        self._scores = [
            score
            for fold, (_, x, y) in enumerate(self._folds)
            for score in self._of_fold(cohort, x, y, [places[position][0] == fold for position in cohort.rows])
        ]

    def report(self) -> dict[str, Any]:
        return {"accuracy": float(np.mean(self._scores)), "fits": len(self._scores)}

    @staticmethod
    def _of_fold(cohort: Cohort, x: Any, y: Any, chosen: list[bool]) -> list[float]:
        outputs = cohort.predict(x, rows=np.flatnonzero(chosen))
        return list((outputs.argmax(axis=2) == y).mean(axis=1))


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
