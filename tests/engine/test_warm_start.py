"""Networks that begin from trained weights: what agrees is taken, all else is drawn as ever."""

import numpy as np

from hpsearch.data.prepared import EmbeddedColumn
from hpsearch.engine import Cohort
from hpsearch.engine.warm_start import start_of, taken
from tests.support.recipes import blobs, member


def trained(part, **changes):
    cohort = Cohort([member(**changes)], part, outputs=3)
    cohort.train_epoch()
    return cohort.weights(0)


def test_a_network_of_the_same_shape_begins_where_the_other_ended():
    part = blobs()
    weights = trained(part, hidden=(7, 5))
    begun = Cohort([member(4, hidden=(7, 5))], part, outputs=3, start=start_of(weights))
    np.testing.assert_array_equal(begun.weights(0).parameters, weights.parameters)
    assert taken(weights.plan, start_of(weights)) == "all 3 arrays"


def test_what_does_not_agree_begins_at_random_as_it_would_without():
    part = blobs()
    start = start_of(trained(part, hidden=(7, 5)))
    plain = Cohort([member(4, hidden=(7, 6))], part, outputs=3)
    begun = Cohort([member(4, hidden=(7, 6))], part, outputs=3, start=start)
    ours, theirs = begun.weights(0), plain.weights(0)
    np.testing.assert_array_equal(ours.layers[0][0], start.arrays[0][:-1])
    for one, other in zip(ours.layers[1:], theirs.layers[1:], strict=True):
        np.testing.assert_array_equal(one[0], other[0])
    assert taken(ours.plan, start) == "1 of 3 arrays (dense 1)"


def test_nothing_is_taken_from_a_network_of_other_shapes():
    start = start_of(trained(blobs(inputs=9), hidden=(4,)))
    plan = trained(blobs(inputs=5), hidden=(7, 5)).plan
    assert taken(plan, start) == "0 of 3 arrays"


def test_vectors_of_categories_are_left_since_their_numbers_stand_for_others_in_other_rows():
    """All else is taken."""
    part = blobs()
    part.x[:, 1] = np.arange(len(part)) % 4
    column = (EmbeddedColumn(name="city", place=1, categories=3),)
    cohort = Cohort([member(hidden=(7,))], part, outputs=3, embedded=column)
    cohort.train_epoch()
    weights = cohort.weights(0)
    begun = Cohort(
        [member(4, hidden=(7,))], part, outputs=3, embedded=column, start=start_of(weights)
    ).weights(0)
    same = [
        np.array_equal(ours[0], theirs[0]) for ours, theirs in zip(begun.layers, weights.layers, strict=True)
    ]
    assert same == [False, True, True]
    assert taken(weights.plan, start_of(weights)) == "2 of 3 arrays (dense 1, dense 2)"
