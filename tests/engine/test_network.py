"""The whole network against central differences, its layout, and its weights as values."""

import numpy as np
import pytest

from hpsearch.engine import ACTIVATIONS, Layout, Network, Weights, evaluate, forward
from hpsearch.engine.dropout import Mask
from hpsearch.engine.losses import LOSSES, Work
from tests.support.gradients import check_gradient
from tests.support.recipes import part_for

DOUBLE = np.dtype(np.float64)


def with_ones(x, rows):
    return np.repeat(np.concatenate([x, np.ones((len(x), 1))], axis=1)[None], rows, axis=0).astype(np.float64)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize(
    ("loss", "hidden"), [("cross_entropy", (4, 3)), ("mse", (5,)), ("binary_cross_entropy", ())]
)
def test_backward_gives_the_derivative_of_the_loss_by_every_parameter(activation, loss, hidden):
    part, outputs = part_for(loss, n=6, inputs=3)
    layout = Layout.of((3, *hidden, outputs), DOUBLE)
    parameters = np.random.default_rng(2).standard_normal((2, layout.size)) * 0.7
    gradients = np.zeros_like(parameters)
    stays = [np.random.default_rng(3).integers(0, 2, (2, 6, width + 1)).astype(bool) for width in hidden]
    masks = [Mask(each, np.array([[[1.5]], [[1.25]]])) for each in stays]
    network = Network(layout, parameters, gradients, batch=6, activation=activation, masks=masks)
    x = with_ones(part.x, 2)
    targets = LOSSES[loss].table(part.y, outputs, DOUBLE) / (6 if LOSSES[loss].classifies else 1)
    LOSSES[loss].gradient(
        network.forward(x), targets, Work.allocate(network.outputs, np.ones(2)), network.delta
    )
    network.backward()
    found = gradients.copy()
    check_gradient(lambda: float(evaluate(loss, network.forward(x), part.y).sum()), parameters, found, 1e-6)


def test_a_wide_layer_has_the_same_gradient_as_a_narrow_one_has():
    """Above a size weights are not turned before the product with them; both ways give the same gradient."""
    layout = Layout.of((2, 150, 150, 2), DOUBLE)
    parameters = np.random.default_rng(2).standard_normal((1, layout.size)) * 0.1
    gradients = np.zeros_like(parameters)
    network = Network(layout, parameters, gradients, batch=3, activation="tanh")
    x = with_ones(np.random.default_rng(3).standard_normal((3, 2)), 1)
    network.delta[:] = np.arange(6).reshape(1, 3, 2)
    weights = Weights.from_flat(parameters[0], layout).layers
    h1 = np.tanh(x[0, :, :2] @ weights[0][0] + weights[0][1])
    h2 = np.tanh(h1 @ weights[1][0] + weights[1][1])
    delta = ((network.delta[0] @ weights[2][0].T) * (1 - h2**2) @ weights[1][0].T) * (1 - h1**2)
    network.forward(x)
    network.backward()
    np.testing.assert_allclose(layout.blocks[0].view(gradients)[0], x[0].T @ delta, rtol=1e-10, atol=1e-12)


def test_every_layer_starts_on_a_cache_line_and_no_two_overlap():
    layout = Layout.of((5, 7, 3, 1), np.dtype(np.float32))
    starts = [block.start for block in layout.blocks]
    assert all(start % 16 == 0 for start in starts)
    assert layout.size % 16 == 0
    flat = np.zeros(layout.size, np.float32)
    for block in layout.blocks:
        block.view(flat)[:] += 1
    assert flat.sum() == (6 * 7 + 8 * 3 + 4 * 1)
    assert flat.max() == 1


def test_weights_go_to_a_flat_row_and_back_unchanged():
    layout = Layout.of((5, 7, 3), np.dtype(np.float32))
    rng = np.random.default_rng(0)
    weights = Weights(
        tuple((rng.random((d, h), np.float32), rng.random(h, np.float32)) for d, h in ((5, 7), (7, 3)))
    )
    again = Weights.from_flat(weights.to_flat(layout), layout)
    for (w, b), (v, c) in zip(weights.layers, again.layers, strict=True):
        np.testing.assert_array_equal(w, v)
        np.testing.assert_array_equal(b, c)
    assert weights.count == 5 * 7 + 7 + 7 * 3 + 3
    assert weights.widths == (5, 7, 3)


@pytest.mark.parametrize("n", [1, 5, 256, 600])
def test_forward_is_the_plain_product_of_layers(n):
    rng = np.random.default_rng(0)
    weights = Weights(
        tuple((rng.standard_normal((d, h)), rng.standard_normal(h)) for d, h in ((4, 6), (6, 2)))
    )
    x = rng.standard_normal((n, 4))
    (w, b), (v, c) = weights.layers
    np.testing.assert_allclose(
        forward(weights, x, "relu"), np.maximum(x @ w + b, 0) @ v + c, rtol=1e-12, atol=1e-12
    )
