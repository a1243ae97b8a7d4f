"""The task that workers run, and the executors that run it."""

import dataclasses
import time

import numpy as np
import pytest

from hpsearch.data import prepare
from hpsearch.execution import CohortTask, TrialTask, open_executor, train_cohort
from hpsearch.execution.evaluation import EvaluationSet
from hpsearch.execution.outcome import StoppedError
from hpsearch.judgment.stopping import Verdict
from hpsearch.randomness import Address
from tests.support.studies import spec_of

TEXT = """
study: training
data: {source: sklearn/iris}
model: {hidden: [6]}
space: {learning_rate: {min: 1e-4, max: 10}, epochs: {min: 1, max: 40}, optimizer: [sgd, adam]}
"""
SPEC = spec_of(TEXT)


@pytest.fixture(scope="module")
def data():
    return prepare(SPEC.data, seed=SPEC.seed, base=SPEC.base).training


def trial(number, *, thresholds=None, **params):
    chosen = {"learning_rate": 0.01, "epochs": 8, "optimizer": "adam", **params}
    hyperparameters = SPEC.resolve(chosen, default_loss="cross_entropy")
    limits = np.full(hyperparameters.epochs, np.nan) if thresholds is None else np.array(thresholds)
    return TrialTask(
        number=number,
        hyperparameters=hyperparameters,
        address=Address(seed=0, trial=number),
        thresholds=limits,
    )


def task(*trials, **stopping):
    early = dataclasses.replace if dataclasses.is_dataclass(SPEC.early_stopping) else None
    stop = (
        early(SPEC.early_stopping, **stopping) if early else SPEC.early_stopping.model_copy(update=stopping)
    )
    return CohortTask(trials=trials, objectives=SPEC.objectives, early_stopping=stop)


def train(data, *trials, **stopping):
    return train_cohort(task(*trials, **stopping), data, evaluation=EvaluationSet.draw(data, 0))


def without_clock(outcome):
    return dataclasses.replace(outcome, started=0.0, seconds=0.0)


def test_outcomes_come_in_the_order_of_the_task(data):
    """Whatever order the engine keeps its rows in."""
    outcomes = train(data, trial(5, optimizer="adam"), trial(3, optimizer="sgd"), trial(9))
    assert [outcome.number for outcome in outcomes] == [5, 3, 9]


def test_a_trial_ends_as_it_would_alone(data):
    """Law 1 through the whole task: verdicts, curves, scores and factors, to the last bit."""
    trials = [
        trial(0, epochs=3),
        trial(1, learning_rate=9.0, optimizer="sgd"),
        trial(2, thresholds=[0.0] * 8),
        trial(3, epochs=40, learning_rate=0.1),
    ]
    together = train(data, *trials, patience=2)
    alone = [train(data, one, patience=2)[0] for one in trials]
    assert [without_clock(outcome) for outcome in together] == [without_clock(outcome) for outcome in alone]


def test_every_curve_has_one_number_an_epoch(data):
    """Losses and metrics of both parts, learning rate, gradient and weight norm."""
    (outcome,) = train(data, trial(0, epochs=4))
    assert outcome.verdict is Verdict.FINISHED
    assert {len(curve) for curve in outcome.curves.values()} == {4}
    assert set(outcome.curves) == {
        "train_loss",
        "validation_loss",
        "train_accuracy",
        "validation_accuracy",
        "learning_rate",
        "gradient_norm",
        "weight_norm",
    }
    assert outcome.curves["validation_loss"][-1] < outcome.curves["validation_loss"][0]


def test_a_hopeless_trial_is_pruned_where_its_threshold_stands(data):
    """NaN is no threshold; the first epoch with one decides."""
    (outcome,) = train(data, trial(0, thresholds=[np.nan, np.nan, 0.0, 0.0, 0, 0, 0, 0]))
    assert outcome.verdict is Verdict.PRUNED
    assert len(outcome.curves["validation_loss"]) == 3


def test_the_kept_weights_are_those_of_the_best_epoch(data):
    """`restore_best` scores the best epoch, without it the last."""
    settings = {"learning_rate": 0.3, "epochs": 12}
    (best,) = train(data, trial(0, **settings), patience=None)
    (last,) = train(data, trial(0, **settings), patience=None, restore_best=False)
    curve = best.curves["validation_loss"]
    assert best.scores["log_loss"] == pytest.approx(min(curve), rel=1e-4)
    assert last.scores["log_loss"] == pytest.approx(curve[-1], rel=1e-4)
    assert min(curve) < curve[-1]


def changed(task_of_trial, **hyperparameters):
    replaced = dataclasses.replace(task_of_trial.hyperparameters, **hyperparameters)
    return dataclasses.replace(task_of_trial, hyperparameters=replaced)


@pytest.mark.parametrize(
    ("wrong", "verdict", "reason"),
    [
        ({"optimizer": "nothing"}, Verdict.FAILED, "ValueError"),
        ({"learning_rate": 1e30, "optimizer": "sgd"}, Verdict.DIVERGED, ""),
    ],
)
def test_an_impossible_trial_fails_alone(data, wrong, verdict, reason):
    """Its neighbour goes on, or is trained again without it, and is none the worse."""
    good, bad = train(data, trial(0), changed(trial(1), **wrong))
    assert bad.verdict is verdict
    assert reason in bad.error
    assert without_clock(good) == without_clock(train(data, trial(0))[0])


def test_a_network_too_large_for_memory_is_a_failed_trial(data):
    """The reason is named; nothing is raised."""
    (outcome,) = train(data, changed(trial(0), hidden=(10**6, 10**6)))
    assert outcome.verdict is Verdict.FAILED
    assert "Memory" in outcome.error


def test_a_stop_is_heeded_at_the_next_epoch(data):
    """No outcome is made of a trial that was not trained to its end."""
    with pytest.raises(StoppedError):
        train_cohort(task(trial(0)), data, evaluation=EvaluationSet.draw(data, 0), stop=lambda: True)


@pytest.fixture(scope="module")
def folded():
    """Three folds of iris (33 or 34 rows validate), two seeds: six networks a trial."""
    spec = spec_of(TEXT, data__split__folds="3", data__split__seeds="2", data__split__test="0.32")
    return prepare(spec.data, seed=spec.seed, base=spec.base).training


def test_a_trial_of_several_networks_ends_as_it_would_alone(folded):
    """Law 1 with folds and seeds: whoever trains beside it, in whatever order, and leaves when."""
    trials = [
        trial(0, epochs=3),
        trial(1, learning_rate=9.0, optimizer="sgd"),
        trial(2, thresholds=[0.0] * 8),
        trial(3, epochs=20, learning_rate=0.1),
    ]
    together = train(folded, *reversed(trials), patience=2)
    alone = [train(folded, one, patience=2)[0] for one in reversed(trials)]
    assert [without_clock(outcome) for outcome in together] == [without_clock(outcome) for outcome in alone]
    assert {outcome.verdict for outcome in together} >= {Verdict.PRUNED, Verdict.FINISHED}


def test_a_trial_of_several_networks_is_their_mean(folded):
    """Curves and scores are means over folds and seeds; each network's own numbers are kept, and they differ."""
    (outcome,) = train(folded, trial(0, epochs=4), patience=None)
    assert len(outcome.members) == 6
    at = outcome.best_epoch - 1
    for name in ("validation_loss", "train_loss", "validation_accuracy"):
        of_members = [member[name] for member in outcome.members]
        assert outcome.curves[name][at] == pytest.approx(np.mean(of_members), rel=1e-12)
    assert len({member["validation_loss"] for member in outcome.members}) == 6
    assert outcome.scores["log_loss"] == pytest.approx(outcome.curves["validation_loss"][at], rel=1e-4)


def test_each_network_learns_from_its_fold_and_is_judged_on_the_rest_of_it(folded):
    """A single fold as data of its own gives the numbers of that fold's first network."""
    (outcome,) = train(folded, trial(0, epochs=3), patience=None)
    single = dataclasses.replace(folded, folds=folded.folds[:1], seeds=1)
    (alone,) = train(single, trial(0, epochs=3), patience=None)
    assert len(folded.folds[0].train) == len(folded.folds[1].train) == len(folded.folds[2].train)
    at = outcome.best_epoch - 1
    assert outcome.members[0]["validation_loss"] == pytest.approx(
        alone.curves["validation_loss"][at], rel=1e-6
    )


def test_a_single_network_has_no_members_to_tell_apart(data):
    (outcome,) = train(data, trial(0, epochs=2))
    assert outcome.members == ()


@pytest.mark.parametrize("workers", [1, 2])
def test_executors_train_all_networks_of_a_trial(folded, workers):
    expected = train(folded, trial(0))
    with open_executor(folded, seed=0, workers=workers) as pool:
        outcomes = pool.wait(pool.submit(task(trial(0))))
    assert list(map(without_clock, outcomes)) == list(map(without_clock, expected))


@pytest.mark.parametrize("workers", [1, 2])
def test_executors_give_what_the_task_gives(data, workers):
    """A pool's outcomes are those of this process, to the last bit."""
    expected = train(data, trial(0), trial(1, optimizer="sgd"))
    with open_executor(data, seed=0, workers=workers) as pool:
        outcomes = pool.wait(pool.submit(task(trial(0), trial(1, optimizer="sgd"))))
    assert [without_clock(outcome) for outcome in outcomes] == [
        without_clock(outcome) for outcome in expected
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_deadline_ends_the_wait(data, workers):
    """Within an epoch, not at the end of a long training."""
    long = [trial(number, epochs=40, learning_rate=1e-4) for number in range(400)]
    with open_executor(data, seed=0, workers=workers, deadline=time.monotonic() + 0.3) as pool:
        future = pool.submit(task(*long, patience=None))
        with pytest.raises(StoppedError):
            pool.wait(future)
