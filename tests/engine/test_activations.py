"""Activations: derivatives, behaviour far out, no surprises."""

import numpy as np
import pytest

from hpsearch.engine import ACTIVATIONS
from hpsearch.engine.activations import Work
from tests.support.gradients import check_gradient

FAR = np.array([[-3e38, -1e30, -1e4, -90.0, -1e-38, 0.0, 1e-38, 90.0, 1e4, 1e30, 3e38]], np.float32)


def value_and_slope(name, z):
    h, slope, work = np.empty_like(z), np.empty_like(z), Work.like(z)
    ACTIVATIONS[name].value(z, h, work)
    ACTIVATIONS[name].slope(z, h, slope, work)
    return h, slope


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_the_slope_is_the_derivative_of_the_value(name):
    z = np.linspace(-6.03, 6.07, 41)[None]
    _, slope = value_and_slope(name, z.copy())
    check_gradient(lambda: float(value_and_slope(name, z)[0].sum()), z, slope)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_finite_inputs_give_finite_outputs_without_a_warning(name):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        h, slope = value_and_slope(name, FAR)
    assert np.isfinite(h).all()
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_nan_stays_nan(name):
    with np.errstate(all="ignore"):
        h, _ = value_and_slope(name, np.array([[np.nan, 1.0]]))
    assert np.isnan(h[0, 0])
    assert np.isfinite(h[0, 1])


@pytest.mark.parametrize("name", [name for name, a in ACTIVATIONS.items() if a.piecewise_linear])
def test_a_piecewise_linear_function_is_its_argument_times_its_slope(name):
    z = np.array([[-2.5, -0.5, 0.0, 0.5, 3.0]])
    h, slope = value_and_slope(name, z)
    np.testing.assert_array_equal(h, z * slope)


@pytest.mark.parametrize(
    ("name", "at_one"),
    [
        ("identity", 1.0),
        ("relu", 1.0),
        ("leaky_relu", 1.0),
        ("sigmoid", 0.7310585786300049),
        ("tanh", 0.7615941559557649),
        ("gelu", 0.8411919906082768),
        ("silu", 0.7310585786300049),
    ],
)
def test_the_value_at_one_is_the_published_one(name, at_one):
    h, _ = value_and_slope(name, np.array([[1.0]]))
    assert h[0, 0] == pytest.approx(at_one, abs=1e-12)
