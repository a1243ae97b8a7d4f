"""The curves of one trial as the rules of diagnosis read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEARNED: Final = 0.02
"""The least share of the baseline loss that must be gone before anything counts as learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A trial's curves up to the last epoch at which both losses were finite, all (n,), n possibly 0.

    Losses are in units of the baseline loss: 1 is a constant guess, 0 perfect (for losses that reach 0). So
    the same thresholds serve two classes and a hundred, and targets in any unit.
    """

    train: Array
    validation: Array
    gradient: Array
    rate: float
    state: str
    trained: int
    planned: int

    @classmethod
    def of(
        cls, curves: Mapping[str, Sequence[float]], *, state: str, epochs_planned: int, baseline: float
    ) -> "Reading":
        """Read curves of any length; a baseline that is not positive measures nothing and counts as 1."""
        unit = baseline if np.isfinite(baseline) and baseline > 0 else 1.0
        losses = np.array([curves["train_loss"], curves["validation_loss"]], dtype=np.float64) / unit
        trained = losses.shape[1]
        n = int(np.argmin(np.append(np.isfinite(losses).all(axis=0), False)))
        gradient = np.array(curves.get("gradient_norm", ()), dtype=np.float64)
        rates = curves.get("learning_rate", ())
        return cls(
            train=losses[0, :n],
            validation=losses[1, :n],
            gradient=gradient,
            rate=float(max(rates, default=float("nan"))),
            state=state,
            trained=trained,
            planned=epochs_planned,
        )

    @property
    def n(self) -> int:
        """Epochs that can be read."""
        return len(self.train)

    @property
    def best(self) -> int:
        """The epoch with the least validation loss, counted from 0."""
        return int(self.validation.argmin())

    @property
    def has_learned(self) -> bool:
        """Whether the validation loss was ever clearly below a constant guess's."""
        return bool(self.validation.min() < 1 - LEARNED)

    @property
    def has_fitted(self) -> bool:
        """Whether the training loss was ever clearly below a constant guess's."""
        return bool(self.train.min() < 1 - LEARNED)

    @property
    def steps(self) -> Array:
        """(n - 1,) the training loss's change from epoch to epoch."""
        return np.diff(self.train)

    def scaled_rate(self, low: float, high: float) -> str:
        """A range of learning rates around the trial's own, in words: `a learning rate of 0.003 to 0.01`."""
        if not np.isfinite(self.rate):
            return f"a learning rate {low:g} to {high:g} times as large"
        low, high = low * self.rate, high * self.rate
        return f"a learning rate of {low:.2g} to {high:.2g} instead of {self.rate:.2g}"
