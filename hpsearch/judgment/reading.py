"""The curves of one trial as the rules of diagnosis read them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.engine import sampled_epochs
from hpsearch.judgment.experience import Experience
from hpsearch.judgment.finding import Change, Way
from hpsearch.judgment.variation import FASTER, ITSELF, SLOWER, Variation, rounded

Array = NDArray[np.float64]

LEARNED: Final = 0.02
"""The least share of the baseline loss that must be gone before anything counts as learned."""


_FEW: Final = 3
_AN: Final = ("l1", "l2", "input_dropout")

WEAK: Final = 3e-3
"""The L2 strength below which no penalty is held to dominate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A trial's curves up to the last epoch at which both losses were finite, all (n,), n possibly 0.

    Losses are in units of the baseline loss: 1 is a constant guess, 0 perfect (for losses that reach 0). So
    the same thresholds serve two classes and a hundred, and targets in any unit.

    `samples` are the curves over sampled epochs, `recipe` the hyperparameters by name, `class_share` the share of the
    most frequent class among the validation part, `updates` the training steps of an epoch; each is empty or None where
    it is not known. `unit` is what the losses were divided by. `variations` are what was tried of the recipe with one
    thing changed.
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
    updates: int | None = None
    unit: float = 1.0
    experience: Experience = field(default_factory=Experience)
    variations: Sequence[Variation] = ()

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
            unit=unit,
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
        """Whether an earlier trial learned and reached a clearly lower validation loss; None if there is none."""
        if not np.isfinite(self.experience.best):
            return None
        own = float(np.median(self.validation[-self.quarter :]))
        return bool(self.experience.best < min(0.95 * own - 0.01, 1 - LEARNED))

    @property
    def quarter(self) -> int:
        """A quarter of the epochs, at least three."""
        return max(3, self.n // 4)

    @property
    def level(self) -> float:
        """The training loss of the last quarter of the epochs: their median."""
        return float(np.median(self.train[-self.quarter :]))

    @property
    def falling(self) -> float:
        """The share of the level that as many epochs again, falling on as the last two quarters did, would take off."""
        return continued(self.train, self.quarter)[2] / self.level if self.level > 0 else 0.0

    @property
    def has_levelled(self) -> bool:
        """Whether as many epochs again, at the pace of the last two quarters, would take less than a quarter off."""
        before = self.train[-2 * self.quarter : -self.quarter]
        fallen = float(np.median(before)) - self.level if len(before) else np.inf
        return fallen * self.n / self.quarter < 0.25 * self.level

    def others_reached(self, share: float) -> bool:
        """Whether an earlier trial had less than this share of the least validation loss; so if there is none."""
        best = self.experience.best
        return not np.isfinite(best) or best < share * float(self.validation.min())

    @property
    def jitter(self) -> float:
        """How much the validation loss typically bends from epoch to epoch in the second half."""
        bends = np.diff(self.validation[self.n // 2 :], 2)
        return float(np.median(np.abs(bends))) if len(bends) >= _FEW else 0.0

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
    def penalty(self) -> float:
        """The L2 penalty at the end; 0 where it is not known."""
        l2 = self.setting("l2")
        if len(self.weights) < self.n or not self.n or l2 < WEAK:
            return 0.0
        size = float(self.weights[self.n - 1])
        penalty = 0.5 * l2 * size * size / self.unit
        return penalty if np.isfinite(penalty) else 0.0

    @property
    def shrinkage(self) -> float:
        """The norm of the weights at the end against that after the first epoch; 1 where it is not known."""
        first = float(self.weights[0]) if len(self.weights) >= max(self.n, 1) else 0.0
        return float(self.weights[self.n - 1]) / first if first > 0 else 1.0

    @property
    def travel(self) -> float:
        """How far all steps together moved weights against their size, at most; NaN where it is not known."""
        _, ratios = self.layers("update_ratio")
        if self.updates is None or not len(ratios) or np.isnan(ratios).all(axis=1).any():
            return float("nan")
        by_epoch = np.interp(np.arange(1, self.n + 1), sampled_epochs(self.n), np.nanmedian(ratios, axis=1))
        return float(by_epoch.sum() * self.updates)

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

        Where earlier trials did better on that side, theirs is the range, and the words say how they fared; where a
        rate that was tried on that side did better, it is the best of them.
        """
        higher = low > 1
        if (tried := self.tried_rate(FASTER if higher else SLOWER)) is not None:
            return tried
        if not np.isfinite(self.rate):
            return f"a learning rate {low:g} to {high:g} times as large", Change(
                parameter="learning_rate", way="higher" if higher else "lower"
            )
        return self.change("learning_rate", self.rate, low * self.rate, high * self.rate)

    def tried_rate(self, names: Collection[str]) -> tuple[str, Change] | None:
        """The learning rate that did best of those that were tried by these names; None where none did better."""
        own = next((each.least for each in self.variations if each.name == ITSELF), float("nan"))
        better = [
            each
            for each in self.variations
            if each.name in names and np.isfinite(each.end) and not each.least >= own
        ]
        best = min(better, key=lambda each: each.least, default=None)
        if best is None:
            return None
        return about_rate(float(best.changes["learning_rate"]), "higher" if best.name in FASTER else "lower")

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
        if parameter == "epochs":
            low, high = ceil(low), ceil(high)
        article = "" if parameter == "epochs" else "an " if parameter in _AN else "a "
        text = f"{article}{words} of {rounded(low)} to {rounded(high)} instead of {rounded(own)}{said}"
        return text, Change(parameter=parameter, way="higher" if higher else "lower", low=low, high=high)


def about_rate(rate: float, way: Way) -> tuple[str, Change]:
    """A learning rate that was tried, in words, and half to twice of it."""
    words = f"a learning rate of about {rounded(rate)}"
    return words, Change(parameter="learning_rate", way=way, low=rate / 2, high=2 * rate)


def smooth(curve: Array) -> Array:
    """The median of each epoch and its neighbours: one lucky epoch counts for nothing."""
    padded = np.concatenate([curve[:1], curve, curve[-1:]])
    middle: Array = np.median([padded[:-2], padded[1:-1], padded[2:]], axis=0)
    return middle


def continued(curve: Array, width: int) -> tuple[float, float, float]:
    """A curve a quarter before its end and at its end, and how much as many epochs again would take off.

    What the last two quarters gained is continued as a geometric series.
    """
    last = len(curve) - 1
    before, middle, now = (_around(curve, last - back * width) for back in (2, 1, 0))
    gained = middle - now
    shrinking = (
        float(np.clip(gained / (before - middle), 0.25, 1.0)) if before > middle and last >= 3 else 0.7
    )
    return middle, now, gained * sum(shrinking**quarter for quarter in range(1, 5))


def _around(curve: Array, epoch: int) -> float:
    """The median of three epochs that end here; of fewer at the beginning."""
    at = max(epoch, 0)
    return float(np.median(curve[max(at - 2, 0) : at + 1])) if len(curve) >= 6 else float(curve[at])
