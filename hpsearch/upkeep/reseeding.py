"""A recipe from other random numbers: how much of a score is the recipe's, and how much was luck."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from hpsearch.beginning import with_start
from hpsearch.data import PreparedData
from hpsearch.data.prepared import Task
from hpsearch.engine import forward
from hpsearch.errors import InputError
from hpsearch.execution.cohorts import CohortTask, TrialTask
from hpsearch.execution.evaluation import EvaluationSet
from hpsearch.execution.training import train_cohort
from hpsearch.extensions import Code
from hpsearch.fit import prepare_study
from hpsearch.judgment.metrics import Outputs, Targets, final_scores
from hpsearch.judgment.own_metrics import OwnMetric, own_metrics, tested_by
from hpsearch.judgment.scores import objective_value
from hpsearch.randomness import Address
from hpsearch.search.fact import TrialFact
from hpsearch.spec import StudySpec
from hpsearch.store import Store
from hpsearch.winner import REFIT_FOLD, refit


@dataclass(frozen=True, slots=True, kw_only=True)
class Reseeded:
    """What a trial's recipe comes to from other random numbers.

    `selected` is the first objective that the trial was chosen for, `values` what the recipe gives from other seeds on
    the same training and validation rows (NaN where it diverged); `test` the test scores of as many refits, by metric.
    """

    trial: int
    metric: str
    selected: float
    values: tuple[float, ...]
    test: dict[str, tuple[float, ...]]
    epochs: int

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return asdict(self)


def reseed(
    fact: TrialFact,
    spec: StudySpec,
    store: Store,
    *,
    seeds: int,
    cache: Path | None = None,
    code: Code | None = None,
) -> Reseeded:
    """Train a finished trial's recipe from `seeds` other seeds, to validation scores, and refit it as often.

    The test part is read for the report alone: nothing is chosen by it, and the study's model stays as it is.

    Raises:
        InputError: a trainer of one's own trained the study.
        TrainingError: a refit diverged.
    """
    if spec.trainer is not None:
        raise InputError(f"study {spec.study!r} has a trainer, {spec.trainer}: other seeds are for it to try")
    metrics = own_metrics(spec, (code or Code()).of_study(spec).metrics)
    data = with_start(spec, prepare_study(spec, cache), store)
    addresses = [
        Address(
            seed=Address(seed=spec.seed, trial=fact.number, fold=number).integer("reseed"), trial=fact.number
        )
        for number in range(1, seeds + 1)
    ]
    values = _validated(fact, spec, data, addresses, metrics)
    refit_data = data.refit()
    again = [replace(address, fold=REFIT_FOLD) for address in addresses]
    weights, hyperparameters, epochs = refit(fact, spec, refit_data, data.training.start, again)
    test = data.sealed.open(refit_data.preprocessor, refit_data.task)
    scores = [
        _tested(forward(each, test.x, test.lengths), test.y, refit_data.task, hyperparameters.loss, metrics)
        for each in weights
    ]
    return Reseeded(
        trial=fact.number,
        metric=spec.objectives[0].metric,
        selected=fact.values[0] if fact.values else float("nan"),
        values=tuple(values),
        test={name: tuple(each[name] for each in scores) for name in scores[0]},
        epochs=epochs,
    )


def _tested(
    outputs: Outputs, y: Targets, task: Task, loss: str, metrics: Sequence[OwnMetric]
) -> dict[str, float]:
    """Every metric of one network's outputs."""
    own = tested_by(metrics, outputs, y, task=task, loss=loss)
    return final_scores(outputs, y, task=task, loss=loss) | own


def _validated(
    fact: TrialFact,
    spec: StudySpec,
    data: PreparedData,
    addresses: Sequence[Address],
    metrics: tuple[OwnMetric, ...],
) -> list[float]:
    """The first objective of the recipe from each address, with early stopping and without pruning."""
    hyperparameters = spec.resolve(fact.params, default_loss=data.task.default_loss())
    thresholds = np.full(hyperparameters.epochs, np.nan)
    task = CohortTask(
        trials=tuple(
            TrialTask(number=number, hyperparameters=hyperparameters, address=address, thresholds=thresholds)
            for number, address in enumerate(addresses)
        ),
        objectives=spec.objectives,
        early_stopping=spec.early_stopping,
        metrics=metrics,
    )
    with threadpool_limits(limits=1, user_api="blas"):
        outcomes = train_cohort(task, data.training, evaluation=EvaluationSet.draw(data.training, spec.seed))
    objective = spec.objectives[0]
    if objective.metric == "weights":
        return [float(outcome.weights) for outcome in outcomes]
    return [objective_value(each.curves, objective) if each.curves else float("nan") for each in outcomes]
