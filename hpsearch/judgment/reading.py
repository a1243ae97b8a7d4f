"""The curves of one trial as the rules of diagnosis read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.engine import sampled_epochs
from hpsearch.judgment.experience import Experience
from hpsearch.judgment.finding import Change

Array = NDArray[np.float64]

LEARNED: Final = 0.02
"""The least share of the baseline loss that must be gone before anything counts as learned."""


WEAK: Final = 3e-3
"""The L2 strength below which no penalty is held to dominate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A trial's curves up to the last epoch at which both losses were finite, all (n,), n possibly 0.

    Losses are in units of the baseline loss: 1 is a constant guess, 0 perfect (for losses that reach 0). So
    the same thresholds serve two classes and a hundred, and targets in any unit.

    `samples` are the curves over sampled epochs, `recipe` the hyperparameters by name, `class_share` the share of the
    most frequent class among the validation part; each is empty or None where it is not known.
    """

    train: Array
    validation: Array
    gradient: Array
    weights: Array
    rate: float
    state: str
    trained: int
    planned: int
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    class_share: float | None = None
    experience: Experience = field(default_factory=Experience)

    @classmethod
    def of(
        cls,
        curves: Mapping[str, Sequence[float]],
        *,
        state: str,
        epochs_planned: int,
        baseline: float,
        **more: Any,
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
            weights=np.array(curves.get("weight_norm", ()), dtype=np.float64),
            rate=float(max(rates, default=float("nan"))),
            state=state,
            trained=trained,
            planned=epochs_planned,
            **more,
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
    def others_do_better(self) -> bool | None:
        """Whether an earlier trial reached a clearly lower validation loss; None if there is none to compare with."""
        if not np.isfinite(self.experience.best):
            return None
        own = float(np.median(self.validation[-self.quarter :]))
        return bool(self.experience.best < 0.95 * own - 0.01)

    @property
    def quarter(self) -> int:
        """A quarter of the epochs, at least three."""
        return max(3, self.n // 4)

    @property
    def level(self) -> float:
        """The training loss of the last quarter of the epochs: their median."""
        return float(np.median(self.train[-self.quarter :]))

    @property
    def has_levelled(self) -> bool:
        """Whether as many epochs again, falling as in the last two quarters, would take less than a tenth off."""
        before = self.train[-2 * self.quarter : -self.quarter]
        fallen = float(np.median(before)) - self.level if len(before) else np.inf
        return fallen * self.n / self.quarter < 0.1 * self.level

    @property
    def pull(self) -> float:
        """The norm of the L2 penalty's gradient against that of the data's, at the end; 0 where it is not known.

        A strength below `WEAK` does not count: beside it gradients are small because units are dead.
        """
        _, norms = self.layers("gradient_norm")
        l2 = self.setting("l2")
        if not len(norms) or len(self.weights) < self.n or l2 < WEAK:
            return 0.0
        data = float(np.sqrt(np.square(norms[-1]).sum()))
        penalty = l2 * float(self.weights[self.sampled_epoch(len(norms) - 1) - 1])
        return penalty / data if data > 0 and np.isfinite(penalty) else 0.0

    @property
    def steps(self) -> Array:
        """(n - 1,) the training loss's change from epoch to epoch."""
        return np.diff(self.train)

    def layers(self, statistic: str) -> tuple[list[str], Array]:
        """The layers that a statistic was taken of, and its values (sampled epochs that can be read, layers)."""
        named = {
            name.partition("/")[2]: values
            for name, values in self.samples.items()
            if name.startswith(f"{statistic}/")
        }
        count = len(sampled_epochs(self.n))
        table = np.array([list(values)[:count] for values in named.values()], dtype=np.float64)
        return list(named), table.T if table.size else np.empty((0, 0))

    def sampled_epoch(self, place: int) -> int:
        """The epoch, from 1, of a row of `layers`."""
        return sampled_epochs(self.n)[place]

    def setting(self, name: str, otherwise: float = 0.0) -> float:
        """A number of the recipe."""
        value = self.recipe.get(name)
        return float(value) if isinstance(value, int | float) else otherwise

    def rate_change(self, low: float, high: float) -> tuple[str, Change]:
        """A range of learning rates around the trial's own, in words: `a learning rate of 0.003 to 0.01`.

        Where earlier trials did better on that side, theirs is the range, and the words say how they fared.
        """
        higher = low > 1
        if not np.isfinite(self.rate):
            return f"a learning rate {low:g} to {high:g} times as large", Change(
                parameter="learning_rate", way="higher" if higher else "lower"
            )
        return self.change("learning_rate", self.rate, low * self.rate, high * self.rate)

    def change(self, parameter: str, own: float, low: float, high: float) -> tuple[str, Change]:
        """A parameter's range, and it in words with how earlier trials in it fared; theirs replaces it."""
        higher = low >= own
        words, said = parameter.replace("_", " "), ""
        loss = float(self.validation.min()) if self.n else np.inf
        better = self.experience.better(parameter, own=own, loss=loss, higher=higher)
        if better is not None:
            low, high = better.low, better.high
            fared = "half the loss or less" if better.ratio <= 0.5 else f"{better.ratio:.2g} times the loss"
            said = (
                f" (the {better.trials} trials there had {fared})"
                if np.isfinite(loss)
                else " (trials there learned)"
            )
        article = "" if parameter == "epochs" else "a "
        text = f"{article}{words} of {low:.2g} to {high:.2g} instead of {own:.2g}{said}"
        return text, Change(parameter=parameter, way="higher" if higher else "lower", low=low, high=high)
