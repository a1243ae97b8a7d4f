"""Every combination of a space once, in an order that is shuffled by the study's seed."""

import random
from collections.abc import Iterator
from math import prod
from typing import Final

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from hpsearch.randomness import Address
from hpsearch.search.fact import ParameterValue
from hpsearch.search.space import Space


class Grid:
    """The combinations of a space's values; trial n is the n-th of them.

    A range with a step, and an integer range of no more numbers than `points`, contributes all its values;
    any other range contributes `points` values, evenly spaced (on the logarithm where it says so), ends
    included. Unlike Optuna's GridSampler, which wants the grid spelled out and repeats combinations that
    differ only in a parameter whose condition does not hold, a combination comes once; and no list of all is
    made, so that a grid may be large.
    """

    def __init__(self, space: Space, *, points: int, seed: int) -> None:
        self._space: Final = space
        self._axes: Final = {
            name: axis(distribution, points) for name, distribution in space.distributions.items()
        }
        self._indices: Final = _shuffled(prod(map(len, self._axes.values())), seed)
        self._found: Final[list[dict[str, ParameterValue]]] = []

    def __getitem__(self, number: int) -> dict[str, ParameterValue]:
        """The parameters of a trial.

        Raises:
            IndexError: the grid has no more combinations.
        """
        while len(self._found) <= number:
            index = next(self._indices, None)
            if index is None:
                raise IndexError(number)
            values = self._at(index)
            if values is not None:
                self._found.append(values)
        return self._found[number]

    def _at(self, index: int) -> dict[str, ParameterValue] | None:
        """The combination at an index; None where it differs from another only in what is absent."""
        digits: dict[str, int] = {}
        for name, values in self._axes.items():
            index, digits[name] = divmod(index, len(values))
        chosen = self._space.values(lambda name, _: self._axes[name][digits[name]])
        repeats = any(digit and name not in chosen for name, digit in digits.items())
        return None if repeats else chosen


def axis(distribution: BaseDistribution, points: int) -> tuple[ParameterValue, ...]:
    """The values that a parameter takes in a grid, each once."""
    match distribution:
        case CategoricalDistribution():
            return tuple(distribution.choices)
        case IntDistribution():
            count = (distribution.high - distribution.low) // distribution.step + 1
            if distribution.step > 1 or count <= points:
                return tuple(range(distribution.low, distribution.high + 1, distribution.step))
            return tuple(dict.fromkeys(round(value) for value in _spaced(distribution, points)))
        case FloatDistribution(step=float() as step):
            count = round((distribution.high - distribution.low) / step) + 1
            return tuple(min(distribution.low + i * step, distribution.high) for i in range(count))
        case FloatDistribution():
            return tuple(_spaced(distribution, points))
        case _:
            raise TypeError(f"no grid over {distribution!r}")


def _spaced(distribution: IntDistribution | FloatDistribution, points: int) -> list[float]:
    """`points` values from end to end; the ends exact, so that the distribution contains them."""
    spacing = np.geomspace if distribution.log else np.linspace
    inner: list[float] = spacing(distribution.low, distribution.high, points)[1:-1].tolist()
    return [distribution.low, *inner, distribution.high]


def _shuffled(size: int, seed: int) -> Iterator[int]:
    """A random order of range(size), lazily: Fisher and Yates's shuffle, only the moved places in memory."""
    stream = random.Random(Address(seed=seed).integer("sampler"))  # noqa: S311 - takes bounds of any size
    moved: dict[int, int] = {}
    for place in range(size):
        other = stream.randrange(place, size)
        there = moved.get(other, other)
        moved[other] = moved.pop(place, place)
        yield there
