"""Grid search: every combination once."""

import itertools

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from hpsearch.search.grid import Grid, axis
from hpsearch.search.proposals import Proposals
from hpsearch.search.space import Space
from hpsearch.spec import Choice, Range
from tests.support.searches import SPACE
from tests.support.studies import spec_of


def everything(grid):
    return list(
        itertools.takewhile(lambda point: point is not None, (at(grid, n) for n in itertools.count()))
    )


def at(grid, number):
    try:
        return grid[number]
    except IndexError:
        return None


@pytest.mark.parametrize(
    ("distribution", "points", "values"),
    [
        (CategoricalDistribution(("a", None, 2)), 5, ("a", None, 2)),
        (IntDistribution(1, 4), 5, (1, 2, 3, 4)),
        (IntDistribution(0, 100), 5, (0, 25, 50, 75, 100)),
        (IntDistribution(1, 10_000, log=True), 5, (1, 10, 100, 1000, 10_000)),
        (IntDistribution(8, 64, step=8), 3, (8, 16, 24, 32, 40, 48, 56, 64)),
        (FloatDistribution(0.0, 1.0), 3, (0.0, 0.5, 1.0)),
        (FloatDistribution(0.0, 0.3, step=0.1), 9, (0.0, 0.1, 0.2, pytest.approx(0.3))),
        (FloatDistribution(1.0, 2.0), 2, (1.0, 2.0)),
    ],
)
def test_an_axis_has_all_discrete_values_or_evenly_spaced_points(distribution, points, values):
    assert axis(distribution, points) == values


@pytest.mark.parametrize("log", [True, False])
def test_the_ends_of_an_axis_are_exact(log):
    """A rounding error at an end would be outside the range."""
    low, high = 1e-5, 0.3
    values = axis(FloatDistribution(low, high, log=log), 7)
    assert (values[0], values[-1], len(values)) == (low, high, 7)


def test_every_combination_comes_once_and_none_twice():
    space = Space(
        {
            "a": Choice(values=(1, 2, 3)),
            "b": Range(min=0, max=3, integer=True),
            "c": Choice(values=("x", "y")),
        }
    )
    points = [tuple(point.values()) for point in everything(Grid(space, points=5, seed=1))]
    assert sorted(points) == sorted(itertools.product((1, 2, 3), range(4), ("x", "y")))


def test_an_absent_parameter_multiplies_nothing():
    space = Space(
        {
            "kind": Choice(values=("p", "q")),
            "only_q": Range(min=1, max=4, integer=True, when={"kind": ("q",)}),
        }
    )
    points = everything(Grid(space, points=5, seed=0))
    assert len(points) == 5
    assert points.count({"kind": "p"}) == 1


def test_the_order_is_shuffled_by_the_seed_alone():
    space = Space({"a": Range(min=0, max=199, integer=True, step=1), "b": Choice(values=(0, 1))})
    orders = [
        [tuple(p.values()) for p in everything(Grid(space, points=200, seed=seed))] for seed in (0, 0, 1)
    ]
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != sorted(orders[0])


def test_a_huge_grid_costs_only_what_is_asked_of_it():
    space = Space({f"p{i}": Range(min=0.0, max=1.0) for i in range(40)})
    points = [tuple(Grid(space, points=1000, seed=0)[n].values()) for n in range(3)]
    assert len(set(points)) == 3


def test_an_exhausted_grid_proposes_fewer_and_then_none():
    spec = spec_of(
        "study: s\ndata: {source: sklearn/iris}\nspace: {batch_size: [16, 32], l2: [0, 1]}\nsampler: grid\n"
    )
    proposals = Proposals(spec)
    first, second, third = (proposals.propose(numbers) for numbers in ([0, 1, 2], [3, 4, 5], [4]))
    assert [len(window) for window in (first, second, third)] == [3, 1, 0]
    assert len({tuple(p.params.values()) for p in first + second}) == 4


def test_grid_values_lie_in_their_distributions():
    """The facts store them as Optuna parameters, which Optuna checks."""
    for proposal in Proposals(spec_of(SPACE, sampler="{name: grid, points: 3}")).propose(range(60)):
        assert set(proposal.distributions) == set(proposal.params) - {"schedule"}
