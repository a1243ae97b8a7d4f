"""Which trial is best, and which ones no other beats."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hpsearch.search.ranking import pareto_front, ranked
from tests.support.facts import fact

VALUES = st.lists(st.tuples(*[st.sampled_from([0.1, 0.5, 0.9])] * 2), min_size=1, max_size=12)
DIRECTIONS = st.tuples(*[st.sampled_from(["minimize", "maximize"])] * 2)


def trials(values):
    """A finished trial for each tuple of values, and one that has none."""
    finished = [replace(fact(number), state="complete", values=each) for number, each in enumerate(values)]
    return [*finished, replace(fact(len(values)), state="pruned", values=None)]


def numbers(facts):
    return [each.number for each in facts]


def test_equals_in_the_first_objective_are_ordered_by_the_next():
    """The winner of a study with several objectives is beaten by no other trial."""
    facts = trials([(0.9, 4278.0), (0.9, 363.0), (0.7, 43.0), (0.9, 363.0)])
    assert numbers(ranked(facts, ("maximize", "minimize"))) == [1, 3, 0, 2]
    assert numbers(pareto_front(facts, ("maximize", "minimize"))) == [1, 2, 3]


@given(VALUES, DIRECTIONS)
def test_the_best_is_always_on_the_front(values, directions):
    facts = trials(values)
    best, front = ranked(facts, directions)[0], pareto_front(facts, directions)
    assert best in front
    first = [each.values[0] for each in facts if each.values]
    assert best.values[0] == (min if directions[0] == "minimize" else max)(first)


def test_one_objective_orders_by_it_and_then_by_number():
    facts = trials([(0.3,), (0.1,), (0.3,), (0.2,)])
    assert numbers(ranked(facts, ("minimize",))) == [1, 3, 0, 2]
    assert numbers(ranked(facts, ("maximize",))) == [0, 2, 3, 1]
