"""Spaces that can be exhausted: which combinations have been tried, and one that has not."""

from collections.abc import Mapping
from math import prod
from typing import Final

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from hpsearch.search.fact import ParameterValue
from hpsearch.search.grid import Grid
from hpsearch.search.space import Space

_MOST: Final = 100_000  # combinations; no search comes near the end of a larger space


class Untried:
    """The combinations of a finite space that no trial has had yet, in an order that follows from the seed."""

    def __init__(self, space: Space, *, seed: int) -> None:
        self._every: Final = Grid(space, points=_MOST, seed=seed)
        self._tried: Final[set[frozenset[tuple[str, ParameterValue]]]] = set()
        self._next = 0

    @classmethod
    def of(cls, space: Space, *, seed: int) -> "Untried | None":
        """The combinations of a space of at most 100,000; None of a larger or continuous one."""
        sizes = [_size(distribution) for distribution in space.distributions.values()]
        if None in sizes or prod(size or 0 for size in sizes) > _MOST:
            return None
        return cls(space, seed=seed)

    def __contains__(self, params: Mapping[str, ParameterValue]) -> bool:
        return frozenset(params.items()) not in self._tried

    def discard(self, params: Mapping[str, ParameterValue]) -> None:
        """This combination is tried."""
        self._tried.add(frozenset(params.items()))

    def first(self) -> Mapping[str, ParameterValue] | None:
        """One that is untried; None when the space is exhausted."""
        while True:
            try:
                params = self._every[self._next]
            except IndexError:
                return None
            if params in self:
                return params
            self._next += 1


def _size(distribution: BaseDistribution) -> int | None:
    """How many values a parameter can have; None for a continuous one."""
    match distribution:
        case CategoricalDistribution():
            return len(distribution.choices)
        case IntDistribution():
            return (distribution.high - distribution.low) // distribution.step + 1
        case FloatDistribution(step=float() as step):
            return round((distribution.high - distribution.low) / step) + 1
        case _:
            return None
