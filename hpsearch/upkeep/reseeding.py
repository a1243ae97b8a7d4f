"""A recipe from other random numbers: how much of a score is the recipe's, and how much was luck."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hpsearch.beginning import with_start
from hpsearch.data import PreparedData
from hpsearch.engine import forward
from hpsearch.execution.blas import one_blas_thread
from hpsearch.execution.cohorts import CohortTask, TrialTask
from hpsearch.execution.evaluation import EvaluationSet
from hpsearch.execution.own_models import LOSS
from hpsearch.execution.training import train_cohort
from hpsearch.extensions import Code, Extension, Extensions
from hpsearch.fit import prepare_study
from hpsearch.judgment.metrics import final_scores
from hpsearch.judgment.own_metrics import own_metrics, tested_by
from hpsearch.randomness import Address
from hpsearch.search.fact import TrialFact
from hpsearch.search.retirement import value_of
from hpsearch.spec import StudySpec
from hpsearch.store import Store
from hpsearch.winner import REFIT_FOLD, refit, refit_own


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
        InputError: code that the study names is not there, or not allowed.
        TrainingError: a refit diverged, or a trainer of one's own failed.
    """
    own = (code or Code()).of_study(spec)
    data = with_start(spec, prepare_study(spec, cache), store)
    itself = Address(seed=spec.seed, trial=fact.number)
    addresses = [reseeded(itself, number) for number in range(1, seeds + 1)]
    values = _validated(fact, spec, data, addresses, own)
    again = [replace(address, fold=REFIT_FOLD) for address in addresses]
    if own.trainer is None:
        scores, epochs = _tested(fact, spec, data, again, own)
    else:
        scores, epochs = _tested_own(fact, spec, data, again, own.trainer)
    return Reseeded(
        trial=fact.number,
        metric=spec.objectives[0].metric,
        selected=fact.values[0] if fact.values else float("nan"),
        values=tuple(values),
        test={name: tuple(each[name] for each in scores) for name in (scores[0] if scores else ())},
        epochs=epochs,
    )


def reseeded(address: Address, number: int) -> Address:
    """A trial's address with another seed, the `number`th from 1."""
    return replace(address, seed=replace(address, fold=number).integer("reseed"))


def _tested(
    fact: TrialFact, spec: StudySpec, data: PreparedData, addresses: Sequence[Address], own: Extensions
) -> tuple[list[dict[str, float]], int]:
    """The test scores of a refit from each address, and the epochs of each."""
    refitted = data.refit()
    weights, hyperparameters, epochs = refit(fact, spec, refitted, data.training.start, addresses)
    test = data.sealed.open(refitted.preprocessor, refitted.task)
    task, loss, metrics = refitted.task, hyperparameters.loss, own_metrics(spec, own.metrics)
    scores = []
    for each in weights:
        outputs = forward(each, test.x, test.lengths)
        scored = tested_by(metrics, outputs, test.y, task=task, loss=loss)
        scores.append(final_scores(outputs, test.y, task=task, loss=loss) | scored)
    return scores, epochs


def _tested_own(
    fact: TrialFact, spec: StudySpec, data: PreparedData, addresses: Sequence[Address], trainer: Extension
) -> tuple[list[dict[str, float]], int]:
    """The same of a trainer of one's own; no scores where it shows no model."""
    refitted = data.refit()
    models, epochs = refit_own(fact, spec, refitted, trainer, addresses)
    shown, scores = [model for model in models if model is not None], []
    if not shown:
        return [], epochs
    test = data.sealed.open(refitted.preprocessor, refitted.task)
    for model in shown:
        scored = final_scores(model.outputs(test), test.y, task=refitted.task, loss=LOSS)
        scores.append({name: score for name, score in scored.items() if name in model.metrics})
    return scores, epochs


def _validated(
    fact: TrialFact,
    spec: StudySpec,
    data: PreparedData,
    addresses: Sequence[Address],
    own: Extensions,
) -> list[float]:
    """The first objective of the recipe from each address, with early stopping and without pruning."""
    hyperparameters = spec.resolve(fact.params, default_loss=data.task.default_loss())
    thresholds = np.full(hyperparameters.epochs, np.nan)
    task = CohortTask(
        trials=tuple(
            TrialTask(number=number, hyperparameters=hyperparameters, address=address, thresholds=thresholds)
            for number, address in enumerate(addresses)
        ),
        objectives=tuple(objective.goal for objective in spec.objectives),
        early_stopping=spec.early_stopping.plain,
        trainer=own.trainer,
        metrics=own_metrics(spec, own.metrics),
    )
    with one_blas_thread():
        outcomes = train_cohort(task, data.training, evaluation=EvaluationSet.draw(data.training, spec.seed))
    objective = spec.objectives[0]
    return [value_of(objective, each) if each.curves else float("nan") for each in outcomes]
