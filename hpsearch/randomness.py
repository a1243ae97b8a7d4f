"""Randomness has an address: every stream follows from (study seed, trial, fold, purpose) and from nothing else."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

Purpose = Literal[
    "split",
    "initial",
    "order",
    "dropout",
    "sampler",
    "bootstrap",
    "evaluation",
    "baseline",
    "augmentation",
    "reseed",
    "permutation",
    "optimism",
    "trainer",
]

_PURPOSES: Final[dict[Purpose, int]] = {
    "split": 0,
    "initial": 1,
    "order": 2,
    "dropout": 3,
    "sampler": 4,
    "bootstrap": 5,
    "evaluation": 6,
    "baseline": 7,
    "augmentation": 8,
    "reseed": 9,
    "permutation": 10,
    "optimism": 11,
    "trainer": 12,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a stream of random numbers lives. `trial` is None for what belongs to the whole study."""

    seed: int
    trial: int | None = None
    fold: int = 0

    def stream(self, purpose: Purpose) -> np.random.Generator:
        """A fresh generator at the start of this address's stream for one purpose (SFC64).

        Two different addresses, or purposes, give independent streams: `numpy.random.SeedSequence` hashes the
        spawn key into the seed.
        """
        return np.random.Generator(np.random.SFC64(self._sequence(purpose)))

    def integer(self, purpose: Purpose) -> int:
        """A 32-bit seed for a library that takes only an integer."""
        return int(self._sequence(purpose).generate_state(1)[0])

    def _sequence(self, purpose: Purpose) -> np.random.SeedSequence:
        trial = 0 if self.trial is None else self.trial + 1
        return np.random.SeedSequence(entropy=self.seed, spawn_key=(trial, self.fold, _PURPOSES[purpose]))
