"""scikit-learn: the same networks by MLPClassifier, one fit a fold and seed, scored on their fold."""

from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.problem import Folds


class Fits:
    """A repetition trains and scores all networks; see `benchmarks.worker.Subject`."""

    def __init__(self, *, problem: dict[str, Any]) -> None:
        self._problem = Folds(**problem)
        self._folds = self._problem.folds()
        self._scores: list[float] = []

    def repeat(self) -> None:
        self._scores = [
            self._fit(seed).fit(x, y).score(test_x, test_y)
            for x, y, test_x, test_y in self._folds
            for seed in range(self._problem.seeds)
        ]

    def report(self) -> dict[str, Any]:
        return {"accuracy": float(np.mean(self._scores)), "fits": len(self._scores)}

    def _fit(self, seed: int) -> MLPClassifier:
        problem = self._problem
        return MLPClassifier(
            problem.hidden,
            alpha=problem.l2 * problem.batch,  # scikit-learn divides it by the size of the batch
            batch_size=problem.batch,
            learning_rate_init=problem.learning_rate,
            max_iter=problem.epochs,
            n_iter_no_change=problem.epochs,  # every epoch, as ours
            random_state=seed,
        )
