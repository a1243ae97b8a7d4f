"""Optimizers on functions whose minimum is known, and against closed forms."""

import numpy as np
import pytest

from hpsearch.engine import RULES
from tests.support.recipes import recipe

RATES = {
    "adagrad": 0.5,
    "adam": 0.1,
    "adamw": 0.1,
    "momentum": 0.05,
    "nesterov": 0.05,
    "rmsprop": 0.01,
    "sgd": 0.2,
}


def descend(name, start, slope, steps, **changes):
    """The points that a rule visits from (K, P) `start`, given the gradient at a point."""
    h = recipe(learning_rate=RATES[name], epsilon=1e-8, beta2=0.999, **changes)
    rule = RULES[name]
    w = start.copy()
    slots, scratch = np.zeros((rule.slots, *w.shape)), np.empty_like(w)
    columns = rule.coefficients([h], np.full((1, steps), h.learning_rate), 1)
    table = np.array(columns).transpose(2, 0, 1)[..., None]
    visited = [w.copy()]
    for t in range(steps):
        rule.step(w, slope(w), slots, scratch, table[t])
        visited.append(w.copy())
    return visited


@pytest.mark.parametrize("name", sorted(RULES))
def test_it_reaches_the_minimum_of_a_badly_scaled_quadratic(name):
    curvature, minimum = np.array([[0.2, 1.0, 4.0]]), np.array([[1.0, -2.0, 0.5]])
    visited = descend(name, np.zeros((1, 3)), lambda w: curvature * (w - minimum), 600)
    np.testing.assert_allclose(visited[-1], minimum, atol=0.02)


def test_gradient_descent_contracts_a_quadratic_by_its_closed_form():
    visited = descend("sgd", np.ones((1, 1)), lambda w: 3 * w, 10)
    np.testing.assert_allclose(np.ravel(visited), (1 - 0.2 * 3) ** np.arange(11))


def test_momentum_sums_a_constant_gradient_geometrically():
    visited = descend("momentum", np.zeros((1, 1)), np.ones_like, 5, momentum=0.5)
    steps = [0.05 * sum(0.5**j for j in range(t)) for t in range(1, 6)]
    np.testing.assert_allclose(np.ravel(visited), -np.cumsum([0, *steps]))


@pytest.mark.parametrize("name", ["adam", "adamw"])
@pytest.mark.parametrize("gradient", [1e-3, 1.0, 1e3])
def test_adam_moves_by_the_learning_rate_whatever_the_gradients_size(name, gradient):
    visited = descend(name, np.zeros((1, 1)), lambda w: np.full_like(w, gradient), 5)
    np.testing.assert_allclose(np.diff(np.ravel(visited)), -0.1, rtol=1e-4)


def test_adagrad_slows_down_with_the_root_of_the_number_of_steps():
    visited = descend("adagrad", np.zeros((1, 1)), np.ones_like, 9)
    np.testing.assert_allclose(np.diff(np.ravel(visited)), -0.5 / np.sqrt(np.arange(1, 10)), rtol=1e-6)
