"""What TPE is shown of a long study: enough to propose as well, and no more however long it gets."""

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.search import memory
from hpsearch.search.fact import TrialFact
from hpsearch.search.memory import Memory
from tests.support.searches import SPACE, search

TPE = "{name: tpe, n_startup_trials: 10}"


def smooth(proposal, *, objectives):
    """A loss with one valley, without failures."""
    rate = math.log10(proposal.params["learning_rate"])
    loss = (rate + 2.3) ** 2 + (proposal.params["dropout"] - 0.2) ** 2 + proposal.params["epochs"] / 50
    return TrialFact(
        number=proposal.number,
        params=proposal.params,
        hyperparameters={},
        state="complete",
        reason="",
        values=(loss,),
        curves={"validation_loss": (loss,)},
        scores={},
        distributions=proposal.distributions,
    )


def some_values(count, seed):
    return random.Random(seed).choices(range(200), k=count)


@given(count=st.integers(0, 500), seed=st.integers())
def test_nothing_is_left_out_of_a_study_of_500(count, seed):
    """Up to there, every finished trial is shown."""
    remembered, values = Memory(), some_values(count, seed)
    for number, value in enumerate(values):
        remembered.add(number, (0.0, value))
    assert remembered.numbers() == list(range(len(values)))


@given(count=st.integers(501, 1500), seed=st.integers())
def test_of_a_longer_one_the_best_and_the_latest_are_shown(count, seed):
    """The best 25 and the latest 500, no others."""
    remembered, values = Memory(), some_values(count, seed)
    for number, value in enumerate(values):
        remembered.add(number, (0.0, value))
    shown = remembered.numbers()
    best = sorted(range(len(values)), key=lambda number: (values[number], number))[:25]
    assert set(best) | set(range(len(values) - 500, len(values))) == set(shown)


def test_a_complete_trial_ranks_before_a_pruned_one():
    """As TPE ranks them: pruned ones by the epoch reached, then by value; failed ones last."""
    remembered = Memory()
    ranks = [(2.0,), (1.0, -3.0, 0.1), (1.0, -5.0, 0.9), (0.0, 7.0)]
    for number, rank in enumerate(ranks * 200):
        remembered.add(number, rank)
    assert set(range(3, 100, 4)) <= set(remembered.numbers())


def test_a_short_memory_does_not_cost_the_search_its_quality(monkeypatch):
    """With a tenth of the room, the median best of seven searches is as good as with all of it, within noise."""
    whole = [search(SPACE, 90, outcome=smooth, sampler=TPE, seed=seed, window=4) for seed in range(7)]
    monkeypatch.setattr(memory, "_LATEST", 25)
    short = [search(SPACE, 90, outcome=smooth, sampler=TPE, seed=seed, window=4) for seed in range(7)]
    best = [statistics.median(min(f.values[0] for f in facts) for facts in runs) for runs in (whole, short)]
    startup = statistics.median(min(f.values[0] for f in facts[:10]) for facts in whole)
    assert best[1] == pytest.approx(best[0], abs=0.1 * (startup - best[0]))


def test_a_memory_that_holds_everything_changes_no_proposal(monkeypatch):
    """The table is that of TPE on the whole study, as long as nothing has been left out."""
    with_memory = search(SPACE, 40, sampler=TPE)
    monkeypatch.setattr(
        memory.ShownStudy, "_get_trials", lambda self, *a, **k: self._study._get_trials(*a, **k)
    )
    without = search(SPACE, 40, sampler=TPE)
    assert [dict(f.params) for f in with_memory] == [dict(f.params) for f in without]
