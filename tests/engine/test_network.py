"""The whole network against central differences, its layout, and its weights as values."""

import numpy as np
import pytest

from hpsearch.engine import (
    ACTIVATIONS,
    Buffers,
    Inputs,
    Network,
    Weights,
    evaluate,
    forward,
    plan_of,
    stored_plan,
)
from hpsearch.engine.dropout import Mask
from hpsearch.engine.expansion import dense_network
from hpsearch.engine.losses import LOSSES, Work
from tests.support.gradients import check_gradient
from tests.support.recipes import part_for, recipe

DOUBLE = np.dtype(np.float64)
SINGLE = np.dtype(np.float32)


def dense_plan(inputs, hidden, outputs, *, activation="tanh", dtype=DOUBLE):
    layers = dense_network(hidden, activation, outputs)
    return stored_plan(layers, Inputs(shape=(inputs,)), outputs, dtype)


def buffers_of(plan, rows, *, scale=0.7, masks=None):
    parameters = np.random.default_rng(2).standard_normal((rows, plan.layout.size)) * scale
    return Buffers(
        parameters=parameters,
        gradients=np.zeros_like(parameters),
        state=np.zeros((rows, plan.state_size)),
        masks=masks,
    )


def with_ones(x, rows):
    return np.repeat(np.concatenate([x, np.ones((len(x), 1))], axis=1)[None], rows, axis=0).astype(np.float64)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize(
    ("loss", "hidden"), [("cross_entropy", (4, 3)), ("mse", (5,)), ("binary_cross_entropy", ())]
)
def test_backward_gives_the_derivative_of_the_loss_by_every_parameter(activation, loss, hidden):
    part, outputs = part_for(loss, n=6, inputs=3)
    plan = dense_plan(3, hidden, outputs, activation=activation)
    stays = [np.random.default_rng(3).integers(0, 2, (2, 6, width + 1)).astype(bool) for width in hidden]
    masks = [Mask(each, np.array([[[1.5]], [[1.25]]])) for each in stays]
    buffers = buffers_of(plan, 2, masks=masks)
    network = Network(plan, buffers, batch=6)
    x = with_ones(part.x, 2)
    targets = LOSSES[loss].table(part.y, outputs, DOUBLE) / (6 if LOSSES[loss].classifies else 1)
    LOSSES[loss].gradient(
        network.forward(x), targets, Work.allocate(network.outputs, np.ones(2)), network.delta
    )
    network.backward()
    found = buffers.gradients.copy()
    check_gradient(
        lambda: float(evaluate(loss, network.forward(x), part.y).sum()), buffers.parameters, found, 1e-6
    )


def test_a_wide_layer_has_the_same_gradient_as_a_narrow_one_has():
    """Above a size weights are not turned before the product with them; both ways give the same gradient."""
    plan = dense_plan(2, (150, 150), 2)
    buffers = buffers_of(plan, 1, scale=0.1)
    network = Network(plan, buffers, batch=3)
    x = with_ones(np.random.default_rng(3).standard_normal((3, 2)), 1)
    network.delta[:] = np.arange(6).reshape(1, 3, 2)
    weights = Weights(plan, buffers.parameters[0], np.zeros(0)).layers
    h1 = np.tanh(x[0, :, :2] @ weights[0][0] + weights[0][1])
    h2 = np.tanh(h1 @ weights[1][0] + weights[1][1])
    delta = ((network.delta[0] @ weights[2][0].T) * (1 - h2**2) @ weights[1][0].T) * (1 - h1**2)
    network.forward(x)
    network.backward()
    found = plan.layout.blocks[0].view(buffers.gradients)[0]
    np.testing.assert_allclose(found, x[0].T @ delta, rtol=1e-10, atol=1e-12)


def test_every_layer_starts_on_a_cache_line_and_no_two_overlap():
    layout = dense_plan(5, (7, 3), 1, dtype=SINGLE).layout
    starts = [block.start for block in layout.blocks]
    assert all(start % 16 == 0 for start in starts)
    assert layout.size % 16 == 0
    flat = np.zeros(layout.size, np.float32)
    for block in layout.blocks:
        block.view(flat)[:] += 1
    assert flat.sum() == layout.count == (6 * 7 + 8 * 3 + 4 * 1)
    assert flat.max() == 1


def test_weights_are_named_arrays_and_come_back_unchanged():
    rng = np.random.default_rng(0)
    pairs = [(rng.random((d, h), np.float32), rng.random(h, np.float32)) for d, h in ((5, 7), (7, 3))]
    weights = Weights.dense(pairs, "relu")
    assert [array.shape for array in weights.arrays().values()] == [(6, 7), (8, 3)]
    again = Weights.from_arrays(weights.plan, {name: a.copy() for name, a in weights.arrays().items()})
    for (w, b), (v, c), (given, bias) in zip(weights.layers, again.layers, pairs, strict=True):
        np.testing.assert_array_equal(w, v)
        np.testing.assert_array_equal(w, given)
        np.testing.assert_array_equal(b, c)
        np.testing.assert_array_equal(b, bias)
    assert weights.count == 5 * 7 + 7 + 7 * 3 + 3


def test_weights_of_another_shape_are_refused():
    weights = Weights.dense([(np.zeros((2, 3)), np.zeros(3))], "relu")
    [name] = weights.arrays()
    with pytest.raises(ValueError, match="where the network has"):
        Weights.from_arrays(weights.plan, {name: np.zeros((3, 4))})


def test_plans_of_members_that_differ_in_columns_only_are_the_same():
    inputs = Inputs(shape=(4,))
    plans = [
        plan_of(recipe(dropout=rate, initializer=initializer), inputs, 3, SINGLE)
        for rate, initializer in ((0.0, "he"), (0.5, "zeros"))
    ]
    assert plans[0] is plans[1]


@pytest.mark.parametrize("n", [0, 1, 5, 256, 600])
def test_forward_is_the_plain_product_of_layers(n):
    rng = np.random.default_rng(0)
    (w, b), (v, c) = pairs = [
        (rng.standard_normal((d, h)), rng.standard_normal(h)) for d, h in ((4, 6), (6, 2))
    ]
    weights = Weights.dense(pairs, "relu")
    x = rng.standard_normal((n, 4))
    np.testing.assert_allclose(forward(weights, x), np.maximum(x @ w + b, 0) @ v + c, rtol=1e-12, atol=1e-12)
