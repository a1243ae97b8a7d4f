"""Learning rates over the epochs, as tables."""

import numpy as np
import pytest

from hpsearch.engine.schedules import Plateau, learning_rates
from tests.support.recipes import recipe


def rates(epochs=5, **changes):
    h = recipe(learning_rate=0.8, epochs=4, **changes)
    return [learning_rates([h], epoch=e, steps=1, plateau_factors=[1.0])[0, 0] for e in range(epochs)]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.8, 0.8, 0.8, 0.8, 0.8]),
        ("step", [0.8, 0.8, 0.4, 0.4, 0.2]),
        ("exponential", [0.8, 0.8 * 0.5**0.5, 0.4, 0.4 * 0.5**0.5, 0.2]),
        ("cosine", [0.8, 0.4 + 0.2 * 2**0.5, 0.4, 0.4 - 0.2 * 2**0.5, 0.0]),
        ("plateau", [0.8, 0.8, 0.8, 0.8, 0.8]),
    ],
)
def test_the_rate_by_epoch(schedule, expected):
    np.testing.assert_allclose(rates(schedule=schedule), expected, atol=1e-15)


def test_no_schedule_goes_below_the_floor_and_a_floor_above_the_rate_changes_nothing():
    assert min(rates(schedule="step", min_learning_rate=0.3)) == 0.3
    assert rates(schedule="cosine", min_learning_rate=0.2)[-1] == pytest.approx(0.2)
    assert rates(schedule="step", min_learning_rate=5.0) == [0.8] * 5


def test_warm_up_rises_linearly_step_by_step():
    h = recipe(learning_rate=1.0, warmup_epochs=2)
    rising = np.concatenate(
        [learning_rates([h], epoch=e, steps=3, plateau_factors=[1.0])[0] for e in range(3)]
    )
    np.testing.assert_allclose(rising, [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1, 1, 1])


def factors(monitored, **changes):
    plateau = Plateau(recipe(schedule="plateau", **changes))
    seen = []
    for epoch, value in enumerate(monitored):
        seen.append(plateau.factor(epoch))
        plateau.observe(value)
    return [*seen, plateau.factor(len(monitored))]


def test_a_plateau_lowers_the_rate_after_more_than_its_patience_and_counts_anew():
    assert factors([1, 1, 1, 1, 1], plateau_patience=1) == [1, 1, 1, 0.5, 0.5, 0.25]
    assert factors([5, 4, 3, 2, 1], plateau_patience=1) == [1] * 6


def test_a_hair_of_improvement_is_none_also_below_zero():
    assert factors([1, 0.99999, 0.99998], plateau_patience=1) == [1, 1, 1, 0.5]
    assert factors([-1, -1.00001, -1.00002], plateau_patience=1) == [1, 1, 1, 0.5]
    assert factors([-1, -1.1, -1.2], plateau_patience=1) == [1, 1, 1, 1]


def test_nan_is_no_improvement():
    assert factors([float("nan")] * 2, plateau_patience=1) == [1, 1, 0.5]


def test_recorded_factors_stand_for_what_was_observed():
    plateau = Plateau(recipe(schedule="plateau"), (1.0, 0.5))
    plateau.observe(float("nan"))
    assert [plateau.factor(e) for e in range(3)] == [1.0, 0.5, 0.5]
