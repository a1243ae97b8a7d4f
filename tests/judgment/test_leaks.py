"""An input that alone predicts the target is named; inputs that only help are not."""

import numpy as np
import pytest

from hpsearch.data.prepared import Task
from hpsearch.judgment.leaks import lone_predictors

NUMBERS = Task(kind="regression", target_names=("y",), target_mean=(0.0,), target_scale=(1.0,))
CLASSES = Task(kind="multiclass", target_names=("y",), classes=("a", "b", "c"))


@pytest.mark.parametrize("seed", range(5))
def test_numbers(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((400, 5)).astype(np.float32)
    y = (x @ rng.standard_normal(5) + rng.standard_normal(400))[:, None].astype(np.float32)
    assert lone_predictors(x, y, task=NUMBERS) == {}
    x[:, 3] = np.tanh(y[:, 0])
    assert list(lone_predictors(x, y, task=NUMBERS)) == [3]


@pytest.mark.parametrize("seed", range(5))
def test_classes(seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=300).astype(np.int32)
    x = (rng.standard_normal((300, 4)) + y[:, None]).astype(np.float32)
    assert lone_predictors(x, y, task=CLASSES) == {}
    x[:, 0] = np.array([7.0, -1.0, 3.0])[y]
    assert lone_predictors(x, y, task=CLASSES) == {0: 1.0}


def test_what_cannot_be_judged_says_nothing():
    y = np.zeros(300, np.int32)
    assert lone_predictors(np.zeros((300, 2), np.float32), y, task=CLASSES) == {}
    assert lone_predictors(np.zeros((300, 4, 4, 1), np.float32), y, task=CLASSES) == {}
    assert lone_predictors(np.zeros((10, 2), np.float32), y[:10], task=CLASSES) == {}
