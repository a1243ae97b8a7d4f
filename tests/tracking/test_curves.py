import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.tracking.curves import curve_key, curve_points, kept_epochs, score_key, shown_curves
from tests.support.facts import fact


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("train_loss", "train/loss"),
        ("validation_macro_f1", "validation/macro_f1"),
        ("learning_rate", "training/learning_rate"),
        ("gradient_norm", "training/gradient_norm"),
    ],
)
def test_curves_are_grouped_by_what_they_measure(name, key):
    assert curve_key(name) == key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("best_epoch", "best/epoch"),
        ("best_validation_loss", "best/validation_loss"),
        ("last_train_loss", "last/train_loss"),
        ("generalization_gap", "gap/loss"),
        ("gap_accuracy", "gap/accuracy"),
        ("weights", "score/weights"),
    ],
)
def test_scores_are_grouped_by_when_they_were_taken(name, key):
    assert score_key(name) == key


def test_what_the_learning_rate_shows_already_is_not_shown_twice():
    curves = {"learning_rate": (0.1, 0.05), "plateau_factor": (1.0, 0.5)}
    assert shown_curves(fact(curves=curves)) == {"training/learning_rate": (0.1, 0.05)}


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=80), st.integers(8, 40))
def test_a_thinned_curve_keeps_its_ends_and_its_extremes(curve, limit):
    kept = kept_epochs(curve, limit)
    assert len(kept) <= max(limit, 1)
    assert kept == sorted(set(kept))
    assert {0, len(curve) - 1} <= set(kept)
    finite = [value for value in curve if math.isfinite(value)]
    if finite:
        assert {min(finite), max(finite)} <= {curve[epoch] for epoch in kept}
    if len(curve) <= limit:
        assert kept == list(range(len(curve)))


def test_points_spread_over_the_time_of_the_trial():
    points = curve_points({"train/loss": (2.0, 1.0, 0.5, math.inf)}, start=1000, end=3000)
    assert [(p.step, p.timestamp) for p in points] == [(1, 1500), (2, 2000), (3, 2500), (4, 3000)]
    assert [p.value for p in points[:3]] == [2.0, 1.0, 0.5]
    assert math.isnan(points[3].value)
