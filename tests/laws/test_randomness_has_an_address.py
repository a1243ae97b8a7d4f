"""Law 9. Every stream follows from (seed, trial, fold, purpose), and from nothing else."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpsearch.engine import Cohort, Member
from hpsearch.randomness import Address
from tests.support.recipes import blobs, recipe

PURPOSES = (
    "split",
    "initial",
    "order",
    "dropout",
    "sampler",
    "bootstrap",
    "evaluation",
    "baseline",
    "augmentation",
)


def start(address, purpose):
    return tuple(address.stream(purpose).integers(0, 2**63, 4).tolist())


def first_weight(address, **changes):
    cohort = Cohort([Member(recipe(**changes), address)], blobs(), outputs=3)
    return cohort.weights(0).layers[0][0]


@given(st.integers(0, 2**32), st.one_of(st.none(), st.integers(0, 10**6)), st.integers(0, 20))
@settings(deadline=None, max_examples=30)
def test_the_same_address_gives_the_same_stream(seed, trial, fold):
    for purpose in PURPOSES:
        one, other = (Address(seed=seed, trial=trial, fold=fold) for _ in range(2))
        assert start(one, purpose) == start(other, purpose)
        assert one.integer(purpose) == other.integer(purpose)


def test_addresses_that_differ_in_one_thing_give_other_streams():
    addresses = [Address(seed=s, trial=t, fold=f) for s, t, f in product((0, 1), (None, 0, 1), (0, 1))]
    starts = [start(address, purpose) for address in addresses for purpose in PURPOSES]
    assert all(a != b for a, b in combinations(starts, 2))


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "adam"},
        {"dropout": 0.5},
        {"input_dropout": 0.5},
        {"batch_size": 3},
        {"l2": 0.1},
        {"epochs": 9},
    ],
    ids=str,
)
def test_initial_weights_follow_from_the_address_and_the_shape_alone(changes):
    address = Address(seed=3, trial=4)
    np.testing.assert_array_equal(first_weight(address), first_weight(address, **changes))


@pytest.mark.parametrize(
    "other", [Address(seed=3, trial=5), Address(seed=4, trial=4), Address(seed=3, trial=4, fold=1)]
)
def test_another_address_starts_from_other_weights(other):
    assert (first_weight(Address(seed=3, trial=4)) != first_weight(other)).all()


@pytest.mark.parametrize(
    "changes", [{"dropout": 0.5}, {"input_dropout": 0.5}, {"optimizer": "adam"}], ids=str
)
def test_the_order_of_samples_follows_from_its_own_stream_alone(changes):
    def orders(**changes):
        cohort = Cohort([Member(recipe(**changes), Address(seed=3, trial=4))], blobs(), outputs=3)
        seen = []
        for _ in range(3):
            cohort.train_epoch()
            seen.append(cohort._batches._order[0].copy())
        return np.array(seen)

    np.testing.assert_array_equal(orders(), orders(**changes))


def test_every_epoch_has_its_own_order_in_which_each_sample_comes_once():
    cohort = Cohort([Member(recipe(), Address(seed=3, trial=t)) for t in range(2)], blobs(), outputs=3)
    cohort.train_epoch()
    first = cohort._batches._order.copy()
    cohort.train_epoch()
    second = cohort._batches._order
    for order in (*first, *second):
        assert sorted(order) == list(range(29))
    assert (first != second).any()
    assert (first[0] != first[1]).any()
