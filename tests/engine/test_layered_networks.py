"""Networks of convolutions, poolings and recurrent layers: shapes, derivatives, and what cannot be built."""

import numpy as np
import pytest

from hpsearch.engine.arrays import aligned
from hpsearch.engine.expansion import Inputs, _pooled_first
from hpsearch.engine.layers.kind import ShapeError
from hpsearch.engine.network import Buffers, Network
from hpsearch.engine.plan import stored_plan
from hpsearch.spec.layers import LayerSettings

DOUBLE = np.dtype(np.float64)


def layer(kind, **settings):
    if "convolution" in kind:
        settings = {"stride": 1, "padding": "same", "dilation": 1} | settings
    if "pool" in kind:
        settings = {"size": 2, "stride": None, "padding": "valid"} | settings
    if kind in {"lstm", "gru", "simple_rnn"}:
        settings = {"layers": 1, "bidirectional": False, "states": "last"} | settings
    return LayerSettings.of(kind, **settings)


TANH = layer("activation", function="tanh")
LENET = (
    layer("convolution", filters=3, kernel=3),
    TANH,
    layer("max_pool"),
    layer("convolution", filters=4, kernel=(3, 2), padding="valid", groups=1),
    TANH,
    layer("average_pool", size=2, stride=1),
    layer("flatten"),
)
SEPARABLE = (
    layer("depthwise_convolution", kernel=3, stride=2),
    layer("convolution", filters=4, kernel=1, groups=2),
    TANH,
    layer("flatten"),
)
OVER_TIME = (
    layer("convolution", filters=3, kernel=3, padding="valid"),
    TANH,
    layer("max_pool"),
    layer("gru", units=3, states="all", bidirectional=True),
    layer("lstm", units=2, layers=2),
)
DEEP = (
    layer("simple_rnn", units=3, states="all"),
    layer("convolution", filters=2, kernel=2),
    layer("average_pool", size=3, padding="same"),
    layer("flatten"),
)
NETWORKS = [(LENET, (8, 9, 2)), (SEPARABLE, (5, 6, 2)), (OVER_TIME, (9, 2)), (DEEP, (5, 3))]


def network_of(layers, shape, *, lengths=None, rows=2, batch=3):
    plan = stored_plan(
        (*layers, layer("dense", units=2)), Inputs(shape=shape, ragged=lengths is not None), 2, DOUBLE
    )
    parameters, gradients = (aligned((rows, plan.layout.size), DOUBLE) for _ in range(2))
    rng = np.random.default_rng(0)
    for block in plan.layout.blocks:
        view = block.view(parameters)
        view[...] = rng.standard_normal(view.shape) / 2
    state = np.zeros((rows, plan.state_size))
    network = Network(plan, Buffers(parameters=parameters, gradients=gradients, state=state), batch=batch)
    return network, parameters, gradients, rng.standard_normal((rows, batch, *shape)), rng


CASES = [(*network, None) for network in NETWORKS] + [
    (OVER_TIME, (9, 2), [[9, 4, 7], [3, 9, 5]]),
    (DEEP, (5, 3), [[5, 2, 4], [3, 5, 1]]),
]


@pytest.mark.parametrize(("layers", "shape", "lengths"), CASES)
def test_backward_gives_the_derivative_in_any_direction(layers, shape, lengths):
    lengths = None if lengths is None else np.array(lengths, np.int32)
    network, parameters, gradients, x, rng = network_of(layers, shape, lengths=lengths)
    weight = rng.standard_normal((2, 3, 2))
    network.forward(x, lengths)
    network.delta[...] = weight
    network.backward()
    found, start = gradients.copy(), parameters.copy()
    for _ in range(3):
        direction = rng.standard_normal(parameters.shape) * (found != 0)
        sides = []
        for step in (1e-5, -1e-5):
            parameters[...] = start + step * direction
            sides.append((network.forward(x, lengths) * weight).sum(axis=(1, 2)))
        expected = (sides[0] - sides[1]) / 2e-5
        np.testing.assert_allclose((found * direction).sum(axis=1), expected, rtol=1e-6, atol=1e-7)
    parameters[...] = start
    np.testing.assert_array_equal(network.evaluate(x, lengths), network.forward(x, lengths))


def test_relu_is_computed_behind_a_maximum_with_the_same_values_and_gradients():
    """Overlapping and padded windows, two poolings in a row, and windows without a positive number, too."""
    relu, shape = layer("activation", function="relu"), (8, 9, 2)
    listed = [
        (layer("convolution", filters=3, kernel=3), relu),
        (layer("max_pool", size=3, stride=2, padding="same"),),
        (layer("max_pool"),),
        (layer("flatten"),),
    ]
    computed = _pooled_first(listed)
    assert [[each.kind for each in part] for part in computed] == [
        ["convolution"],
        ["max_pool"],
        ["max_pool", "activation"],
        ["flatten"],
    ]
    seen = []
    for parts in (listed, computed):
        network, _, gradients, x, rng = network_of([each for part in parts for each in part], shape)
        outputs = network.forward(x).copy()
        network.delta[...] = rng.standard_normal(network.delta.shape)
        network.backward()
        seen.append((outputs, gradients.copy(), network.evaluate(x).copy()))
    for first, second in zip(*seen, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("layers", "shape", "expected"),
    [
        ([layer("convolution", filters=8, kernel=5, padding="valid")], (28, 28, 1), [(24, 24, 8)]),
        ([layer("convolution", filters=8, kernel=3, stride=2, dilation=2)], (28, 27, 1), [(14, 14, 8)]),
        ([layer("max_pool"), layer("average_pool", size=3, stride=2)], (28, 28, 4), [(14, 14, 4), (6, 6, 4)]),
        ([layer("max_pool", size=3, padding="same")], (10, 2), [(4, 2)]),
        ([layer("depthwise_convolution", kernel=3)], (10, 6), [(10, 6)]),
        (
            [layer("lstm", units=5, states="all", bidirectional=True), layer("gru", units=4)],
            (7, 3),
            [(7, 10), (4,)],
        ),
    ],
)
def test_shapes_are_inferred(layers, shape, expected):
    plan = stored_plan((*layers, layer("flatten"), layer("dense", units=2)), Inputs(shape=shape), 2, DOUBLE)
    assert [node.behind for node in plan.nodes][: len(layers)] == expected


@pytest.mark.parametrize(
    ("bad", "shape", "rule"),
    [
        (layer("convolution", filters=4, kernel=5, padding="valid"), (4, 9, 1), "kernel 5 reaches over 5"),
        (layer("convolution", filters=4, kernel=3, padding="valid", dilation=4), (8, 1), "reaches over 9"),
        (layer("convolution", filters=4, kernel=3, groups=3), (8, 8, 6), "filters, got 4"),
        (layer("convolution", filters=6, kernel=3, groups=3), (8, 8, 4), "channels that come in, got 4"),
        (layer("convolution", filters=6, kernel=3), (8,), "takes a sequence"),
        (layer("max_pool", size=3), (2, 4), "size 3 reaches over 3"),
        (layer("lstm", units=3), (8, 8, 1), "takes a sequence"),
    ],
)
def test_what_cannot_be_built_says_why(bad, shape, rule):
    with pytest.raises(ShapeError, match=rule):
        stored_plan((bad,), Inputs(shape=shape), 2, DOUBLE)


def test_parameters_are_counted_as_in_the_textbooks():
    plans = [
        (layer("convolution", filters=16, kernel=3), (28, 28, 8), 28 * 28 * 16, 3 * 3 * 8 * 16 + 16),
        (layer("lstm", units=64), (28, 28), 64, 4 * ((28 + 64) * 64 + 64)),
        (layer("gru", units=64), (28, 28), 64, 3 * ((28 + 64) * 64 + 64) + 64),
        (layer("simple_rnn", units=10, bidirectional=True), (28, 4), 20, 2 * ((4 + 10) * 10 + 10)),
    ]
    for each, shape, outputs, count in plans:
        plan = stored_plan((each, layer("flatten")), Inputs(shape=shape), outputs, DOUBLE)
        assert plan.layout.count == count
