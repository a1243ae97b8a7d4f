"""Classes of different size: weights and rows that come again; the loss that they stand for."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.data import prepare
from hpsearch.data.balance import class_weights, oversampled
from hpsearch.data.prepared import Part, Task
from hpsearch.engine import Cohort
from hpsearch.errors import DataError
from tests.support.recipes import blobs, member
from tests.support.tables import settings

TASK = Task(kind="multiclass", target_names=("t",), classes=("a", "b", "c"))


@given(st.lists(st.integers(0, 2), min_size=1, max_size=50))
def test_balanced_classes_weigh_alike_and_samples_one_on_average(ids):
    ids = np.array(ids)
    weights = class_weights(ids, TASK, "balanced")
    np.testing.assert_allclose(weights.mean(), 1, rtol=1e-5)
    sums = [weights[ids == label].sum() for label in np.unique(ids)]
    np.testing.assert_allclose(sums, sums[0], rtol=1e-5)


def test_given_weights_keep_their_proportions():
    ids = np.array([0, 0, 1, 2])
    weights = class_weights(ids, TASK, {"a": 1.0, "b": 3.0})
    np.testing.assert_allclose(weights / weights[0], [1, 1, 3, 1], rtol=1e-6)
    np.testing.assert_allclose(weights.mean(), 1)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=50))
def test_oversampling_shows_every_class_as_often_as_the_largest(ids):
    ids = np.array(ids)
    rows = oversampled(ids)
    shown = np.bincount(ids[rows])
    assert set(shown[shown > 0]) == {np.bincount(ids).max()}
    assert set(rows) == set(range(len(ids)))


def first_gradient(part):
    """The parameters after one plain step on all samples: minus the gradient, in effect."""
    cohort = Cohort([member(batch_size=1000, learning_rate=1.0)], part, outputs=3, dtype=np.float64)
    before = cohort.weights(0).parameters.copy()
    cohort.train_epoch()
    return before - cohort.weights(0).parameters


def test_a_weight_of_two_is_a_sample_that_is_there_twice():
    """And so is a row that comes twice in an epoch: the gradient is that of the repeated samples."""
    part = blobs(12)
    rows = np.concatenate([np.arange(12), np.arange(6)])
    repeated = Part(x=part.x[rows], y=part.y[rows])
    weights = np.where(np.arange(12) < 6, 2, 1).astype(np.float32)
    weighted = Part(x=part.x, y=part.y, weights=weights / weights.mean())
    again = Part(x=part.x, y=part.y, epoch=rows)
    expected = first_gradient(repeated)
    np.testing.assert_allclose(first_gradient(weighted), expected, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(first_gradient(again), expected, rtol=1e-9, atol=1e-12)


def table(tmp_path, target):
    random = np.random.default_rng(0)
    pd.DataFrame({"a": random.normal(size=60), "price": target}).to_csv(tmp_path / "table.csv", index=False)


def test_only_what_trains_is_balanced(tmp_path):
    table(tmp_path, ["rare"] * 10 + ["common"] * 50)
    weighted = prepare(settings(class_weight="balanced"), seed=0, base=tmp_path)
    assert weighted.training.validation.weights is None
    assert weighted.training.train.weights is not None
    assert weighted.refit().part.weights is not None
    again = prepare(settings(oversample=True), seed=0, base=tmp_path)
    assert len(again.training.train.epoch) == 2 * 30
    assert again.training.validation.epoch is None


@pytest.mark.parametrize(
    ("target", "given", "said"),
    [
        (np.linspace(0, 1, 60), {"oversample": True}, "data.oversample: is for classes"),
        (
            ["a", "b"] * 30,
            {"class_weight": {"c": 2.0}},
            "data.class_weight: 'c' is not a class; classes: a, b",
        ),
    ],
)
def test_what_cannot_be_balanced_is_told(tmp_path, target, given, said):
    table(tmp_path, target)
    with pytest.raises(DataError) as caught:
        prepare(settings(**given), seed=0, base=tmp_path)
    assert said in str(caught.value)
