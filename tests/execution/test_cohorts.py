"""Which trials train together."""

import numpy as np
import pytest

from hpsearch.engine import Inputs
from hpsearch.engine.caches import second_level_cache
from hpsearch.engine.member import shape
from hpsearch.execution.cohorts import TrialTask, form_cohorts
from hpsearch.randomness import Address
from tests.support.studies import spec_of

TEXT = """
study: packing
data: {source: sklearn/iris}
space: {batch_size: [8, 16], width: [4, 8, 2000], learning_rate: {min: 1e-4, max: 1e-1}}
"""


def tasks(*params):
    spec = spec_of(TEXT)
    return [
        TrialTask(
            number=number,
            hyperparameters=spec.resolve({"learning_rate": 0.01, **given}, default_loss="cross_entropy"),
            address=Address(seed=0, trial=number),
            thresholds=np.full(30, np.nan),
        )
        for number, given in enumerate(params)
    ]


def packed(trials, **settings):
    spec = spec_of(TEXT)
    cohorts = form_cohorts(
        trials,
        objectives=spec.objectives,
        early_stopping=spec.early_stopping,
        inputs=Inputs(shape=(4,)),
        outputs=3,
        **settings,
    )
    return [cohort.numbers for cohort in cohorts]


def test_trials_that_agree_in_shape_share_a_cohort():
    """Batch size and widths decide; cohorts are ordered by their first trial."""
    trials = tasks(
        {"batch_size": 16, "width": 4},
        {"batch_size": 8, "width": 4},
        {"batch_size": 16, "width": 4},
        {"batch_size": 16, "width": 8},
    )
    assert packed(trials) == [(0, 2), (1,), (3,)]


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_no_worker_is_left_idle_while_a_cohort_can_be_cut(workers):
    """A wide cohort is cut for more workers; every trial is in exactly one cohort."""
    trials = tasks(*({"batch_size": 16, "width": 4} for _ in range(6)))
    cohorts = packed(trials, workers=workers)
    assert len(cohorts) == min(workers, 6)
    assert sorted(number for cohort in cohorts for number in cohort) == list(range(6))


def test_wide_networks_train_in_narrow_cohorts():
    """What does not fit the cache together is trained one after another."""
    trials = tasks(*({"batch_size": 16, "width": 2000} for _ in range(3)))
    assert packed(trials) == [(0,), (1,), (2,)]


def test_an_empty_window_makes_no_cohort():
    """As on resume, when all trials of a window are stored."""
    assert packed([], workers=2) == []


def test_the_cache_is_read_from_the_system():
    """A plausible number of bytes, here and where nothing can be read."""
    assert 1 << 16 <= second_level_cache() <= 1 << 30


def test_shapes_ignore_what_rides_in_columns():
    """Learning rates do not separate trials."""
    a, b = tasks({"batch_size": 8, "width": 4}, {"batch_size": 8, "width": 4, "learning_rate": 0.1})
    assert shape(a.hyperparameters) == shape(b.hyperparameters)
