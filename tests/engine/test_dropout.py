"""Dropout masks: true probabilities, true scale, own draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.engine.dropout import LEVELS, Masks, keep_probability, threshold
from hpsearch.randomness import Address


def masks(rates, *, batch=8, widths=(5, 3), trials=None):
    trials = trials or range(len(rates))
    generators = [Address(seed=0, trial=t).stream("dropout") for t in trials]
    by_frame = [rate if isinstance(rate, tuple) else (rate,) * len(widths) for rate in rates]
    return Masks(generators, by_frame, batch=batch, widths=widths, dtype=np.dtype(np.float64))


def factors(group, batch=8):
    """What each frame of the next step is multiplied by, (K, B, width)."""
    group.refill(batch)
    return [frame.stays * frame.scale for frame in group.frames]


def steps(group, count):
    return [factors(group) for _ in range(count)]


@given(st.floats(0, 0.999999))
@settings(deadline=None, max_examples=50)
def test_the_expected_mask_is_one_for_every_rate(rate):
    """Over all 256 bytes, the mean of the mask is exactly one."""
    kept = np.arange(LEVELS) >= threshold(rate)
    assert kept.mean() / keep_probability(rate) == pytest.approx(1, abs=1e-15)
    assert abs(keep_probability(rate) - (1 - rate)) <= 1 / LEVELS


def test_masks_are_zero_at_the_rate_and_the_scale_elsewhere():
    group = masks([0.25, 0.5], batch=100, widths=[100])
    for view, rate in zip(factors(group, 100)[0], [0.25, 0.5], strict=True):
        assert set(np.unique(view)) == {0.0, 1 / (1 - rate)}
        assert (view == 0).mean() == pytest.approx(rate, abs=0.02)


def test_frames_of_one_network_may_differ_in_their_rates():
    """Each frame has its own rate; which bytes it is given does not depend on the other's."""
    first, second = factors(masks([(0.25, 0.5)], batch=100, widths=[100, 90]), 100)
    assert set(np.unique(first)) == {0.0, 1 / 0.75}
    assert set(np.unique(second)) == {0.0, 2.0}
    alike = factors(masks([(0.25, 0.25)], batch=100, widths=[100, 90]), 100)[0]
    np.testing.assert_array_equal(first, alike)
    silent, _ = factors(masks([(0.0, 0.5)], batch=100, widths=[100, 90]), 100)
    assert (silent == 1).all()


def test_a_rate_of_zero_gives_ones_and_draws_nothing():
    group = masks([0.0, 0.5])
    assert all((view[0] == 1).all() for step in steps(group, 3) for view in step)
    untouched = Address(seed=0, trial=0).stream("dropout").bit_generator.random_raw()
    assert group._generators[0].bit_generator.random_raw() == untouched


def test_masks_change_from_step_to_step_and_from_frame_to_frame():
    (a, b), (c, _) = steps(masks([0.5], batch=64, widths=(5, 5)), 2)
    assert (a != b).any()
    assert (a != c).any()


@given(st.integers(1, 9), st.lists(st.sampled_from([0.0, 0.2, 0.7]), min_size=2, max_size=4), st.data())
@settings(deadline=None, max_examples=25)
def test_a_rows_masks_depend_neither_on_its_neighbours_nor_on_when_they_leave(before, rates, data):
    together = masks(rates)
    row = data.draw(st.integers(0, len(rates) - 1))
    alone = masks([rates[row]], trials=[row])
    found = [[view[row] for view in step] for step in steps(together, before)]
    together.keep([row])
    found += [[view[0] for view in step] for step in steps(together, 3)]
    for mine, theirs in zip(found, steps(alone, before + 3), strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(a, b[0])


def test_gathering_draws_in_larger_pieces_changes_none(monkeypatch):
    small = steps(masks([0.3]), 20)
    monkeypatch.setattr("hpsearch.engine.dropout.DRAWN_AT_ONCE", 1)
    for one, other in zip(small, steps(masks([0.3]), 20), strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_smaller_batch_gets_the_first_masks_of_the_step():
    (whole,), (part,) = factors(masks([0.5], widths=[5])), factors(masks([0.5], widths=[5]), 3)
    np.testing.assert_array_equal(part, whole[:, :3])
