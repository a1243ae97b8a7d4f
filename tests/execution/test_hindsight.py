"""Pruning in hindsight: the same verdicts in whatever order, and with whatever knowledge, trials were trained."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.execution.cohorts import CohortTask, TrialTask
from hpsearch.execution.hindsight import Hindsight, _cut
from hpsearch.execution.outcome import Outcome
from hpsearch.execution.pipeline import Pipeline
from hpsearch.judgment.pruning import History, pruned_after, thresholds
from hpsearch.judgment.stopping import Verdict
from hpsearch.randomness import Address
from hpsearch.spec import EarlyStopping, Objective, Pruning
from tests.support.recipes import recipe
from tests.support.workers import Delayed

OBJECTIVE = Objective(metric="validation_loss", direction="minimize")


def task(number, epochs):
    return TrialTask(
        number=number,
        hyperparameters=recipe(epochs=epochs),
        address=Address(seed=0, trial=number),
        thresholds=np.full(epochs, np.nan),
    )


def outcome(number, curve, verdict):
    return Outcome(
        number=number,
        verdict=verdict,
        curves={"validation_loss": tuple(curve), "train_loss": tuple(curve)},
        best_epoch=int(np.argmin(curve)) + 1,
        scores={"loss": min(curve)} if verdict is Verdict.FINISHED else {},
        plateau_factors=(1.0,) * len(curve),
        weights=1,
        started=0.0,
        seconds=float(len(curve)),
        members=({"validation_loss": min(curve)},) * 2 if verdict is Verdict.FINISHED else (),
    )


def train(trial, curve):
    """As a worker does: to the end, or until its best falls behind a threshold."""
    epoch = pruned_after(curve, trial.thresholds, ended=True)
    if epoch is None:
        return outcome(trial.number, curve, Verdict.FINISHED)
    return outcome(trial.number, curve[:epoch], Verdict.PRUNED)


def one_after_the_other(rule, curves):
    """The verdicts of a search that knows all earlier trials: the epochs trained, and whether the trial was pruned."""
    history, verdicts = History(), []
    for number, curve in enumerate(curves):
        limits = thresholds(rule, history, number=number, epochs=len(curve))
        epoch = pruned_after(curve, limits, ended=True)
        history.add(curve[:epoch], number=number, finished=epoch is None)
        verdicts.append((epoch or len(curve), epoch is not None))
    return verdicts


def under(rule, curves, *, workers, window, cohorts_of, delays):
    """The same verdicts of a search in windows, its cohorts trained by several workers."""
    hindsight = Hindsight(rule, OBJECTIVE, rounded=list)

    def ready(cohort, trained):
        return replace(cohort, trials=tuple(hindsight.foresee(trial, trained) for trial in cohort.trials))

    def trained(cohort):
        return [train(trial, curves[trial.number]) for trial in cohort.trials]

    verdicts, starts = [], list(range(0, len(curves), window))
    with Delayed(trained, workers, delays) as pool:
        pipeline = Pipeline(pool, depth=2, ready=ready)
        while starts or not pipeline.empty:
            if starts and not pipeline.full:
                numbers = range(len(curves))[starts.pop(0) :][:window]
                pipeline.issue(numbers, cohorts_of(numbers))
                continue
            for number, outcome in pipeline.retire():
                judged = hindsight.judge(outcome, epochs=len(curves[number]))
                pruned = judged.verdict is Verdict.PRUNED
                hindsight.remember(judged.curves, number=number, finished=not pruned)
                verdicts.append((len(judged.curves["validation_loss"]), pruned))
    return verdicts


@given(
    curves=st.lists(st.lists(st.floats(0, 10, width=32), min_size=1, max_size=8), min_size=1, max_size=14),
    rule=st.sampled_from(["median", "percentile", "halving", "hyperband"]),
    workers=st.integers(1, 3),
    window=st.integers(1, 6),
    data=st.data(),
)
@settings(max_examples=60)
def test_verdicts_are_those_of_a_search_one_after_the_other(curves, rule, workers, window, data):
    """Whatever the packing, the number of workers, and who is done first."""
    section = Pruning(rule=rule, warmup_epochs=1, startup_trials=2, reduction_factor=2)
    delays = data.draw(st.lists(st.sampled_from([0.0, 0.0005, 0.001]), min_size=28, max_size=28))
    shuffled = data.draw(st.booleans())

    def cohorts_of(numbers):
        groups = [numbers[::2], numbers[1::2]][:: -1 if shuffled else 1]
        trials = [tuple(task(n, len(curves[n])) for n in group) for group in groups if group]
        return [CohortTask(trials=t, objectives=(OBJECTIVE,), early_stopping=EarlyStopping()) for t in trials]

    verdicts = under(section, curves, workers=workers, window=window, cohorts_of=cohorts_of, delays=delays)
    assert verdicts == one_after_the_other(section, curves)


def test_what_was_trained_in_vain_shows_nowhere():
    """A trial cut in hindsight is the trial that was pruned there."""
    hindsight = Hindsight(Pruning(rule="median", warmup_epochs=0, startup_trials=1), OBJECTIVE, rounded=list)
    hindsight.remember({"validation_loss": (5.0, 4.0, 1.0, 1.0)}, number=0, finished=True)
    judged = hindsight.judge(outcome(1, [4.5, 4.2, 0.5, 0.4], Verdict.FINISHED), epochs=4)
    assert judged == outcome(1, [4.5, 4.2], Verdict.PRUNED)


def test_a_cut_trial_keeps_what_was_sampled_until_then():
    """Networks are looked into in epochs 1, 2, 3, 4, 6, 8; a trial that is cut after epoch 5 has seen four of them."""
    curve = tuple(float(epoch) for epoch in range(8))
    outcome = Outcome(
        number=0,
        verdict=Verdict.FINISHED,
        curves={"validation_loss": curve},
        best_epoch=1,
        scores={"accuracy": 1.0},
        plateau_factors=(1.0,) * 8,
        weights=3,
        started=0.0,
        seconds=8.0,
        samples={"idle/1 dense": (0.1, 0.2, 0.3, 0.4, 0.6, 0.8)},
        sample_losses=(0.5, 0.6),
    )
    cut = _cut(outcome, 5, 1)
    assert cut.samples == {"idle/1 dense": (0.1, 0.2, 0.3, 0.4)}
    assert cut.sample_losses == ()
