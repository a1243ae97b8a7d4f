"""Trials of a trainer of one's own: what it must give, when it ends, what fails."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from hpsearch.data import prepare
from hpsearch.data.prepared import Part
from hpsearch.errors import TrainingError
from hpsearch.execution import CohortTask, TrialTask, train_cohort
from hpsearch.execution.evaluation import EvaluationSet
from hpsearch.execution.outcome import StoppedError
from hpsearch.execution.own_models import OwnModel
from hpsearch.execution.trainers import TrainerData, trained_model
from hpsearch.extensions import Extension
from hpsearch.judgment.stopping import Verdict
from hpsearch.randomness import Address
from tests.support import trainers
from tests.support.studies import spec_of

TEXT = """
study: own
data: {source: sklearn/iris}
trainer: any
space: {epochs: 12, step: {min: 1e-2, max: 1.0, log: true}}
"""


def data_of(spec):
    return prepare(spec.data, seed=0, base=spec.base).training


@pytest.fixture(scope="module")
def iris():
    return data_of(spec_of(TEXT))


def outcome(trainer, data, *, limits=(), text=TEXT, stop=lambda: False, **params):
    """What one trial of a trainer comes to."""
    spec = spec_of(text)
    recipe = spec.resolve({"step": 0.1, **params}, default_loss="cross_entropy")
    thresholds = np.full(recipe.epochs, np.nan)
    thresholds[: len(limits)] = limits
    trial = TrialTask(
        number=0, hyperparameters=recipe, address=Address(seed=0, trial=0), thresholds=thresholds
    )
    task = CohortTask(
        trials=(trial,),
        objectives=spec.objectives,
        early_stopping=spec.early_stopping,
        trainer=Extension.of(trainer),
    )
    return train_cohort(task, data, evaluation=EvaluationSet.draw(data, 0), stop=stop)[0]


def giving(*epochs):
    return lambda _, __: list(epochs)


def test_curves_are_what_it_yields_and_the_seed_decides_them(iris):
    one, again = outcome(trainers.softmax, iris), outcome(trainers.softmax, iris)
    assert one.curves == again.curves
    assert {name: len(curve) for name, curve in one.curves.items()} == {
        "train_loss": 12,
        "validation_loss": 12,
    }
    assert one.verdict is Verdict.FINISHED


@pytest.mark.parametrize(
    ("trainer", "said"),
    [
        (lambda _, __: 3, "the trainer gives int, not dicts one after another"),
        (lambda _, __: {"validation_loss": 1}, "the trainer gives dict, not dicts one after another"),
        (giving(), "the trainer gives no epoch at all"),
        (giving(3), "epoch 1 of the trainer is int, not a dict of metrics"),
        (giving({"validation_loss": "low"}), "epoch 1 of the trainer: validation_loss is no number but str"),
        (giving({"a b": 1.0}), "epoch 1 of the trainer has a metric 'a b', whose name is no word"),
        (
            giving({"val_loss": 1.0}),
            "the trainer gives no validation_loss, which is the objective (it gives val_loss)",
        ),
        (
            giving({"validation_loss": 1.0, "train_loss": 1.0}, {"validation_loss": 1.0}),
            "epoch 2 of the trainer has other metrics than the first: train_loss",
        ),
    ],
)
def test_what_a_trainer_must_give_is_said(trainer, said, iris):
    failed = outcome(trainer, iris)
    assert (failed.verdict, failed.error) == (Verdict.FAILED, said)


def test_an_exception_fails_its_trial_with_its_line(iris):
    failed = outcome(trainers.moody, iris, step=0.02)
    assert failed.verdict is Verdict.FAILED
    assert re.fullmatch(r"RuntimeError: too small a step \(.*trainers\.py:\d+\)", failed.error)


def test_what_is_no_number_has_diverged(iris):
    assert outcome(trainers.moody, iris, step=0.5).verdict is Verdict.DIVERGED


def test_pruning_patience_and_the_driver_end_it_and_close_it(iris):
    trainers.CLOSED.clear()
    pruned = outcome(trainers.softmax, iris, limits=(np.nan, 0.0))
    assert (pruned.verdict, len(pruned.curves["train_loss"])) == (Verdict.PRUNED, 2)
    patient = TEXT + "early_stopping: {patience: 2, min_delta: 9}\n"
    converged = outcome(trainers.softmax, iris, text=patient)
    assert (converged.verdict, len(converged.curves["train_loss"])) == (Verdict.CONVERGED, 3)
    asked = iter([False, True])
    with pytest.raises(StoppedError):
        outcome(trainers.softmax, iris, stop=lambda: next(asked))
    assert len(trainers.CLOSED) == 3


def test_it_may_end_early(iris):
    ended = outcome(giving({"validation_loss": 2.0}, {"validation_loss": 1.0}), iris)
    assert (ended.verdict, ended.best_epoch) == (Verdict.FINISHED, 2)


def test_a_failure_of_the_refit_is_told_with_its_line(iris):
    recipe = spec_of(TEXT).resolve({"step": 0.02}, default_loss="cross_entropy")
    data = TrainerData(train=iris.train, validation=iris.train, task=iris.task, epochs=3, seed=0)
    with pytest.raises(TrainingError, match=r"winner was to be refitted: RuntimeError: too small a step \("):
        trained_model(trainers.moody, recipe, data, 3)


@pytest.mark.parametrize(
    ("predictions", "said"),
    [([0.0, 3.0], "class ids that are not from 0 to 2"), ([[0.0]], "an array of shape (1, 1), not (2, 3)")],
)
def test_what_a_model_must_predict_is_said(predictions, said, iris):
    model = SimpleNamespace(predict=lambda _: predictions)
    part = Part(x=iris.train.x[:2], y=iris.train.y[:2])
    with pytest.raises(TrainingError) as caught:
        OwnModel(model=model, task=iris.task).outputs(part)
    assert said in str(caught.value)


def test_models_of_folds_and_seeds_train_side_by_side():
    """Curves are their means; each has a seed of its own."""
    text = TEXT.replace("iris}", "iris, split: {folds: 3, seeds: 2}}")
    of_folds = outcome(trainers.softmax, data_of(spec_of(text)), text=text)
    losses = [member["validation_loss"] for member in of_folds.members]
    assert len(set(losses)) == 6
    assert np.isclose(of_folds.curves["validation_loss"][of_folds.best_epoch - 1], np.mean(losses))
