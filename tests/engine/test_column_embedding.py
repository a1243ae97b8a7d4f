"""Columns of categories as learned vectors: looked up, learned, dropped, and left alone by noise."""

import numpy as np
import pandas as pd
import pytest

from hpsearch.data import RawData, prepare_raw
from hpsearch.data.prepared import EmbeddedColumn, Part
from hpsearch.engine import Cohort, Inputs
from hpsearch.engine.default_networks import width_by_rule
from hpsearch.spec import parse_study
from hpsearch.spec.layers import LayerSettings
from tests.support.networks import check_network, network_of
from tests.support.recipes import member

COLUMNS = tuple(
    EmbeddedColumn(name=name, place=place, categories=categories)
    for name, place, categories in (("city", 1, 5), ("street", 2, 3), ("trade", 4, 4))
)
INPUTS = Inputs(shape=(5,), embedded=COLUMNS)
LAYER = LayerSettings.of(
    "column_embedding",
    columns=("city", "street", "trade"),
    places=(1, 2, 4),
    categories=(5, 3, 4),
    units=(3, 1, 2),
    initializer="",
)
TANH = LayerSettings.of("activation", function="tanh")


def part(n=40, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5)).astype(np.float32)
    for column in COLUMNS:
        x[:, column.place] = rng.integers(0, column.categories + 1, n)
    return Part(x=x, y=rng.integers(0, 3, n).astype(np.int32))


@pytest.mark.parametrize(
    "behind",
    [
        [],
        [TANH],
        [LayerSettings.of("dense", units=3), TANH],
        [LayerSettings.of("layer_normalization", epsilon=1e-5)],
    ],
)
def test_gradients_are_derivatives(behind):
    """Of all vectors, those of no known category among them, in any batch with repetitions."""
    check_network([LAYER, *behind], INPUTS, batch=7)


def test_features_stand_beside_the_vectors_of_their_categories():
    """In the order of the columns; what is behind is told by the table of the network."""
    plan, buffers, network = network_of([LAYER], INPUTS, outputs=8, rows=2, batch=4)
    seen = {}
    for node in plan.nodes:
        seen[node.layer.kind] = node
    assert seen["column_embedding"].behind == (8,)
    vectors = [block.view(buffers.parameters) for block in seen["column_embedding"].blocks]
    last = seen["dense"].blocks[0].view(buffers.parameters)
    last[...] = 0
    last[:, np.arange(8), np.arange(8)] = 1  # the outputs are what comes in
    x = np.tile(
        [[9.0, 2, 3, 7.0, 4], [8.0, 0, 0, 6.0, 0], [1.0, 5, 1, 2.0, 1], [0.0, 1, 2, 0.5, 2]], (2, 1, 1)
    )
    outputs = network.forward(x)
    for row in range(2):
        for sample, (a, city, street, b, trade) in enumerate(x[row]):
            expected = [
                a,
                *vectors[0][row, int(city)],
                *vectors[1][row, int(street)],
                b,
                *vectors[2][row, int(trade)],
            ]
            np.testing.assert_array_equal(outputs[row, sample], expected)


def test_no_known_category_starts_at_zero_and_learns_from_gaps_alone():
    data = part()
    gapless = Part(x=np.where(np.isin(np.arange(5), [1, 2, 4]) & (data.x == 0), 1, data.x), y=data.y)
    for rows, moves in ((data, True), (gapless, False)):
        cohort = Cohort([member(hidden=(4,))], rows, outputs=3, embedded=COLUMNS)
        assert not any(weights[0].any() for weights, _ in cohort.weights(0).layers[:3])
        cohort.train_epoch()
        assert any(weights[0].any() for weights, _ in cohort.weights(0).layers[:3]) is moves


def read_by_networks(cohort):
    """What comes into the first layer, epoch by epoch, of each network."""
    cohort.train_epoch()
    return cohort._steps._input_dropout._dropped.copy()


def test_noise_leaves_numbers_of_categories_alone_and_input_dropout_makes_them_unknown():
    """Neither makes another category of one; numbers that stay are scaled up, categories are not."""
    members = [
        member(0, batch_size=40, augment=(("noise", 0.5),)),
        member(1, batch_size=40, input_dropout=0.5),
    ]
    cohort = Cohort(members, part(), outputs=3, embedded=COLUMNS)
    noisy, dropped = read_by_networks(cohort)[np.argsort(cohort.rows)]
    data = part().x
    for column in COLUMNS:
        place, numbers = column.place, data[:, column.place]
        assert sorted(noisy[:, place]) == sorted(numbers)
        assert set(dropped[:, place]) <= set(range(column.categories + 1))
        assert (dropped[:, place] == 0).sum() > (numbers == 0).sum() + 5
    assert not np.isin(noisy[:, 0], data[:, 0]).any()
    kept = dropped[:, 0][dropped[:, 0] != 0]
    assert np.isin(kept / 2, data[:, 0]).all()


def test_a_token_that_is_dropped_becomes_an_unknown_one():
    """And padding stays padding."""
    tokens = np.random.default_rng(0).integers(2, 9, (40, 6)).astype(np.int32)
    tokens[:, 4:] = 0
    data = Part(x=tokens, y=part().y, lengths=np.full(40, 4, np.int32))
    cohort = Cohort([member(batch_size=40, input_dropout=0.5)], data, outputs=3, tokens=9)
    seen = read_by_networks(cohort)[0]
    assert not seen[:, 4:].any()
    assert 40 < (seen[:, :4] == 1).sum() < 120


def test_vectors_are_as_wide_as_asked_or_by_the_rule():
    assert [width_by_rule(n) for n in (1, 2, 10, 100, 1000, 10**6)] == [2, 3, 6, 22, 50, 50]
    cohort = Cohort(
        [member(hidden=(4,), embedding=(("street", 7), (None, 2)))], part(), outputs=3, embedded=COLUMNS
    )
    assert [weights.shape for weights, _ in cohort.weights(0).layers[:3]] == [(6, 2), (4, 7), (5, 2)]
    with pytest.raises(ValueError, match="must agree in embedding"):
        Cohort([member(), member(1, embedding=((None, 2),))], part(), outputs=3, embedded=COLUMNS)


def prepared(encode, *, categories=400, rows=4000):
    """A target that depends on a category in two ways, one of them together with a number."""
    rng = np.random.default_rng(1)
    level, phase = rng.normal(size=(2, categories))
    city, x = rng.integers(0, categories, rows), rng.normal(size=rows)
    y = level[city] + np.sin(2 * x + phase[city]) + 0.1 * rng.normal(size=rows)
    inputs = pd.DataFrame({"x": x, "city": [f"city {number}" for number in city]})
    settings = f"data: {{source: sklearn/iris, preprocess: {{categorical: {encode}}}}}"
    raw = RawData(name="cities", inputs=inputs, targets=pd.DataFrame({"y": y}))
    return prepare_raw(raw, parse_study(f"study: s\n{settings}").data, seed=0).training


def test_many_categories_are_learned_as_well_as_one_hot_from_data_of_their_own_size():
    """Where hashing loses them, and one-hot makes hundreds of features of one column."""
    found = {}
    for encode in ("one_hot", "hashing", "embedding"):
        data = prepared(encode)
        how = {
            "loss": "mse",
            "optimizer": "adam",
            "activation": "relu",
            "initializer": "he",
            "batch_size": 32,
        }
        members = [member(i, hidden=(32,), learning_rate=rate, **how) for i, rate in enumerate([0.003, 0.01])]
        cohort, best = Cohort(members, data.train, outputs=1, embedded=data.embedded), np.inf
        for _ in range(12):
            cohort.train_epoch()
            errors = np.square(cohort.predict(data.validation.x) - data.validation.y).mean(axis=(1, 2))
            best = min(best, float(np.sqrt(errors.min())))
        found[encode] = best, data.train.shape[0]
    assert found["embedding"][0] < 0.6 * found["hashing"][0]
    assert found["embedding"][0] < 1.15 * found["one_hot"][0]
    assert (found["embedding"][1], found["one_hot"][1] > 380) == (2, True)
