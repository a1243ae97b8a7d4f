"""Every kind of layer: gradients against central differences, values against naive references."""

import numpy as np
import pytest

from hpsearch.engine import Inputs, ShapeError
from hpsearch.spec.layers import LayerSettings
from tests.support.networks import check_network, network_of, of, settings

RELU = of("activation", function="tanh")
TABLE = Inputs(shape=(5,))


def on(shape, *layers):
    """Layers on samples of a shape that a dense layer makes: its gradient needs theirs with respect to their input."""
    width = int(np.prod(shape))
    return [of("dense", units=width, initializer=""), of("reshape", shape=shape), *layers]


CASES = {
    "batch normalization of rows": [
        of("dense", units=4, initializer=""),
        settings("batch_normalization"),
        RELU,
    ],
    "batch normalization of images": on((2, 3, 2), settings("batch_normalization"), RELU),
    "batch normalization of sequences": on((4, 2), settings("batch_normalization")),
    "layer normalization of rows": [
        of("dense", units=4, initializer=""),
        settings("layer_normalization"),
        RELU,
    ],
    "layer normalization of images": on((2, 2, 3), settings("layer_normalization"), RELU),
    "global average pool": on((2, 3, 2), settings("global_average_pool")),
    "global average pool of sequences": on((5, 2), RELU, settings("global_average_pool")),
    "global max pool": on((2, 3, 2), settings("global_max_pool")),
    "global max pool of sequences": on((5, 2), RELU, settings("global_max_pool")),
    "reshape": on((2, 6), RELU, of("reshape", shape=(3, 4)), RELU),
    "dropout": on((2, 2, 3), RELU, settings("dropout"), settings("layer_normalization")),
    "dropout without an activation": on((2, 6), settings("dropout"), settings("dropout")),
    "spatial dropout": on((2, 2, 3), RELU, settings("dropout", spatial=True)),
    "residual": [
        of("dense", units=4, initializer=""),
        of("residual", of("activation", function="relu"), of("dense", units=4, initializer="")),
        RELU,
    ],
    "residual with a projection": [
        of("dense", units=4, initializer=""),
        of("residual", of("dense", units=3, initializer=""), RELU, settings("dropout")),
        RELU,
    ],
    "residual along a sequence": on(
        (6, 2), of("residual", settings("convolution", filters=3, stride=2, initializer="")), RELU
    ),
    "residual within a residual": on(
        (2, 2, 2),
        of(
            "residual",
            RELU,
            of("residual", settings("batch_normalization"), RELU),
            settings("layer_normalization"),
        ),
    ),
}


@pytest.mark.parametrize("layers", CASES.values(), ids=CASES)
def test_gradients_are_derivatives(layers):
    check_network(layers, TABLE, masked=True, rows=2, batch=4)


def test_an_embedding_has_the_gradient_of_its_vectors_but_of_padding_none():
    check_network([of("embedding", units=3, tokens=5), RELU], Inputs(shape=(4,), tokens=5))


RAGGED = {
    "average of tokens": (
        [of("embedding", units=3, tokens=5), RELU, settings("global_average_pool")],
        Inputs(shape=(4,), tokens=5, ragged=True),
    ),
    "largest of tokens": (
        [of("embedding", units=3, tokens=5), settings("global_max_pool")],
        Inputs(shape=(4,), tokens=5, ragged=True),
    ),
    "normalized over what is there": (
        [
            of("embedding", units=3, tokens=5),
            settings("batch_normalization"),
            settings("global_average_pool"),
        ],
        Inputs(shape=(4,), tokens=5, ragged=True),
    ),
    "flattened": ([settings("layer_normalization"), RELU], Inputs(shape=(4, 2), ragged=True)),
}


@pytest.mark.parametrize(("layers", "inputs"), RAGGED.values(), ids=RAGGED)
def test_gradients_of_sequences_that_differ_in_length_are_derivatives(layers, inputs):
    lengths = np.array([[4, 1, 2], [3, 4, 1]], np.int32)
    check_network(layers, inputs, lengths=lengths)


@pytest.mark.parametrize(("layers", "inputs"), RAGGED.values(), ids=RAGGED)
def test_what_is_behind_the_end_of_a_sequence_changes_nothing(layers, inputs):
    _, _, network = network_of(layers, inputs)
    lengths = np.array([[4, 1, 2], [3, 4, 1]], np.int32)
    rng = np.random.default_rng(0)
    x = rng.integers(1, 5, (2, 3, *inputs.shape)) if inputs.tokens else rng.random((2, 3, *inputs.shape))
    first = network.forward(x, lengths).copy()
    behind = np.arange(4) >= lengths[..., None]
    x[behind] = 1
    np.testing.assert_array_equal(network.forward(x, lengths), first)
    evaluated = network.evaluate(x, lengths).copy()
    x[behind] = 2
    np.testing.assert_array_equal(network.evaluate(x, lengths), evaluated)


def outputs_of(layers, inputs, x, width, *, evaluate=False, seed=0, lengths=None):
    """The layers' own outputs: the output layer is made to pass them on."""
    plan, buffers, network = network_of(
        layers, inputs, outputs=width, rows=x.shape[0], batch=x.shape[1], seed=seed
    )
    last = plan.layout.blocks[-1]
    last.view(buffers.parameters)[:] = np.eye(width + 1, width)
    if plan.flat:
        x = np.concatenate([x, np.ones((*x.shape[:2], 1))], axis=2)
    values = (network.evaluate if evaluate else network.forward)(x, lengths).copy()
    return values, plan, buffers, network


def test_batch_normalization_is_by_the_batch_in_training_and_by_running_statistics_in_prediction():
    x = np.random.default_rng(0).standard_normal((2, 6, 3, 2)) * 3 + 1
    inputs = Inputs(shape=(3, 2))
    values, plan, buffers, network = outputs_of([settings("batch_normalization")], inputs, x, 6)
    gain, shift = (block.view(buffers.parameters)[:, 0] for block in plan.layout.blocks[:2])
    for k in range(2):
        flat = x[k].reshape(-1, 2)
        normal = (flat - flat.mean(axis=0)) / np.sqrt(flat.var(axis=0) + 1e-5)
        np.testing.assert_allclose(values[k].reshape(-1, 2), normal * gain[k] + shift[k], rtol=1e-9)
        np.testing.assert_allclose(buffers.state[k, :2], 0.1 * flat.mean(axis=0), rtol=1e-9)
        np.testing.assert_allclose(buffers.state[k, 2:], 0.9 + 0.1 * flat.var(axis=0, ddof=1), rtol=1e-9)
    evaluated = network.evaluate(x)
    mean, variance = buffers.state[:, None, None, :2], buffers.state[:, None, None, 2:]
    expected = (x - mean) / np.sqrt(variance + 1e-5) * gain[:, None, None] + shift[:, None, None]
    np.testing.assert_allclose(evaluated.reshape(x.shape), expected, rtol=1e-9)


def test_layer_normalization_is_by_each_place_s_channels():
    x = np.random.default_rng(0).standard_normal((1, 4, 3, 5))
    values, plan, buffers, _ = outputs_of([settings("layer_normalization")], Inputs(shape=(3, 5)), x, 15)
    gain, shift = (block.view(buffers.parameters)[0, 0] for block in plan.layout.blocks[:2])
    normal = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(values.reshape(x.shape), normal * gain + shift, rtol=1e-9)


@pytest.mark.parametrize(
    ("kind", "of_sequence"), [("global_average_pool", "mean"), ("global_max_pool", "max")]
)
def test_global_pools_see_what_a_sequence_has_and_nothing_else(kind, of_sequence):
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 2))
    lengths = np.array([[4, 1, 2], [3, 4, 1]], np.int32)
    inputs = Inputs(shape=(4, 2), ragged=True)
    values, *_ = outputs_of([settings(kind)], inputs, x, 2, lengths=lengths)
    for k, b in np.ndindex(2, 3):
        expected = getattr(x[k, b, : lengths[k, b]], of_sequence)(axis=0)
        np.testing.assert_allclose(values[k, b], expected, rtol=1e-12)


def test_dropout_silences_and_scales_in_training_alone():
    x = np.random.default_rng(0).standard_normal((1, 2, 3, 4))
    inputs = Inputs(shape=(3, 4))
    for spatial in (False, True):
        plan, buffers, network = network_of(
            [settings("dropout", spatial=spatial)], inputs, outputs=12, rows=1, batch=2, masked=True
        )
        plan.layout.blocks[-1].view(buffers.parameters)[:] = np.eye(13, 12)
        factor = network.forward(x).reshape(x.shape) / x
        np.testing.assert_allclose(np.unique(factor.round(9)), [0, 2])
        assert (factor == factor[:, :, :1]).all() == spatial
        np.testing.assert_array_equal(network.evaluate(x).reshape(x.shape), x)


@pytest.mark.parametrize(
    ("layers", "inputs", "rule"),
    [
        ([of("dense", units=3, initializer="")], Inputs(shape=(4, 2)), "dense takes a flat input, got 4 x 2"),
        ([settings("global_max_pool")], Inputs(shape=(4,)), "global_max_pool takes a sequence"),
        ([of("reshape", shape=(3, 3))], Inputs(shape=(8,)), "needs 9 numbers, got 8"),
        ([of("embedding", units=3, tokens=None)], Inputs(shape=(8,)), "embedding takes tokens"),
        (
            [of("dense", units=3, initializer="")],
            Inputs(shape=(8,), tokens=9),
            "dense takes numbers, got tokens",
        ),
        (
            on((4, 4, 2), of("residual", LayerSettings("flatten"))),
            TABLE,
            "to which its input cannot be added",
        ),
    ],
)
def test_layers_that_cannot_be_built_on_what_comes_in_say_so(layers, inputs, rule):
    with pytest.raises(ShapeError, match=rule):
        network_of(layers, inputs)


@pytest.mark.parametrize("shape", [(3,), (2, 3, 2), (4, 2)])
def test_empty_places_of_a_batch_are_in_no_statistics(shape):
    """A batch with empty places normalizes, learns and remembers as one without them; the next full one as ever."""
    rng = np.random.default_rng(0)
    few, inputs = rng.standard_normal((2, 4, *shape)), Inputs(shape=shape)
    layers, delta = [settings("batch_normalization"), RELU], rng.standard_normal((2, 6, 2))
    there = np.arange(6) < np.full((2, 1), 4)
    seen = []
    for x, given in ((few, None), (np.concatenate([few, np.full((2, 2, *shape), 1e3)], axis=1), there)):
        _, buffers, network = network_of(layers, inputs, batch=x.shape[1])
        outputs = network.forward(x, None, given)[:, :4].copy()
        network.delta[:] = delta[:, : x.shape[1]]
        if given is not None:
            network.delta[~given] = 0
        network.backward()
        seen.append((outputs, buffers.gradients.copy(), buffers.state.copy()))
    for one, other in zip(*seen, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    full = rng.standard_normal((2, 6, *shape))
    _, _, fresh = network_of(layers, inputs, batch=6)
    np.testing.assert_array_equal(network.forward(full), fresh.forward(full))
