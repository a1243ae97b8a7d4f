"""The gradient checker itself: it accepts what is right, and refuses what is broken or has no gradient."""

import numpy as np
import pytest

from tests.support.gradients import NotDifferentiableError, check_gradient


def test_it_accepts_a_true_gradient():
    x = np.array([0.3, -1.2, 2.0])
    check_gradient(lambda: float((x**3).sum()), x, 3 * x**2)


@pytest.mark.parametrize("broken", [lambda g: -g, lambda g: g * 1.00001, lambda g: g + 1e-5, np.zeros_like])
def test_it_refuses_a_gradient_that_is_slightly_wrong(broken):
    x = np.array([0.3, -1.2, 2.0])
    with pytest.raises(AssertionError):
        check_gradient(lambda: float((x**3).sum()), x, broken(3 * x**2))


def test_it_refuses_one_wrong_element_among_many():
    x = np.linspace(-1, 1, 20)
    gradient = np.cos(x)
    gradient[13] += 1e-4
    with pytest.raises(AssertionError):
        check_gradient(lambda: float(np.sin(x).sum()), x, gradient)


@pytest.mark.parametrize("at", [0.0, 5e-6])
def test_it_refuses_a_kink(at):
    x = np.array([at])
    with pytest.raises(NotDifferentiableError):
        check_gradient(lambda: float(np.abs(x).sum()), x, np.sign(x))


def test_it_leaves_the_point_as_it_was():
    x = np.array([0.1, 0.7])
    check_gradient(lambda: float((x**2).sum()), x, 2 * x)
    np.testing.assert_array_equal(x, [0.1, 0.7])
