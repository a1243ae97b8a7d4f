"""Finite spaces: nothing is tried twice, and the end is noticed."""

import pytest

from hpsearch.search.proposals import Proposals
from hpsearch.search.space import Space
from hpsearch.search.untried import Untried
from tests.support.searches import formula, search
from tests.support.studies import spec_of

SMALL = """
study: small
seed: 1
data: {source: sklearn/iris}
space:
  epochs: 2
  dropout: 0.0
  learning_rate: 1e-2
  batch_size: [16, 32, 64]
  optimizer: [sgd, momentum]
  momentum: {values: [0.8, 0.9], when: {optimizer: momentum}}
"""
COMBINATIONS = 3 * (1 + 2)


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "grid", "{name: tpe, n_startup_trials: 2}"])
def test_every_combination_is_tried_once_and_then_the_search_ends(sampler):
    """Whoever proposes; whatever the budget."""
    table = search(SMALL, 30, sampler=sampler)
    assert len(table) == COMBINATIONS
    assert len({tuple(sorted(fact.params.items())) for fact in table}) == COMBINATIONS


def test_a_sampler_with_points_of_its_own_may_repeat_them_but_ends(tmp_path):
    """nsga2 breeds from its population; it ends when all combinations have been tried."""
    table = search(SMALL, 400, sampler="{name: nsga2, population_size: 6}")
    assert len({tuple(sorted(fact.params.items())) for fact in table}) == COMBINATIONS
    assert len(table) < 400


@pytest.mark.parametrize("cut", [1, 4, 8])
def test_an_interrupted_search_of_a_finite_space_goes_on_exactly(cut):
    """What was tried before counts as tried."""
    whole = search(SMALL, 30)
    again = search(SMALL, 30, known=whole[:cut])
    assert [fact.params for fact in again] == [fact.params for fact in whole]


def test_tpe_keeps_its_own_proposals_where_they_are_new():
    """Its first proposal of each trial is that of a study asked in the usual way."""
    spec = spec_of(SMALL)
    (first,) = Proposals(spec).propose([0])
    asked = Proposals(spec)._sample(0)
    assert first == asked


@pytest.mark.parametrize(
    ("space", "finite"),
    [
        ("{batch_size: [1, 2], epochs: {min: 1, max: 9}}", True),
        ("{dropout: {min: 0.0, max: 0.5, step: 0.1}}", True),
        ("{dropout: {min: 0.0, max: 0.5}}", False),
        ("{epochs: {min: 1, max: 100000}, batch_size: [1, 2]}", False),
        ("{epochs: 1}", True),
    ],
)
def test_a_space_is_finite_when_it_has_no_continuous_range_and_few_combinations(space, finite):
    """More than 100,000 are never exhausted."""
    study = f"study: s\ndata: {{source: sklearn/iris}}\nspace: {space}\n"
    assert (Untried.of(Space(spec_of(study).space), seed=0) is not None) is finite


def test_failed_combinations_are_not_tried_again():
    """A network too large for memory stays so."""
    table = search(SMALL, 30, outcome=formula)
    assert {fact.state for fact in table} > {"failed", "complete"}
    assert len(table) == COMBINATIONS
