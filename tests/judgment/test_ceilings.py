"""Ceilings: no threshold ends up above them, whatever becomes of the trials that are undecided."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.judgment.ceilings import Undecided, ceilings
from hpsearch.judgment.pruning import History, thresholds
from hpsearch.spec import Pruning

RULES = ["median", "percentile", "halving", "hyperband"]
EPOCHS = 9

curve = st.lists(st.floats(-10, 10), min_size=1, max_size=12)
trials = st.lists(st.tuples(curve, st.booleans()), max_size=10)
rules = st.builds(
    Pruning,
    rule=st.sampled_from(RULES),
    warmup_epochs=st.integers(0, 3),
    startup_trials=st.integers(0, 3),
    percentile=st.sampled_from([10.0, 25.0, 60.0]),
    reduction_factor=st.integers(2, 3),
)


def history_of(trials):
    history = History()
    for number, (values, finished) in enumerate(trials):
        history.add(values, number=number, finished=finished)
    return history


@given(rule=rules, retired=trials, late=trials, data=st.data())
def test_no_threshold_ends_up_above_its_ceiling(rule, retired, late, data):
    """The late trials are known or not; each is then retired whole, or cut where it was pruned in hindsight."""
    undecided, resolved = [], list(retired)
    for number, (values, finished) in enumerate(late, start=len(retired)):
        known = data.draw(st.booleans())
        undecided.append(
            Undecided(number=number, curve=values if known else None, may_finish=finished or not known)
        )
        cut = data.draw(st.integers(1, len(values)))
        resolved.append((values[:cut], finished and cut == len(values)))
    number = len(resolved)
    highest = ceilings(rule, history_of(retired), undecided, number=number, epochs=EPOCHS)
    final = thresholds(rule, history_of(resolved), number=number, epochs=EPOCHS)
    bounded = ~np.isnan(highest)
    assert (final[bounded] <= highest[bounded]).all()


@given(rule=rules, retired=trials)
def test_with_nothing_undecided_ceilings_are_the_thresholds(rule, retired):
    history, number = history_of(retired), len(retired)
    np.testing.assert_array_equal(
        ceilings(rule, history, [], number=number, epochs=EPOCHS),
        thresholds(rule, history, number=number, epochs=EPOCHS),
    )


@pytest.mark.parametrize(
    ("undecided", "expected"),
    [
        ([Undecided(number=5)], 3.5),  # one more, however bad: the median lies between 3 and 4
        ([Undecided(number=5), Undecided(number=6)], 4),
        ([Undecided(number=5, curve=[3.2])], 3.1),
        ([Undecided(number=5, curve=[0.0])], 3),  # it would only lower the median; it may also be pruned
        ([Undecided(number=5, curve=[9.0], may_finish=False)], 3),
    ],
)
def test_examples_of_the_median(undecided, expected):
    rule = Pruning(rule="median", warmup_epochs=0, startup_trials=0)
    history = history_of([([value], True) for value in (1.0, 2.0, 3.0, 4.0, 5.0)])
    limits = ceilings(rule, history, undecided, number=7, epochs=1)
    assert limits == pytest.approx([expected])


def test_one_of_three_goes_on_and_two_more_may_come():
    """Of 5 trials and the new one two go on; with two undecided, still two; with three, three."""
    rule = Pruning(rule="halving", warmup_epochs=0, startup_trials=0, reduction_factor=3)
    history = history_of([([value, value], True) for value in (1.0, 2.0, 3.0, 4.0, 5.0)])
    for late, expected in [(0, 2.0), (2, 2.0), (3, 3.0)]:
        undecided = [Undecided(number=5 + i) for i in range(late)]
        limits = ceilings(rule, history, undecided, number=9, epochs=2)
        assert limits[0] == pytest.approx(expected)
