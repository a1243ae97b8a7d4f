"""Laws 1, 5 and 6 for networks of all layers: alone as together, a bad one hurts nobody, strengths mean one thing."""

from dataclasses import replace

import numpy as np
import pytest

from hpsearch.data.prepared import EmbeddedColumn, Part
from hpsearch.engine import Cohort, Member, evaluate, forward
from hpsearch.randomness import Address
from hpsearch.spec import parse_study
from tests.support.recipes import recipe

COLUMNS_OF_CATEGORIES = (
    EmbeddedColumn(name="city", place=1, categories=7),
    EmbeddedColumn(name="trade", place=5, categories=3),
)
NETWORKS = {
    "images": ((6, 5, 2), None, False, """
        [{convolution: {filters: 4, kernel: 3, activation: identity}}, batch_normalization, activation,
         {dropout: {rate: 0.3, spatial: true}}, {max_pool: 2},
         {residual: [{convolution: {filters: 6, stride: 2}}, {dropout: 0.2}, layer_normalization]},
         {depthwise_convolution: 2}, {average_pool: {size: 2, stride: 1, padding: same}}, flatten, {dense: 5}]"""),
    "images, one number a channel": ((5, 4, 3), None, False, """
        [{convolution: {filters: 6, kernel: [2, 3], padding: valid, groups: 3}}, layer_normalization,
         global_max_pool, {dense: {units: 7, activation: gelu}}, batch_normalization, {dropout: 0.4}]"""),
    "sequences": ((7, 3), None, False, """
        [{convolution: {filters: 5, kernel: 3, dilation: 2}}, {max_pool: 2},
         {lstm: {units: 4, bidirectional: true, states: all}}, {dropout: 0.3}, {gru: {units: 5, layers: 2}}]"""),
    "sequences that differ in length": ((7, 3), None, True, """
        [{convolution: {filters: 5, kernel: 3}}, batch_normalization, {simple_rnn: {units: 4, states: all}},
         global_average_pool, {dropout: 0.3}]"""),
    "tokens": ((8,), 11, True, """
        [{embedding: 6}, {convolution: {filters: 5, kernel: 3}}, {average_pool: 2}, {gru: {units: 4, states: all}},
         global_max_pool]"""),
    "columns of categories": ((6,), COLUMNS_OF_CATEGORIES, False, """
        [{dense: 8}, {dropout: 0.3}, {dense: {units: 5, activation: tanh}}]"""),
    "flat": ((9,), None, False, """
        [{dense: {units: 8, activation: identity}}, batch_normalization, activation,
         {residual: [{dense: 8}, {dropout: 0.2}, {dense: {units: 8, activation: tanh}}]}, {dropout: 0.3}]"""),
}  # fmt: skip

COLUMNS = [
    {"optimizer": "adam", "learning_rate": 0.01, "l2": 1e-3, "input_dropout": 0.2},
    {"optimizer": "sgd", "learning_rate": 0.05, "max_norm": 1.0, "initializer": "he"},
    {"optimizer": "adamw", "learning_rate": 0.003, "weight_decay": 0.1, "clip_norm": 1.0, "l1": 1e-3},
]


def layers_of(text, initializer="xavier"):
    spec = parse_study(
        f"study: s\ndata: {{source: sklearn/digits}}\n"
        f"model: {{layers: {' '.join(text.split())}, initializer: {initializer}}}\nspace: {{batch_size: 7}}"
    )
    return spec.resolve({}, default_loss="mse").layers


def data_for(shape, ids, *, ragged, n=23):
    rng = np.random.default_rng(0)
    if isinstance(ids, int):
        x = rng.integers(1, ids, (n, *shape)).astype(np.int32)
    else:
        x = rng.standard_normal((n, *shape)).astype(np.float32)
        for column in ids or ():
            x[:, column.place] = rng.integers(0, column.categories + 1, n)
    lengths = None
    if ragged:
        lengths = rng.integers(1, shape[0] + 1, n).astype(np.int32)
        x[np.arange(shape[0]) >= lengths[:, None]] = 0
    return Part(x=x, y=rng.integers(0, 3, n).astype(np.int32), lengths=lengths)


def members_of(text, columns, *, rates=True):
    members = []
    for trial, changes in enumerate(columns):
        layers = layers_of(text, changes.get("initializer", "xavier"))
        if not rates:
            layers = tuple(layer.having(rate=0.0) for layer in layers)
        members.append(
            Member(recipe(hidden=(), batch_size=7, layers=layers, **changes), Address(seed=3, trial=trial))
        )
    return members


def told(ids):
    """What a cohort is told of inputs that are numbers of something: tokens, or categories of some columns."""
    return {"tokens": ids} if isinstance(ids, int) else {"embedded": ids or ()}


def history(members, part, ids, leaving=()):
    cohort = Cohort(members, part, outputs=3, **told(ids))
    seen = {position: [] for position in range(len(members))}
    for epoch in range(3):
        statistics = cohort.train_epoch()
        outputs = cohort.predict(part.x, part.lengths)
        for row, position in enumerate(cohort.rows):
            weights = cohort.weights(position)
            norms = statistics.gradient_norm[row], statistics.weight_norm[row]
            seen[position].append([weights.parameters, weights.state, outputs[row].copy(), *norms])
            np.testing.assert_array_equal(forward(weights, part.x, part.lengths), outputs[row])
        cohort.leave([position for position, last in leaving if last == epoch and position in cohort.rows])
        if not cohort.rows:
            break
    return seen


def assert_identical(one, other):
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("shape", "ids", "ragged", "text"), NETWORKS.values(), ids=NETWORKS)
def test_alone_equals_together(shape, ids, ragged, text):
    part = data_for(shape, ids, ragged=ragged)
    members = members_of(text, COLUMNS)
    together = history(members, part, ids, leaving=[(1, 1)])
    for position, member in enumerate(members):
        alone = history([member], part, ids, leaving=[(0, 1)] if position == 1 else [])
        assert_identical(together[position], alone[0])
        assert all(np.isfinite(values).all() for step in alone[0] for values in step)


@pytest.mark.parametrize(("shape", "ids", "ragged", "text"), NETWORKS.values(), ids=NETWORKS)
def test_one_bad_network_hurts_nobody(shape, ids, ragged, text):
    part = data_for(shape, ids, ragged=ragged)
    good = members_of(text, COLUMNS)
    bad = replace(good[1].hyperparameters, learning_rate=1e38, max_norm=None, clip_norm=None, l2=1e10)
    spoiled = Member(bad, Address(seed=3, trial=99))
    mixed, clean = history([good[0], spoiled, good[2]], part, ids), history(good, part, ids)
    assert_identical(mixed[0], clean[0])
    assert_identical(mixed[2], clean[2])
    loss = evaluate("cross_entropy", mixed[1][-1][2][None], part.y)
    assert not np.isfinite(loss[0])


@pytest.mark.parametrize(("shape", "ids", "ragged", "text"), NETWORKS.values(), ids=NETWORKS)
def test_a_strength_means_one_thing_at_any_batch_size(shape, ids, ragged, text):
    """Every sample twice, in batches twice as large, is the same training."""
    part = data_for(shape, ids, ragged=ragged, n=7)
    double = Part(
        x=np.repeat(part.x, 2, axis=0),
        y=np.repeat(part.y, 2),
        lengths=None if part.lengths is None else np.repeat(part.lengths, 2),
    )
    [member] = members_of(
        text.replace("0.3", "0.0").replace("0.2", "0.0").replace("0.4", "0.0"), COLUMNS[1:2]
    )
    twice = replace(member, hyperparameters=replace(member.hyperparameters, batch_size=14))
    flat = []
    for one, data in ((member, part), (twice, double)):
        cohort = Cohort([one], data, outputs=3, **told(ids), dtype=np.float64)
        for _ in range(3):
            cohort.train_epoch()
        flat.append(cohort.weights(0).parameters)
    np.testing.assert_allclose(flat[0], flat[1], rtol=1e-6, atol=1e-9)
