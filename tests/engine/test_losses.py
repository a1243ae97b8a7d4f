"""Losses: gradients, stability, and the values that textbooks give."""

import numpy as np
import pytest

from hpsearch.engine import LOSSES, evaluate, probabilities
from hpsearch.engine.losses import Work
from tests.support.gradients import check_gradient


def batch(loss, rows=2, n=5):
    rng = np.random.default_rng(1)
    width = {"cross_entropy": 4, "binary_cross_entropy": 1}.get(loss, 3)
    outputs = rng.standard_normal((rows, n, width)) * 2
    if loss == "cross_entropy":
        return outputs, rng.integers(0, 4, n)
    if loss == "binary_cross_entropy":
        return outputs, rng.integers(0, 2, n)
    return outputs, rng.standard_normal((n, width))


def gradient(loss, outputs, y, huber_delta):
    targets = np.broadcast_to(LOSSES[loss].table(y, outputs.shape[2], outputs.dtype), outputs.shape)
    if LOSSES[loss].classifies:
        targets = targets / outputs.shape[1]
    delta = np.empty_like(outputs)
    LOSSES[loss].gradient(outputs, targets, Work.allocate(outputs, huber_delta), delta)
    return delta


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_the_gradient_is_the_derivative_of_the_loss(loss):
    outputs, y = batch(loss)
    bounds = np.array([0.4, 1.5])
    delta = gradient(loss, outputs, y, bounds)
    check_gradient(lambda: float(evaluate(loss, outputs, y, huber_delta=bounds).sum()), outputs, delta)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_large_outputs_neither_overflow_nor_warn(loss):
    outputs, y = batch(loss)
    outputs = (np.sign(outputs) * 1e9).astype(np.float32)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        delta = gradient(loss, outputs, y, np.ones(2))
    assert np.isfinite(delta).all()
    assert np.isfinite(evaluate(loss, outputs, y)).all()


def test_a_certain_network_has_no_subnormal_gradients():
    """Their arithmetic would take a hundred times as long; where a class is certain nothing else changes."""
    outputs = np.array([[[0, -30, -95], [50, -50, 49]]], np.float32)
    delta = gradient("cross_entropy", outputs, np.array([0, 1]), np.ones(1))
    assert (np.abs(delta[delta != 0]) >= np.finfo(np.float32).smallest_normal).all()
    exact = probabilities(outputs.astype(np.float64), "cross_entropy") - np.eye(3)[[0, 1]]
    np.testing.assert_allclose(delta, exact / 2, rtol=1e-6, atol=1e-13)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_a_network_without_finite_outputs_has_a_loss_that_is_not_finite_and_the_others_keep_theirs(loss):
    outputs, y = batch(loss)
    before = evaluate(loss, outputs, y)
    outputs[0, 2] = np.nan
    after = evaluate(loss, outputs, y)
    assert np.isnan(after[0])
    assert after[1] == before[1]


def test_cross_entropy_of_equal_outputs_is_the_logarithm_of_the_number_of_classes():
    assert evaluate("cross_entropy", np.zeros((1, 3, 5)), np.array([0, 1, 4]))[0] == pytest.approx(np.log(5))


def test_binary_cross_entropy_at_zero_is_log_two():
    assert evaluate("binary_cross_entropy", np.zeros((1, 2, 1)), np.array([0, 1]))[0] == pytest.approx(
        np.log(2)
    )


def test_huber_is_half_the_square_inside_and_a_line_outside():
    outputs = np.array([[[0.5], [3.0]]])
    loss = evaluate("huber", outputs, np.zeros((2, 1)), huber_delta=np.array([1.0]))[0]
    assert loss == pytest.approx((0.125 + 2.5) / 2)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_probabilities_sum_to_one_and_rank_as_outputs_do(loss):
    outputs, _ = batch(loss)
    p = probabilities(outputs, loss)
    np.testing.assert_allclose(p.sum(axis=-1), 1)
    if loss == "cross_entropy":
        np.testing.assert_array_equal(p.argmax(-1), outputs.argmax(-1))
    else:
        np.testing.assert_array_equal(p[..., 1] > 0.5, outputs[..., 0] > 0)
