from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from hpsearch.data.groups import assign_groups
from hpsearch.data.splits import Known, divide, part_size, random_split, stratified_split
from hpsearch.data.targets import Targets
from hpsearch.spec import SplitSpec

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


def classes_of(content):
    content = np.asarray(content, dtype=object)
    return Targets(names=("t",), content=content, rows=np.arange(len(content)), is_classification=True)


def numbers_of(rows):
    return Targets(
        names=("t",),
        content=np.arange(rows, dtype=float)[:, None],
        rows=np.arange(rows),
        is_classification=False,
    )


def assert_no_row_twice(split, rows):
    """In every fold and with the test part; development is what trains or validates anywhere."""
    for fold in split.folds:
        together = np.concatenate([fold.train, fold.validation, split.test])
        assert len(set(together)) == len(together)
        assert set(together) <= set(range(rows))
    seen = {row for fold in split.folds for part in (fold.train, fold.validation) for row in part.tolist()}
    assert seen <= set(split.development.tolist())
    assert not set(split.test.tolist()) & set(split.development.tolist())


@given(rows=st.integers(20, 120), folds=st.integers(2, 7), repeats=st.integers(1, 3), seed=st.integers(0, 5))
def test_every_development_row_validates_once_a_repeat(rows, folds, repeats, seed):
    """And folds are of one size, give or take a row; the repeats differ."""
    settings = SplitSpec(folds=folds, repeats=repeats, test=0.25)
    split = divide(numbers_of(rows), settings, generator(seed))
    assert_no_row_twice(split, rows)
    assert len(split.folds) == folds * repeats
    assert len(split.test) == part_size(0.25, rows)
    for repeat in range(repeats):
        of_repeat = split.folds[repeat * folds : (repeat + 1) * folds]
        validated = np.concatenate([fold.validation for fold in of_repeat])
        assert sorted(validated) == split.development.tolist()
        sizes = [len(fold.validation) for fold in of_repeat]
        assert max(sizes) - min(sizes) <= 1
        assert all(len(fold.train) + len(fold.validation) == len(validated) for fold in of_repeat)
    if repeats > 1 and rows >= 40:
        assert not np.array_equal(split.folds[0].validation, split.folds[folds].validation)


@given(counts=st.lists(st.integers(8, 30), min_size=2, max_size=5), folds=st.integers(2, 5))
def test_stratified_folds_hold_every_class_within_one_row_of_its_share(counts, folds):
    content = np.repeat([f"c{i}" for i in range(len(counts))], counts)
    split = divide(classes_of(generator(1).permutation(content)), SplitSpec(folds=folds), generator())
    content = generator(1).permutation(content)
    for label in set(content):
        held = [int((content[fold.validation] == label).sum()) for fold in split.folds]
        assert max(held) - min(held) <= 1


@given(
    sizes=st.lists(st.integers(1, 9), min_size=6, max_size=30),
    folds=st.sampled_from([None, 2, 3]),
    stratify=st.booleans(),
    seed=st.integers(0, 5),
)
def test_no_group_is_in_two_parts(sizes, folds, stratify, seed):
    groups = generator(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    rows = len(groups)
    targets = classes_of(generator(3).choice(["a", "b"], rows)) if stratify else numbers_of(rows)
    split = divide(targets, SplitSpec(folds=folds), generator(seed), Known(groups=groups))
    assert_no_row_twice(split, rows)
    for fold in split.folds:
        parts = [set(groups[part].tolist()) for part in (fold.train, fold.validation, split.test)]
        assert all(parts)
        assert len(set.union(*parts)) == sum(map(len, parts)) == len(sizes)


def test_groups_are_shared_out_near_the_asked_shares_and_classes():
    groups = np.repeat(np.arange(200), 5)
    classes = np.repeat(generator(2).integers(0, 2, 200), 5)
    part = assign_groups(groups, classes, [0.6, 0.2, 0.2], generator())
    for number, share in enumerate([0.6, 0.2, 0.2]):
        for label in (0, 1):
            asked = share * (classes == label).sum()
            assert abs(((part == number) & (classes == label)).sum() - asked) <= 5


@given(
    times=st.lists(st.integers(0, 30), min_size=20, max_size=80).filter(lambda t: len(set(t)) > 8),
    gap=st.integers(0, 3),
)
def test_nothing_that_trains_is_later_than_what_validates_nor_that_than_the_test(times, gap):
    """Rows of one moment are together; the gap's rows are in no part."""
    times = np.array(times, dtype=float)
    split = divide(numbers_of(len(times)), SplitSpec(time="t"), generator(), Known(times=times, gap=gap))
    assert_no_row_twice(split, len(times))
    parts = [times[part] for part in (split.train, split.validation, split.test)]
    for earlier, later in pairwise(parts):
        if len(earlier) and len(later):
            assert earlier.max() < later.min()
    left_out = len(times) - sum(map(len, parts))
    assert left_out <= 2 * gap
    assert gap == 0 or left_out > 0


@given(rows=st.integers(40, 90), folds=st.integers(2, 6), gap=st.integers(0, 2))
def test_folds_in_the_order_of_time_are_those_of_scikit_learn(rows, folds, gap):
    """Of what is before the test part and its gap; unshuffled rows without times are in the order of the table."""
    times = generator(1).permutation(rows).astype(float)
    settings = SplitSpec(time="t", folds=folds, test=0.2)
    split = divide(numbers_of(rows), settings, generator(), Known(times=times, gap=gap))
    development = np.argsort(times)[: rows - part_size(0.2, rows) - gap]
    assert split.development.tolist() == sorted(development.tolist())
    peers = TimeSeriesSplit(folds, gap=gap).split(development)
    for fold, (train, held) in zip(split.folds, peers, strict=True):
        assert fold.train.tolist() == sorted(development[train].tolist())
        assert fold.validation.tolist() == sorted(development[held].tolist())
    plain = divide(numbers_of(rows), SplitSpec(shuffle=False, folds=folds, test=0.2), generator())
    assert all(fold.train.max() + 1 == fold.validation.min() for fold in plain.folds)
    assert plain.test.min() == plain.folds[-1].validation.max() + 1


@given(times=st.lists(st.integers(0, 12), min_size=30, max_size=60).filter(lambda t: len(set(t)) > 10))
def test_no_fold_learns_from_the_moment_that_it_validates_on(times):
    times = np.array(times, dtype=float)
    split = divide(numbers_of(len(times)), SplitSpec(time="t", folds=3), generator(), Known(times=times))
    for fold in split.folds:
        if len(fold.train) and len(fold.validation):
            assert times[fold.train].max() < times[fold.validation].min()
            assert times[fold.validation].max() < times[split.test].min()


def test_unshuffled_rows_are_cut_where_they_stand():
    """The digits' first half against their second: 75 percent of the first half trains."""
    split = divide(
        classes_of(generator().permutation(np.repeat(["a", "b"], 50))),
        SplitSpec(shuffle=False, validation=0.125, test=0.5),
        generator(),
    )
    assert split.train.tolist() == list(range(37))
    assert split.validation.tolist() == list(range(37, 50))
    assert split.test.tolist() == list(range(50, 100))


@given(data=st.data())
def test_rows_whose_part_is_given_are_in_that_part(data):
    """What is not given is drawn from the rest; rows that are out are nowhere."""
    part = np.array(
        data.draw(st.lists(st.sampled_from(["", "train", "test", "out"]), min_size=40, max_size=60)),
        dtype="<U10",
    )
    folds = data.draw(st.sampled_from([None, 3]))
    if (part == "test").sum() < 2 or np.isin(part, ["", "train"]).sum() < 10:
        return
    split = divide(numbers_of(len(part)), SplitSpec(folds=folds), generator(), Known(part=part))
    assert_no_row_twice(split, len(part))
    assert split.test.tolist() == np.flatnonzero(part == "test").tolist()
    free = np.flatnonzero(np.isin(part, ["", "train"])).tolist()
    assert split.development.tolist() == free
    assert all(sorted([*fold.train, *fold.validation]) == free for fold in split.folds)


def test_given_train_validation_and_test_leave_nothing_to_chance():
    part = np.array(["train", "test", "validation", "train", "test", "validation", "train"])
    for seed in (0, 1):
        split = divide(numbers_of(7), SplitSpec(), generator(seed), Known(part=part))
        assert (split.train.tolist(), split.validation.tolist(), split.test.tolist()) == (
            [0, 3, 6],
            [2, 5],
            [1, 4],
        )


def test_a_published_split_comes_out_as_published():
    """Concrete's: RandomState(1), choice without replacement, floor(.9 n + .5), again and again."""
    random = np.random.RandomState(1)
    for _ in range(3):
        order = random.choice(1030, 1030, replace=False)
        train, test = order[: int(np.floor(0.9 * 1030 + 0.5))], order[int(np.floor(0.9 * 1030 + 0.5)) :]
        part = np.full(1030, "out", dtype="<U10")
        part[train], part[test] = "train", "test"
        split = divide(numbers_of(1030), SplitSpec(validation=0.1), generator(), Known(part=part))
        assert split.test.tolist() == sorted(test.tolist())
        assert split.development.tolist() == sorted(train.tolist())


@given(
    count=st.integers(2, 5),
    settings=st.sampled_from([{}, {"folds": 3}, {"test": 0.3, "validation": 0.1}]),
    seed=st.integers(0, 5),
)
def test_outer_folds_share_out_what_is_no_test(count, settings, seed):
    """Each row of the development part tests once; the study's own test rows are in no part of any."""
    targets = classes_of([*"aaabbbbbbb"] * 6)
    whole = divide(targets, SplitSpec(**settings), generator(seed))
    outer = [
        divide(targets, SplitSpec(**settings, outer=f"{place + 1}/{count}"), generator(seed))
        for place in range(count)
    ]
    assert sorted(np.concatenate([split.test for split in outer])) == list(whole.development)
    for split in outer:
        assert sorted([*split.development, *split.test]) == list(whole.development)
        assert all(set(fold.train) | set(fold.validation) == set(split.development) for fold in split.folds)
        assert abs((targets.class_ids()[split.test] == 0).mean() - 0.3) < 0.08


def test_outer_folds_in_the_order_of_time_follow_what_they_are_learned_from():
    settings = {"shuffle": False, "test": 0.2, "validation": 0.2}
    splits = [divide(numbers_of(60), SplitSpec(**settings, outer=f"{i}/3"), generator()) for i in (1, 2, 3)]
    for split in splits:
        assert split.train.max() < split.validation.min() <= split.validation.max() < split.test.min()
        assert split.test.max() < 48
    assert [len(split.test) for split in splits] == [12, 12, 12]


@pytest.mark.parametrize("outer", ["0/3", "4/3", "1/1", "half", 2])
def test_an_outer_fold_that_is_none_is_refused(outer):
    with pytest.raises(ValueError, match=r"outer|folds"):
        SplitSpec(outer=outer)
