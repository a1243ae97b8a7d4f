"""Early stopping as tables: what is monitored, epoch by epoch, and what becomes of the trial."""

import numpy as np
import pytest

from hpsearch.judgment.stopping import Verdict, Watch

C, F, S, P, D = Verdict.CONTINUE, Verdict.FINISHED, Verdict.CONVERGED, Verdict.PRUNED, Verdict.DIVERGED


def follow(values, *, epochs=99, patience=2, min_delta=0.0, direction="minimize", thresholds=None):
    """Watch one trial until it stops: the verdicts, and the watch."""
    limits = np.full((1, epochs), np.nan)
    for epoch, limit in (thresholds or {}).items():
        limits[0, epoch - 1] = limit
    watch = Watch(
        1, epochs=[epochs], patience=patience, min_delta=min_delta, direction=direction, thresholds=limits
    )
    verdicts = []
    for epoch, value in enumerate(values, start=1):
        verdicts += watch.update([0], epoch, np.array([value], dtype=np.float64))[0]
        if verdicts[-1] is not C:
            break
    return verdicts, watch


@pytest.mark.parametrize(
    ("values", "patience", "min_delta", "verdicts"),
    [
        ([3, 2, 1, 0], 1, 0.0, [C, C, C, C]),
        ([3, 3], 1, 0.0, [C, S]),
        ([3, 4, 4], 2, 0.0, [C, C, S]),
        ([3, 4, 2, 4, 4], 2, 0.0, [C, C, C, C, S]),
        ([3, 2.5, 2.2], 2, 1.0, [C, C, S]),  # gains too small for patience
        ([3, 2.6, 1.9, 1.8], 2, 1.0, [C, C, C, C]),  # that add up within it
        ([3, 2.0, 1.5], 1, 1.0, [C, S]),  # exactly min_delta is not more than it
        ([3, 9, 9, 9, 9, 9], None, 0.0, [C] * 6),
    ],
)
def test_patience_counts_epochs_without_a_gain_above_min_delta(values, patience, min_delta, verdicts):
    assert follow(values, patience=patience, min_delta=min_delta)[0] == verdicts


def test_the_best_value_is_the_true_minimum_however_small_the_gain():
    verdicts, watch = follow([3.0, 2.9, 2.95], min_delta=0.5)
    assert verdicts[-1] is S
    assert (watch.best_epoch[0], watch.best_value[0]) == (2, 2.9)


def test_the_first_of_equal_values_is_the_best():
    assert follow([3, 2, 2, 2], patience=9)[1].best_epoch[0] == 2


def test_a_metric_to_maximize_is_followed_upwards_and_keeps_its_sign():
    verdicts, watch = follow([0.5, 0.7, 0.6, 0.6], direction="maximize")
    assert verdicts == [C, C, C, S]
    assert (watch.best_epoch[0], watch.best_value[0]) == (2, 0.7)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_a_value_that_is_not_finite_is_divergence_and_never_the_best(bad, direction):
    verdicts, watch = follow([1.0, bad], direction=direction)
    assert verdicts == [C, D]
    assert (watch.best_epoch[0], watch.best_value[0]) == (1, 1.0)


def test_a_trial_that_never_had_a_finite_value_has_no_best():
    _, watch = follow([np.nan])
    assert watch.best_epoch[0] == 0
    assert np.isnan(watch.best_value[0])


@pytest.mark.parametrize(
    ("values", "limits", "verdicts"),
    [
        ([3, 3, 3], {3: 2.0}, [C, C, P]),
        ([3, 3, 3], {3: 3.0}, [C, C, C]),  # equal is not worse
        ([1, 3, 3], {3: 2.0}, [C, C, C]),  # the best so far counts
        ([3, 1, 3], {1: 2.0}, [P]),
    ],
)
def test_a_trial_whose_best_is_worse_than_the_threshold_is_pruned(values, limits, verdicts):
    assert follow(values, patience=None, thresholds=limits)[0] == verdicts


def test_thresholds_are_of_the_minimized_metric():
    assert follow([0.5], direction="maximize", thresholds={1: -0.6})[0] == [P]
    assert follow([0.7], direction="maximize", thresholds={1: -0.6})[0] == [C]


@pytest.mark.parametrize(
    ("values", "epochs", "verdict"),
    [
        ([1, np.nan], 2, D),  # before finished
        ([1, 2], 2, F),  # before converged and pruned
        ([1, 2], 3, S),  # before pruned
    ],
)
def test_of_several_verdicts_the_first_in_order_is_given(values, epochs, verdict):
    verdicts, _ = follow(values, epochs=epochs, patience=1, thresholds={2: 0.0})
    assert verdicts == [C, verdict]


def test_trials_watched_together_are_judged_as_alone():
    """Each trial of a cohort leaves when its own curve says so, whoever else is there."""
    stream = np.random.default_rng(0)
    n, longest = 40, 30
    curves = np.cumsum(stream.normal(-0.1, 1, size=(n, longest)), axis=1)
    curves[stream.random(curves.shape) < 0.01] = np.nan
    epochs = stream.integers(1, longest + 1, size=n)
    limits = np.where(stream.random(curves.shape) < 0.3, stream.normal(0, 3, size=curves.shape), np.nan)
    given = {"patience": 4, "min_delta": 0.2, "direction": "minimize"}
    together = Watch(n, epochs=epochs, thresholds=limits, **given)
    last, rows, epoch = [C] * n, list(range(n)), 0
    while rows:
        epoch += 1
        verdicts, _ = together.update(rows, epoch, curves[rows, epoch - 1])
        for row, verdict in zip(rows, verdicts, strict=True):
            last[row] = verdict
        rows = [row for row in rows if last[row] is C]
    assert {F, S, P, D} <= set(last)
    for row in range(n):
        alone = Watch(1, epochs=epochs[row : row + 1], thresholds=limits[row : row + 1], **given)
        for epoch in range(1, longest + 1):
            (verdict,), _ = alone.update([0], epoch, curves[row : row + 1, epoch - 1])
            if verdict is not C:
                break
        assert verdict is last[row]
        assert alone.best_epoch[0] == together.best_epoch[row]


def test_improved_names_the_rows_with_a_new_best():
    watch = Watch(
        3,
        epochs=[9] * 3,
        patience=None,
        min_delta=0.5,
        direction="minimize",
        thresholds=np.full((3, 9), np.nan),
    )
    watch.update([0, 1, 2], 1, np.array([1.0, 1.0, 1.0]))
    _, improved = watch.update([2, 0], 2, np.array([0.9, 1.0]))
    assert improved.tolist() == [True, False]
    assert watch.best_epoch.tolist() == [1, 1, 2]
