"""Stretches: every number of the flat buffers moves exactly once, whatever a stretch's size."""

import numpy as np
import pytest

from hpsearch.engine import RULES, Cohort
from hpsearch.engine.movement import alike
from tests.support.recipes import blobs, member, recipe


@pytest.mark.parametrize("size", [16, 40, 200, 1000])
@pytest.mark.parametrize("optimizer", sorted(RULES))
def test_a_stretchs_size_changes_no_bit(size, optimizer, monkeypatch):
    changes = {"optimizer": optimizer, "l1": 1e-3, "l2": 1e-2, "weight_decay": 1e-2, "clip_norm": 1.0}

    def trained():
        members = [member(t, **{**changes, "learning_rate": 0.01 * (t + 1)}) for t in range(5)]
        cohort = Cohort(members, blobs(), outputs=3)
        for _ in range(3):
            cohort.train_epoch()
        return cohort._parameters.copy()

    whole = trained()
    monkeypatch.setattr("hpsearch.engine.movement.STRETCH", size)
    np.testing.assert_array_equal(trained(), whole)


def test_rows_of_a_stretch_are_of_one_kind_and_the_stretches_about_even():
    plain, penalized = recipe(optimizer="adam"), recipe(optimizer="adam", l2=0.1)
    rows = alike([plain] * 8 + [penalized] * 3, most=7)
    assert list(rows) == [slice(0, 4), slice(4, 8), slice(8, 11)]
