"""Optimizers on functions whose minimum is known, and against closed forms."""

import numpy as np
import pytest

from hpsearch.engine import RULES, Cohort
from tests.support.recipes import blobs, member, recipe

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
    rates = np.full((1, steps), h.learning_rate)
    columns = np.broadcast_arrays(rates, *rule.coefficients([h], rates, 1))[1:]
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


@pytest.mark.parametrize("optimizer", ["momentum", "adam", "rmsprop"])
def test_what_is_remembered_of_weights_without_gradient_ends_at_zero_not_at_subnormal_numbers(optimizer):
    """Their arithmetic would take a hundred times as long. An input that is always zero has no gradient."""
    part = blobs(32)
    changes = {
        "batch_size": 1,
        "optimizer": optimizer,
        "momentum": 0.8,
        "beta1": 0.8,
        "beta2": 0.8,
        "rho": 0.8,
    }
    cohort = Cohort([member(**changes)], part, outputs=3)
    cohort.train_epoch()
    cohort._batches._pool.inputs[:, 0] = 0
    smallest = np.finfo(np.float32).smallest_normal
    for _ in range(20):
        cohort.train_epoch()
        slots = cohort._slots[:, 0, :7]
        assert not ((slots != 0) & (np.abs(slots) < smallest)).any()
    assert (slots == 0).all()
    assert (cohort._slots != 0).any()


def test_a_weight_that_only_its_penalty_moves_ends_at_zero_not_at_a_subnormal_number():
    cohort = Cohort([member(batch_size=1, learning_rate=0.5, l2=1.0)], blobs(32), outputs=3)
    cohort._batches._pool.inputs[:, 0] = 0
    for _ in range(20):
        cohort.train_epoch()
    assert (cohort._parameters[0, :7] == 0).all()
    assert (cohort._parameters != 0).any()
