"""Pruning rules: examples worked by hand, laws as properties, and Optuna's pruners as reference."""

import time

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.judgment.pruning import History, bracket, thresholds
from hpsearch.spec import Pruning

RULES = ["median", "percentile", "halving", "hyperband"]


def rule(name, **changes):
    """A pruning section without warm-up, start-up, or anything but what is given."""
    plain = {"warmup_epochs": 0, "startup_trials": 0, "reduction_factor": 2, "min_epochs": 1}
    return Pruning(rule=name, **plain | changes)


def history_of(*curves, unfinished=()):
    """Trials 0, 1, 2, ... with these curves; those in `unfinished` were pruned."""
    history = History()
    for number, curve in enumerate(curves):
        history.add(curve, number=number, finished=number not in unfinished)
    return history


NONE = float("nan")


@pytest.mark.parametrize(
    ("curves", "unfinished", "epochs", "limits"),
    [
        ([[3, 2, 1]], (), 3, [3, 2, 1]),
        ([[3, 2, 1], [6, 4, 2]], (), 3, [4.5, 3, 1.5]),
        ([[3, 5, 4], [3, 3, 3]], (), 3, [3, 3, 3]),  # bests so far, not values
        ([[3, 1], [5, 5, 5, 5]], (), 4, [4, 3, 3, 3]),  # a finished trial's best holds on
        ([[3, 1], [5, 5, 5, 5]], (), 2, [4, 3]),
        ([[3, 2]], (), 4, [3, 2, 2, 2]),  # beyond the longest
        ([[3, 2], [9, 9]], (1,), 2, [3, 2]),  # only finished trials count
        ([[9, 9]], (0,), 2, [NONE, NONE]),
        ([], (), 2, [NONE, NONE]),
    ],
)
def test_median_examples(curves, unfinished, epochs, limits):
    history = history_of(*curves, unfinished=unfinished)
    np.testing.assert_array_equal(thresholds(rule("median"), history, number=9, epochs=epochs), limits)


def test_percentile_examples():
    history = history_of([0], [1], [2], [3], [4])
    for percent, limit in [(25.0, 1), (50.0, 2), (75.0, 3), (10.0, 0.4)]:
        section = rule("percentile", percentile=percent)
        assert thresholds(section, history, number=9, epochs=1) == pytest.approx([limit])


@pytest.mark.parametrize(
    ("curves", "unfinished", "factor", "epochs", "limits"),
    [
        # one of two goes on; rungs after epochs 1, 2, 4
        ([[3, 2, 1, 1, 1]], (), 2, 5, [3, 2, NONE, 1, NONE]),
        ([[3] * 5, [1] * 5, [2] * 5], (), 2, 5, [2, 2, NONE, 2, NONE]),
        # pruned trials count at the rungs that they reached
        ([[3] * 5, [1], [2]], (1, 2), 2, 5, [2, 3, NONE, 3, NONE]),
        # the last epoch is no rung: nothing is left to save
        ([[3, 2, 1, 1, 1]], (), 2, 4, [3, 2, NONE, NONE]),
        # one of three; rungs after 1 and 3
        ([[5] * 4, [4] * 4, [3] * 4, [2] * 4, [1] * 4], (), 3, 4, [2, NONE, 2, NONE]),
        # a finished trial stands at later rungs with its best
        ([[3, 2]], (), 2, 9, [3, 2, NONE, 2, NONE, NONE, NONE, 2, NONE]),
        ([[3, 2]], (0,), 2, 9, [NONE] * 9),  # but nothing is pruned before a trial has finished
    ],
)
def test_halving_examples(curves, unfinished, factor, epochs, limits):
    history = history_of(*curves, unfinished=unfinished)
    section = rule("halving", reduction_factor=factor)
    np.testing.assert_array_equal(thresholds(section, history, number=9, epochs=epochs), limits)


def test_halving_starts_at_min_epochs():
    limits = thresholds(rule("halving", min_epochs=3), history_of([1.0] * 9), number=1, epochs=9)
    assert (np.flatnonzero(~np.isnan(limits)) + 1).tolist() == [3, 6]


def test_brackets_shrink_by_the_factor():
    assert [bracket(number, 3) for number in range(9)] == [0, 0, 1, 0, 0, 1, 0, 0, 2]
    assert [bracket(number, 2) for number in range(8)] == [0, 1, 0, 2, 0, 1, 0, 3]


def test_a_hyperband_trial_competes_within_its_bracket_alone():
    history = history_of([10] * 9, [1] * 9, [20] * 9, [2] * 9)  # brackets 0, 1, 0, 2
    section = rule("hyperband")
    by_bracket = {0: (4, {1: 10, 2: 10, 4: 10, 8: 10}), 1: (5, {2: 1, 4: 1, 8: 1}), 2: (11, {4: 2, 8: 2})}
    for expected, (number, rungs) in by_bracket.items():
        assert bracket(number, 2) == expected
        limits = thresholds(section, history, number=number, epochs=9)
        assert {int(i) + 1: limits[i] for i in np.flatnonzero(~np.isnan(limits))} == rungs


def test_no_rule_prunes_without_one():
    assert np.isnan(thresholds(rule("none"), history_of([1, 1]), number=2, epochs=3)).all()


curve = st.lists(st.floats(-10, 10), min_size=1, max_size=12)
trials = st.lists(st.tuples(curve, st.booleans()), max_size=12)


def build(retired, numbers=None):
    history = History()
    for i, (values, finished) in enumerate(retired):
        history.add(values, number=i if numbers is None else numbers[i], finished=finished)
    return history


@pytest.mark.parametrize("name", RULES)
@given(retired=trials, warmup=st.integers(0, 5), startup=st.integers(0, 6))
def test_nothing_is_compared_in_warmup_nor_before_startup(name, retired, warmup, startup):
    section = rule(name, warmup_epochs=warmup, startup_trials=startup)
    limits = thresholds(section, build(retired), number=0, epochs=10)
    assert limits.shape == (10,)
    assert np.isnan(limits[:warmup]).all()
    finished = sum(done for _, done in retired)
    if finished < max(startup, 1):
        assert np.isnan(limits).all()
    elif name == "median":
        assert not np.isnan(limits[warmup:]).any()


@pytest.mark.parametrize("name", RULES)
@given(retired=trials, data=st.data())
def test_the_order_of_the_history_does_not_matter(name, retired, data):
    order = data.draw(st.permutations(range(len(retired))))
    shuffled = build([retired[i] for i in order], numbers=order)
    before = thresholds(rule(name), build(retired), number=0, epochs=12)
    np.testing.assert_array_equal(thresholds(rule(name), shuffled, number=0, epochs=12), before)


@pytest.mark.parametrize("name", RULES)
@given(retired=trials)
def test_another_bad_trial_never_tightens_a_threshold(name, retired):
    before = thresholds(rule(name), build(retired), number=0, epochs=12)
    after = thresholds(rule(name), build([*retired, ([11.0] * 12, True)]), number=0, epochs=12)
    compared = ~np.isnan(before)
    assert (after[compared] >= before[compared]).all()


@given(retired=trials)
def test_a_trial_as_good_as_the_best_is_never_pruned(retired):
    best = np.full(12, 10.0)
    for values, _ in retired:
        best[: len(values)] = np.minimum(best[: len(values)], values)
    best = np.minimum.accumulate(best)
    for name in RULES:
        limits = thresholds(rule(name), build(retired), number=0, epochs=12)
        assert not (best > limits).any()


def test_thresholds_follow_the_history_as_it_grows():
    """No call leaves anything behind: asking in between changes no later answer."""
    stream = np.random.default_rng(0)
    curves = [stream.random(stream.integers(1, 20)) for _ in range(200)]
    asked = History()
    for number, values in enumerate(curves):
        asked.add(values, number=number, finished=number % 3 > 0)
        for name in RULES:
            thresholds(rule(name), asked, number=number, epochs=25)
    fresh = build([(values, number % 3 > 0) for number, values in enumerate(curves)])
    for name in RULES:
        np.testing.assert_array_equal(
            thresholds(rule(name), asked, number=200, epochs=25),
            thresholds(rule(name), fresh, number=200, epochs=25),
        )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_follows_a_value_that_is_not_finite_is_ignored(bad):
    history = history_of([3, bad, 1], [4, 4, 4], [bad], unfinished=(0, 2))
    np.testing.assert_array_equal(history.at(1)[0], [3, 4])
    np.testing.assert_array_equal(history.at(2)[0], [4])
    np.testing.assert_array_equal(history.at(7)[1], [1])


def optuna_decisions(pruner, curves, first_step):
    """After how many epochs Optuna prunes each of these trials, run one after the other; 0: not at all."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(pruner=pruner, direction="minimize")
    for values in curves:
        trial, pruned = study.ask(), 0
        for epoch, value in enumerate(values, start=1):
            trial.report(value, epoch - 1 + first_step)
            if epoch < len(values) and trial.should_prune():
                pruned = epoch
                break
        if pruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, values[-1])
        yield pruned


def our_decisions(section, curves):
    history = History()
    for number, values in enumerate(curves):
        worse = values[:-1] > thresholds(section, history, number=number, epochs=len(values))[:-1]
        pruned = int(worse.argmax()) + 1 if worse.any() else 0
        history.add(values[:pruned] if pruned else values, number=number, finished=not pruned)
        yield pruned


REFERENCES = [
    (rule("median", warmup_epochs=2, startup_trials=5), optuna.pruners.MedianPruner(5, 2), 0),
    (rule("percentile", startup_trials=10), optuna.pruners.PercentilePruner(25.0, 10), 0),
    (
        rule("halving", reduction_factor=3, min_epochs=2),
        optuna.pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=3),
        1,
    ),
]


@pytest.mark.parametrize(("section", "pruner", "first_step"), REFERENCES)
def test_one_after_the_other_the_rules_decide_as_optunas(section, pruner, first_step):
    """On curves that only fall, where a value and the best so far are the same."""
    stream = np.random.default_rng(3)
    curves = np.minimum.accumulate(stream.normal(size=(80, 1)) + stream.normal(size=(80, 10)), axis=1)
    ours = list(our_decisions(section, curves))
    assert 20 < np.count_nonzero(ours) < 75
    assert ours == list(optuna_decisions(pruner, curves, first_step))


def test_ten_thousand_trials_are_no_burden():
    """A call costs about a millisecond or less when a window of 16 shares its history."""
    stream = np.random.default_rng(0)
    history, spent = History(), 0.0
    for number in range(10_000):
        history.add(stream.random(50), number=number, finished=number % 2 > 0)
        if number % 1000 == 999:
            started = time.process_time()
            for name in RULES:
                for new in range(16):
                    thresholds(rule(name), history, number=number + new, epochs=50)
            spent += time.process_time() - started
    assert spent / (10 * 16 * len(RULES)) < 2e-3
