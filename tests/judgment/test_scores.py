"""Scores read off curves, and what a bootstrap interval promises."""

import numpy as np
import pytest

from hpsearch.data.prepared import Task
from hpsearch.judgment.metrics import curve_metric, final_scores
from hpsearch.judgment.scores import bootstrap_interval, bootstrap_scores, objective_value, summary
from hpsearch.randomness import Address
from hpsearch.spec import Objective

CURVES = {
    "train_loss": (3.0, 2.0, 1.0),
    "validation_loss": (3.5, 2.5, 2.75),
    "validation_accuracy": (0.1, 0.5, 0.6),
    "gradient_norm": (1.0, 1.0, 1.0),
}


def test_the_summary_takes_every_curve_of_a_part_at_the_best_and_at_the_last_epoch():
    assert summary(CURVES, best_epoch=2) == {
        "epochs": 3,
        "best_epoch": 2,
        "best_train_loss": 2.0,
        "best_validation_loss": 2.5,
        "best_validation_accuracy": 0.5,
        "last_train_loss": 1.0,
        "last_validation_loss": 2.75,
        "last_validation_accuracy": 0.6,
        "generalization_gap": 0.5,
    }


def test_a_summary_holds_finite_numbers_alone():
    curves = {"train_loss": (1.0, np.inf), "validation_loss": (2.0, np.nan)}
    assert summary(curves, best_epoch=1) == {
        "epochs": 2,
        "best_epoch": 1,
        "best_train_loss": 1.0,
        "best_validation_loss": 2.0,
        "generalization_gap": 1.0,
    }
    assert summary({"train_loss": (np.nan,), "validation_loss": (np.nan,)}, best_epoch=0) == {"epochs": 1}
    assert summary({}, best_epoch=0) == {"epochs": 0}


@pytest.mark.parametrize(
    ("metric", "direction", "value", "expected"),
    [
        ("validation_loss", "minimize", "best", 2.5),
        ("validation_loss", "minimize", "last", 2.75),
        ("validation_loss", "maximize", "best", 3.5),  # the declared direction, whatever the name
        ("validation_accuracy", "maximize", "best", 0.6),
        ("train_loss", "minimize", "best", 1.0),
    ],
)
def test_an_objectives_value_follows_its_declaration(metric, direction, value, expected):
    objective = Objective(metric=metric, direction=direction, value=value)
    assert objective_value(CURVES, objective) == expected


def stream(trial=0):
    return Address(seed=5, trial=trial).stream("bootstrap")


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """Within what 400 experiments can tell, and the percentile bootstrap's known optimism."""
    draws = np.random.default_rng(0)
    hits = 0
    for experiment in range(400):
        values = draws.exponential(size=60)
        low, high = bootstrap_interval(
            lambda rows, values=values: values[rows].mean(), 60, stream(experiment), level=0.9, repeats=200
        )
        hits += low <= 1.0 <= high
    assert 0.83 < hits / 400 < 0.94


def test_an_interval_narrows_with_the_root_of_the_samples():
    widths = []
    for n in (50, 5000):
        values = np.random.default_rng(1).normal(size=n)
        low, high = bootstrap_interval(lambda rows, values=values: values[rows].mean(), n, stream())
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(10, rel=0.3)


def test_an_interval_has_the_normal_theory_width_for_a_mean():
    values = np.random.default_rng(2).normal(size=2000)
    low, high = bootstrap_interval(lambda rows: values[rows].mean(), 2000, stream())
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(2000), rel=0.1)
    assert low < values.mean() < high


def test_the_same_address_gives_the_same_interval():
    values = np.random.default_rng(2).normal(size=50)
    one, two, other = (
        bootstrap_interval(lambda rows: values[rows].mean(), 50, stream(trial)) for trial in (0, 0, 1)
    )
    assert one == two != other


def test_resamples_without_a_score_are_left_out():
    low, high = bootstrap_interval(lambda rows: 1.0 if rows[0] else np.nan, 3, stream(), repeats=50)
    assert (low, high) == (1.0, 1.0)
    assert np.isnan(bootstrap_interval(lambda _: np.nan, 3, stream(), repeats=5)).all()


def test_all_metrics_at_once_give_the_intervals_of_each_alone():
    task = Task(kind="multiclass", target_names=("t",), classes=("a", "b", "c"))
    draws = np.random.default_rng(0)
    y = draws.integers(3, size=90).astype(np.int32)
    outputs = draws.normal(size=(90, 3)).astype(np.float32)
    together = bootstrap_scores(outputs, y, task=task, loss="cross_entropy", stream=stream(), repeats=60)
    assert set(together) == set(final_scores(outputs, y, task=task, loss="cross_entropy"))
    for name, interval in together.items():

        def metric(rows, name=name):
            return curve_metric(name, outputs[None, rows], y[rows], task=task, loss="cross_entropy")[0]

        assert interval == pytest.approx(bootstrap_interval(metric, 90, stream(), repeats=60), rel=1e-9)


def test_many_rows_are_resampled_in_blocks_as_at_once(monkeypatch):
    task = Task(kind="regression", target_names=("t",), target_mean=(0.0,), target_scale=(1.0,))
    draws = np.random.default_rng(0)
    y, outputs = draws.normal(size=(2, 40, 1)).astype(np.float32)
    at_once = bootstrap_scores(outputs, y, task=task, loss="mse", stream=stream(), repeats=50)
    monkeypatch.setattr("hpsearch.judgment.scores._BLOCK", 7 * 40)
    blocks = bootstrap_scores(outputs, y, task=task, loss="mse", stream=stream(), repeats=50)
    for name, interval in at_once.items():
        assert blocks[name] == pytest.approx(interval, rel=1e-9)
