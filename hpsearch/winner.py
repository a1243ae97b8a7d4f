"""The winner: chosen on validation, refitted on training and validation, scored once on the sealed test part."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.baselines import baselines
from hpsearch.data import PreparedData
from hpsearch.data.prepared import Part, RefitData, Start, Task
from hpsearch.data.sealed import SealedTest
from hpsearch.engine import Cohort, Member, Weights, forward
from hpsearch.errors import TrainingError
from hpsearch.execution.blas import one_blas_thread
from hpsearch.execution.own_models import LOSS, OwnModel
from hpsearch.execution.trainers import TrainerData, trained_model, trainer_seed
from hpsearch.extensions import Extension, Extensions
from hpsearch.judgment.inspection import inspect, permutation_importance
from hpsearch.judgment.leaks import lone_predictors
from hpsearch.judgment.metrics import final_scores
from hpsearch.judgment.own_metrics import OwnMetric, own_metrics, tested_by
from hpsearch.judgment.scores import bootstrap_scores
from hpsearch.model import TrainedModel
from hpsearch.randomness import Address
from hpsearch.search.fact import TrialFact
from hpsearch.spec import StudySpec
from hpsearch.spec.hyperparameters import Hyperparameters

_LOOKED_AT: Final = 20_000  # rows in which inputs that give the target away are looked for
REFIT_FOLD: Final = 1_000_000  # an address of its own: the refit repeats no trial's random numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A test score with its 95% bootstrap interval over the test rows."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """The best trial, its refitted model and what the sealed test part says of it.

    A trainer of one's own keeps its model to itself (None); where it shows none at all, nothing was tested.
    """

    fact: TrialFact
    model: TrainedModel | None
    epochs: int
    test: Mapping[str, Score]
    baselines: Mapping[str, Mapping[str, float]]
    inspection: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The winner without its weights, for `result.json`."""
        return {
            "trial": self.fact.number,
            "params": dict(self.fact.params),
            "hyperparameters": dict(self.fact.hyperparameters),
            "values": self.fact.values,
            "scores": dict(self.fact.scores),
            "verdict": self.fact.verdict,
            "epochs": self.epochs,
            "test": {name: asdict(score) for name, score in self.test.items()},
            "baselines": {name: dict(scores) for name, scores in self.baselines.items()},
            "inspection": dict(self.inspection),
        }


def refit_and_score(
    fact: TrialFact,
    spec: StudySpec,
    data: PreparedData,
    about: Mapping[str, Any],
    own: Extensions | None = None,
) -> Winner:
    """Train the winner's recipe on training and validation data, then open the test part, once.

    The refit runs as many epochs as gave the trial its best validation score, with the learning rates of those epochs.

    Raises:
        TrainingError: the network diverged, or a trainer's model cannot predict.
    """
    refit_data, own = data.refit(), own or Extensions()
    if own.trainer is not None:
        return _winner_of_trainer(fact, spec, data, refit_data, own.trainer)
    address = Address(seed=spec.seed, trial=fact.number, fold=REFIT_FOLD)
    (weights,), hyperparameters, epochs = refit(fact, spec, refit_data, data.training.start, [address])
    model = TrainedModel(
        weights=weights,
        loss=hyperparameters.loss,
        task=refit_data.task,
        preprocessor=refit_data.preprocessor,
        about=about,
    )
    test = data.sealed.open(refit_data.preprocessor, refit_data.task)
    outputs = forward(model.weights, test.x, test.lengths)
    predict = partial(forward, model.weights)
    metrics = own_metrics(spec, own.metrics)
    return Winner(
        fact=fact,
        model=model,
        epochs=epochs,
        test=_test_scores(outputs, test.y, refit_data.task, loss=model.loss, seed=spec.seed, metrics=metrics),
        baselines=baselines(
            refit_data.part, test, refit_data.task, seed=spec.seed, embedded=refit_data.embedded
        ),
        inspection={
            **_inspect(predict, test, outputs, refit_data, data.sealed, loss=model.loss, seed=spec.seed),
            "lone_predictors": _lone_predictors(refit_data),
        },
    )


def _winner_of_trainer(
    fact: TrialFact, spec: StudySpec, data: PreparedData, refit_data: RefitData, trainer: Extension
) -> Winner:
    """The winner of a trainer of one's own: trained once more, and tested where it shows its model."""
    address = Address(seed=spec.seed, trial=fact.number, fold=REFIT_FOLD)
    (own,), epochs = refit_own(fact, spec, refit_data, trainer, [address])
    found: dict[str, Any] = {"lone_predictors": _lone_predictors(refit_data)}
    if own is None:
        return Winner(fact=fact, model=None, epochs=epochs, test={}, baselines={}, inspection=found)
    test = data.sealed.open(refit_data.preprocessor, refit_data.task)
    outputs = own.outputs(test)
    scores = _test_scores(outputs, test.y, refit_data.task, loss=LOSS, seed=spec.seed)

    def predict(x: NDArray[Any]) -> NDArray[np.float64]:
        return own.outputs(Part(x=x, y=test.y[: len(x)]))

    found |= _inspect(predict, test, outputs, refit_data, data.sealed, loss=LOSS, seed=spec.seed)
    if own.gives_labels:
        found.pop("calibration")
    return Winner(
        fact=fact,
        model=None,
        epochs=epochs,
        test={name: score for name, score in scores.items() if name in own.metrics},
        baselines=baselines(
            refit_data.part, test, refit_data.task, seed=spec.seed, embedded=refit_data.embedded
        ),
        inspection=found,
    )


def refit(
    fact: TrialFact,
    spec: StudySpec,
    data: RefitData,
    start: Start | None,
    addresses: Sequence[Address],
) -> tuple[list[Weights], Hyperparameters, int]:
    """Train a trial's recipe on training and validation rows, once from each address; also for how many epochs.

    Raises:
        TrainingError: a network diverged.
    """
    hyperparameters, epochs = _recipe(fact, spec, data)
    factors = fact.curves.get("plateau_factor")
    cohort = Cohort(
        [Member(hyperparameters, address, plateau_factors=factors) for address in addresses],
        data.part,
        outputs=data.task.outputs(hyperparameters.loss),
        tokens=data.tokens,
        embedded=data.embedded,
        start=start,
    )
    with one_blas_thread():
        for _ in range(epochs):
            cohort.train_epoch()
    weights = [cohort.weights(position) for position in range(len(addresses))]
    if not all(each.is_finite for each in weights):
        raise TrainingError(f"{fact.name} diverged when it was refitted on training and validation data")
    return weights, hyperparameters, epochs


def refit_own(
    fact: TrialFact, spec: StudySpec, data: RefitData, trainer: Extension, addresses: Sequence[Address]
) -> tuple[list[OwnModel | None], int]:
    """What `refit` does, by a trainer of one's own: its models, None where it shows none, and for how many epochs.

    Raises:
        TrainingError: the trainer failed.
    """
    hyperparameters, epochs = _recipe(fact, spec, data)
    given = TrainerData(
        train=data.part, validation=data.part, task=data.task, epochs=hyperparameters.epochs, seed=0
    )
    with one_blas_thread():
        models = [
            trained_model(
                trainer.function, hyperparameters, replace(given, seed=trainer_seed(address)), epochs
            )
            for address in addresses
        ]
    own = [None if model is None else OwnModel(model=model, task=data.task) for model in models]
    return own, epochs


def _recipe(fact: TrialFact, spec: StudySpec, data: RefitData) -> tuple[Hyperparameters, int]:
    """What a trial is trained with, and for how many epochs again."""
    hyperparameters = spec.resolve(fact.params, default_loss=data.task.default_loss())
    keep_best = spec.early_stopping.restore_best
    return hyperparameters, int(fact.scores["best_epoch"]) if keep_best else fact.epochs


def _inspect(
    predict: Callable[[NDArray[Any]], NDArray[np.floating]],
    test: Part,
    outputs: NDArray[np.floating],
    data: RefitData,
    sealed: SealedTest,
    *,
    loss: str,
    seed: int,
) -> dict[str, Any]:
    """What stands behind the test scores, the worst rows as they came, and of tables how much each column matters."""
    found = inspect(outputs, test.y, task=data.task, loss=loss)
    blocks: Mapping[str, slice] = getattr(data.preprocessor, "blocks", {})
    if blocks:
        found["importance"] = permutation_importance(
            predict,
            test.x,
            test.y,
            blocks,
            task=data.task,
            loss=loss,
            stream=Address(seed=seed).stream("permutation"),
        )
    worst = found["worst"]
    rows = np.array([each["row"] for each in worst], dtype=np.int64)
    shown = sealed.examples(rows, [*found.get("importance", ())]) if worst else []
    for each, example in zip(worst, shown, strict=False):  # of large pictures only a few are shown
        each.update(example)
    return found


def _lone_predictors(data: RefitData) -> dict[str, float]:
    """The inputs that give the target away alone, by name; not looked for in data that lie in files."""
    part = data.part
    if type(part.x) is not np.ndarray:
        return {}
    found = lone_predictors(part.x[:_LOOKED_AT], part.y[:_LOOKED_AT], task=data.task)
    names: Sequence[str] = getattr(data.preprocessor, "feature_names", ())
    return {
        names[place] if place < len(names) else f"input {place}": gained for place, gained in found.items()
    }


def _test_scores(
    outputs: NDArray[np.floating],
    y: NDArray[np.generic],
    task: Task,
    *,
    loss: str,
    seed: int,
    metrics: Sequence[OwnMetric] = (),
) -> dict[str, Score]:
    values = final_scores(outputs, y, task=task, loss=loss)
    stream = Address(seed=seed).stream("bootstrap")
    intervals = dict(bootstrap_scores(outputs, y, task=task, loss=loss, stream=stream))
    values |= tested_by(metrics, outputs, y, task=task, loss=loss)
    for metric in metrics:
        stream = Address(seed=seed).stream("bootstrap")
        intervals[metric.name] = metric.interval(outputs, y, task=task, loss=loss, stream=stream)
    return {
        name: Score(value=value, low=intervals[name][0], high=intervals[name][1])
        for name, value in values.items()
    }
