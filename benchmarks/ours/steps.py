"""hpsearch: K networks as one cohort; a repetition is whole epochs, with batches, masks, penalties and statistics."""

from typing import Any

import numpy as np

from benchmarks.problem import Case, Layered, problem_of
from hpsearch.data.prepared import Part
from hpsearch.engine import Cohort, Member, evaluate
from hpsearch.randomness import Address
from hpsearch.spec import parse_study
from hpsearch.spec.hyperparameters import Hyperparameters


class Steps:
    """See `benchmarks.worker.Subject`."""

    def __init__(self, *, case: dict[str, Any], networks: int, epochs: int) -> None:
        problem = problem_of(case)
        x, y = problem.data()
        self._part = Part(x=x, y=y.astype(np.int32))
        self._epochs = epochs
        members = [Member(recipe(problem), Address(seed=0, trial=trial)) for trial in range(networks)]
        self._cohort = Cohort(members, self._part, outputs=problem.classes)

    def repeat(self) -> None:
        for _ in range(self._epochs):
            self._cohort.train_epoch()

    def report(self) -> dict[str, Any]:
        outputs = self._cohort.predict(self._part.x)
        losses = evaluate("cross_entropy", outputs, self._part.y, huber_delta=np.ones(len(outputs)))
        return {"loss": float(losses.mean())}


def recipe(case: Case | Layered) -> Hyperparameters:
    """The case as a study file would say it; all else at its default."""
    study = parse_study(
        f"""
        study: bench
        data: {{source: sklearn/digits}}
        model: {{{case.model}, activation: relu, initializer: he}}
        space:
          optimizer: adam
          learning_rate: {case.learning_rate}
          batch_size: {case.batch}
          dropout: {case.dropout}
          l2: {case.l2}
          epochs: 1000
        """
    )
    return study.resolve({name: fixed.value for name, fixed in study.space.items()}, default_loss="cross_entropy")
