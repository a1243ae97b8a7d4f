"""Windows of trials: a function of the study file alone."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from hpsearch.execution.windows import DEPTH, depth, windows


def first(n, **settings):
    return list(islice(windows(**settings), n))


@given(startup=st.integers(0, 50), in_flight=st.none() | st.integers(1, 64))
def test_windows_follow_each_other_without_gap(startup, in_flight):
    """Every trial number is in exactly one window."""
    numbers = [number for window in first(40, startup=startup, in_flight=in_flight) for number in window]
    assert numbers == list(range(len(numbers)))


@given(in_flight=st.integers(1, 64), startup=st.integers(0, 50))
def test_no_more_trials_are_in_flight_than_asked_for(in_flight, startup):
    """Windows under way hold at most `in_flight` trials."""
    sizes = [len(window) for window in first(40, startup=startup, in_flight=in_flight)]
    assert max(sizes) * depth(in_flight) <= in_flight


def test_automatic_windows_start_with_the_startup_trials_and_grow():
    """The start-up in one window, then an eighth of what was issued, between 4 and 16."""
    sizes = [len(window) for window in first(60, startup=10, in_flight=None)]
    assert sizes[0] == 10
    assert sizes[1] == 4
    assert sizes == [10, *sorted(sizes[1:])]
    assert max(sizes) == 16


def test_depth_is_two_unless_trials_run_one_by_one():
    """One trial in flight means a strictly sequential search."""
    assert depth(1) == 1
    assert depth(None) == depth(8) == DEPTH
