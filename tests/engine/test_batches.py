"""What a step learns from: each network's own samples, each once an epoch, whatever their shape and number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.data.prepared import Part
from hpsearch.engine import batches
from hpsearch.engine.batches import Batches, Samples
from hpsearch.engine.losses import LOSSES
from hpsearch.randomness import Address

FLOAT = np.dtype(np.float32)


def part(n, shape=(3,), start=0, dtype=np.float32):
    """Samples that all differ: the first number of each is its own, and so is its target."""
    x = np.arange(n * int(np.prod(shape)), dtype=dtype).reshape(n, *shape) + np.asarray(start, dtype)
    return Part(x=x, y=np.arange(start, start + n, dtype=np.float32))


def make(parts, batch, *, ones=False):
    samples = {id(p): Samples.of(p, LOSSES["mse"], outputs=1, dtype=FLOAT) for p in parts}
    return Batches(
        [samples[id(p)] for p in parts],
        [Address(seed=0, trial=0, fold=f).stream("order") for f in range(len(parts))],
        batch=batch,
        smoothing=np.zeros(len(parts)),
        classes=None,
        ones=ones,
        dtype=FLOAT,
    )


def epoch(made):
    """Copies of all batches of one epoch."""
    made.shuffle()
    return [
        type(batch)(*(None if array is None else array.copy() for array in batch))
        for batch in map(made.take, range(made.steps))
    ]


@given(st.integers(1, 40), st.integers(1, 50), st.sampled_from([(3,), (4, 5), (2, 3, 1)]), st.integers(1, 3))
@settings(deadline=None, max_examples=40)
def test_each_sample_comes_once_an_epoch_with_its_target(n, batch, shape, networks):
    one = part(n, shape)
    made = make([one] * networks, batch)
    for _ in range(2):
        seen = epoch(made)
        inputs = np.concatenate([b.inputs for b in seen], axis=1)
        targets = np.concatenate([b.targets for b in seen], axis=1)
        assert all(b.weights is None for b in seen)
        for x, y in zip(inputs, targets[..., 0].astype(int), strict=True):
            assert sorted(y) == list(range(n))
            np.testing.assert_array_equal(x, one.x[y])


@given(st.lists(st.integers(2, 30), min_size=2, max_size=4), st.integers(1, 12))
@settings(deadline=None, max_examples=60)
def test_folds_of_different_size_keep_step_and_each_sample_counts(sizes, batch):
    """In the batch in which a fold's samples end, weights sum to its size: the mean is over what is there."""
    parts = [part(n, start=1000 * f) for f, n in enumerate(sizes)]
    made = make(parts, batch, ones=True)
    seen = epoch(made)
    for k, n in enumerate(sizes):
        own = []
        for b in seen:
            weights = np.ones(b.targets.shape[1]) if b.weights is None else b.weights[k, :, 0]
            y = b.targets[k, :, 0]
            np.testing.assert_allclose(weights.sum(), len(y), rtol=1e-5)
            assert ((y >= 1000 * k) & (y < 1000 * k + n)).all()
            np.testing.assert_array_equal(b.inputs[k, :, :-1], parts[k].x[(y - 1000 * k).astype(int)])
            np.testing.assert_array_equal(b.inputs[k, :, -1], 1)
            own += y[weights > 0].tolist()
        assert sorted(own[:n]) == parts[k].y.tolist()


@pytest.mark.parametrize("ones", [False, True])
@pytest.mark.parametrize("shape", [(3,), (4, 2)])
def test_inputs_that_are_not_copied_give_the_same_batches(monkeypatch, shape, ones):
    def sequence():
        made = make([part(23, shape), part(20, shape, start=100)], 6, ones=ones)
        first = epoch(made)
        made.keep([1])
        return made, [*first, *epoch(made)]

    copied, expected = sequence()
    assert copied._pool.inputs is not None
    monkeypatch.setattr(batches, "COPIED_AT_MOST", 0)
    read, found = sequence()
    assert read._pool.inputs is None
    for one, other in zip(expected, found, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_one_array_without_ones_is_read_where_it_is():
    one = part(20, (4, 4, 1))
    assert make([one] * 3, 5)._pool.inputs is one.x


def test_tokens_stay_integers_and_lengths_follow_their_samples():
    tokens = part(9, (5,), dtype=np.int32)
    samples = Samples(tokens.x, tokens.y[:, None], np.arange(9, dtype=np.int32))
    made = Batches(
        [samples] * 2,
        [Address(seed=0, trial=t).stream("order") for t in range(2)],
        batch=4,
        smoothing=np.zeros(2),
        classes=None,
        ones=False,
        dtype=FLOAT,
    )
    for batch in epoch(made):
        assert batch.inputs.dtype == np.int32
        np.testing.assert_array_equal(batch.lengths, batch.targets[..., 0])


def test_a_network_sees_the_same_batches_whoever_stands_beside_it():
    parts = [part(21), part(20, start=100)]
    together, alone = make(parts, 4), make(parts, 4)
    alone.keep([1])
    for one, other in zip(epoch(together), epoch(alone), strict=True):
        np.testing.assert_array_equal(one.inputs[1], other.inputs[0])
        np.testing.assert_array_equal(one.weights[1], other.weights[0])
