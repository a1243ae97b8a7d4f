import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.data.splits import part_size, random_split, stratified_split

fractions = st.floats(0.05, 0.45)


def generator(seed=0):
    return np.random.default_rng(seed)


def assert_partition(split, rows):
    together = np.concatenate([split.train, split.validation, split.test])
    assert sorted(together) == list(range(rows))


@given(rows=st.integers(1, 300), validation=fractions, test=fractions, seed=st.integers(0, 5))
def test_a_random_split_is_a_partition_of_the_asked_sizes(rows, validation, test, seed):
    split = random_split(rows, validation=validation, test=test, random=generator(seed))
    assert_partition(split, rows)
    assert len(split.test) == part_size(test, rows)


@given(
    counts=st.lists(st.integers(1, 40), min_size=2, max_size=12),
    validation=fractions,
    test=fractions,
    seed=st.integers(0, 5),
)
def test_a_stratified_split_holds_every_class_within_one_row_of_its_share(counts, validation, test, seed):
    """In the test part; in the validation part too unless that would leave a class untrained."""
    classes = generator(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    split = stratified_split(classes, validation=validation, test=test, random=generator(seed))
    assert_partition(split, len(classes))
    for label, count in enumerate(counts):
        in_test, in_validation, in_train = (
            int((classes[rows] == label).sum()) for rows in (split.test, split.validation, split.train)
        )
        assert in_train >= 1
        assert in_test < count * test + 1
        assert in_validation < count * validation + 1
        if count >= 20:
            assert in_test > count * test - 1
            assert in_validation > count * validation - 1


@given(counts=st.lists(st.integers(10, 40), min_size=2, max_size=8), share=st.sampled_from([0.1, 0.2, 0.25]))
def test_a_stratified_split_has_the_asked_sizes_when_no_class_is_tiny(counts, share):
    classes = np.repeat(np.arange(len(counts)), counts)
    split = stratified_split(classes, validation=share, test=share, random=generator())
    assert len(split.test) == part_size(share, len(classes))
    assert len(split.validation) == part_size(share, len(classes))


def test_a_class_of_three_is_in_all_parts():
    classes = np.repeat([0, 1], [97, 3])
    split = stratified_split(classes, validation=0.1, test=0.1, random=generator())
    assert [(classes[rows] == 1).sum() for rows in (split.train, split.validation, split.test)] == [1, 1, 1]


def test_the_seed_decides_the_split_and_another_seed_gives_another():
    first, again, other = (random_split(50, validation=0.2, test=0.2, random=generator(s)) for s in (1, 1, 2))
    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


@pytest.mark.parametrize(
    ("fraction", "rows", "size"), [(0.2, 1797, 359), (0.5, 5, 3), (0.25, 10, 3), (0.0, 9, 0)]
)
def test_a_part_is_its_fraction_of_the_whole_with_halves_rounded_up(fraction, rows, size):
    assert part_size(fraction, rows) == size
