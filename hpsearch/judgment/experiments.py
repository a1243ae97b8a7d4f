"""The rules of diagnosis where the recipe was trained again with one thing changed at a time.

Whether a smaller learning rate fits better, or whether dropout holds a network back, is seen for certain only where it
has been tried. Losses are in units of the baseline loss (see `Reading`); each rule stands in the place of the one of
the same name that has the trial's own curves alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from hpsearch.judgment.advice import WIDER as WIDER_LAYERS
from hpsearch.judgment.advice import Option, trying, weaker
from hpsearch.judgment.effort import plateau
from hpsearch.judgment.finding import Change, Finding, Way
from hpsearch.judgment.fitting import overfitting as overfitting_by_its_curves
from hpsearch.judgment.inside import vanishing_gradients
from hpsearch.judgment.reading import LEARNED, Array, Reading, about_rate, smooth
from hpsearch.judgment.variation import (
    FASTER,
    ITSELF,
    LONGER,
    RATES,
    REMEDIES,
    SEEDS,
    SLOWER,
    UNREGULARIZED,
    WIDER,
    Variation,
)

_LOST: Final = 9.0
"""The loss of a network that diverged: more than any that learns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A variation as the rules read it: both losses at the end, the least validation loss, and its curve."""

    words: str
    changes: Mapping[str, Any]
    level: float
    end: float
    best: float
    validation: Array


def tried(reading: Reading) -> dict[str, Tried]:
    """The trial's variations by name."""
    return {variation.name: _read(variation, reading.unit) for variation in reading.variations}


def _read(variation: Variation, unit: float) -> Tried:
    level, end, best = variation.end / unit, variation.validation_end / unit, variation.least / unit
    return Tried(
        words=variation.words,
        changes=variation.changes,
        level=level if np.isfinite(level) else _LOST,
        end=end if np.isfinite(end) else _LOST,
        best=min(best, _LOST) if np.isfinite(best) else _LOST,
        validation=np.array(variation.curves.get("validation_loss", ()), dtype=np.float64) / unit,
    )


def learning_rate_too_large(reading: Reading) -> Finding | None:
    """With a smaller learning rate the training loss is a quarter less, and the validation loss as well."""
    others = tried(reading)
    own = others[ITSELF].level
    limit = min(0.75 * own, own - 0.05, _typical(others))
    return _other_rate("learning_rate_too_large", others, SLOWER, limit, "lower")


def learning_rate_too_small(reading: Reading) -> Finding | None:
    """With a larger learning rate the training loss falls more than half as far again, and the validation loss too.

    Not where the loss stood on a plateau or gradients vanish: that has another name.
    """
    others = tried(reading)
    own = others[ITSELF].level
    start = max(1.0, float(reading.train[0])) if reading.n else 1.0
    limit = min(start - 1.6 * max(start - own, 1e-6), own - 0.1, _typical(others))
    found = _other_rate("learning_rate_too_small", others, FASTER, limit, "higher")
    return None if found and (plateau(reading) or vanishing_gradients(reading)) else found


def _other_rate(
    name: str, others: Mapping[str, Tried], rates: Iterable[str], limit: float, way: Way
) -> Finding | None:
    """The finding that of other rates some fit better than a limit, and predict better; that of the best is named."""
    itself = others[ITSELF]
    better = [
        other for other in _of(others, rates) if other.level < limit and other.best < 0.97 * itself.best
    ]
    if not better or _is_held_back(others, min(other.level for other in better)):
        return None
    best = min(better, key=lambda other: other.best)
    return Finding(
        name=name,
        severity="warning" if itself.best < 1 - LEARNED else "failure",
        sentence=_compared(itself, best),
        evidence=_evidence(itself, best),
        **trying(_rate(best, way)),
    )


def regularization_too_strong(reading: Reading) -> Finding | None:
    """Without penalties and dropout the validation loss is a fifth less, and no other learning rate does as well.

    That is the median over three seeds, against the trial and against the median of its recipe, and no seed without
    them does worse than that.
    """
    others = tried(reading)
    free, itself = _median(others, UNREGULARIZED), _median(others, (ITSELF, *SEEDS))
    own = others[ITSELF].best
    if free is None or itself is None or not free.best < min(0.8 * own, own - 0.035, 0.8 * itself.best):
        return None
    if max(other.best for other in _of(others, UNREGULARIZED)) >= itself.best:
        return None
    another_rate = min((other.best for other in _of(others, RATES)), default=_LOST)
    if another_rate < 1.05 * free.best or vanishing_gradients(reading):
        return None
    return Finding(
        name="regularization_too_strong",
        severity="warning",
        sentence=_compared(others[ITSELF], free),
        evidence=_evidence(others[ITSELF], free),
        **trying(*(weaker(reading) or [(free.words, _change(free))])),
    )


def underfitting(reading: Reading) -> Finding | None:
    """The training loss is high, twice the epochs do not mend that, and another network predicts better."""
    others = tried(reading)
    own, least = others[ITSELF].level, others[ITSELF].best
    longer = others.get(LONGER)
    if not own >= 0.49 or not least < 1 - LEARNED or longer is None or not longer.validation.size:
        return None
    levelled = longer.level > 0.82 * own
    better = [other for other in _of(others, (*UNREGULARIZED, WIDER)) if other.best < 0.84 * least]
    if not levelled or not (better or reading.experience.best < 0.78 * least):
        return None
    best = min(better, key=lambda other: other.best, default=None)
    elsewhere = f"; the study's best trial comes to {reading.experience.best:.0%} in validation"
    said = f" {_compared(others[ITSELF], best)}" if best else ""
    return Finding(
        name="underfitting",
        severity="warning",
        sentence=f"The training loss stays at {own:.0%} of a constant guess's, and with twice the epochs at "
        f"{longer.level:.0%}{'.' if best else elsewhere + '.'}{said}",
        evidence={"train_loss_ratio": own, **(_evidence(others[ITSELF], best) if best else {})},
        **trying(*weaker(reading), WIDER_LAYERS),
    )


def still_improving(reading: Reading) -> Finding | None:
    """With twice the epochs the validation loss is a twelfth less than it was at the end."""
    longer, n = tried(reading).get(LONGER), reading.n
    if longer is None or len(longer.validation) <= n or not n:
        return None
    validation = smooth(longer.validation)
    now, later = float(np.nanmin(validation[:n])), float(np.nanmin(validation[n:]))
    if not later < min(0.92 * now, now - 0.015, 1 - LEARNED):
        return None
    return Finding(
        name="still_improving",
        severity="hint",
        sentence=f"With twice the epochs the validation loss fell on, from {now:.1%} to {later:.1%} of a constant "
        "guess's.",
        evidence={"gain": now - later, "share": 1 - later / now},
        **trying(reading.change("epochs", reading.planned, 1.5 * reading.planned, 3 * reading.planned)),
    )


def overfitting(reading: Reading) -> Finding | None:
    """What the curves say of it, and which remedy left the least, if more than another seed does."""
    found, others = overfitting_by_its_curves(reading), tried(reading)
    best = min(_of(others, REMEDIES), key=lambda other: other.end, default=None)
    same = min(other.end for other in _of(others, (ITSELF, *SEEDS)))
    if found is None or best is None or not best.end < 0.95 * same:
        return found
    name, value = next(iter(best.changes.items()))
    change = (
        Change(parameter=name, way="higher", low=value)
        if isinstance(value, float)
        else Change(parameter="hidden", way="lower")
    )
    return replace(
        found,
        advice=f"What helped most of all that was tried is {best.words}: the validation loss ends at {best.end:.0%} "
        f"instead of {others[ITSELF].end:.0%}. {found.advice}",
        changes=(change, *found.changes),
    )


BY_EXPERIMENT: Final[Mapping[str, Callable[[Reading], Finding | None]]] = {
    rule.__name__: rule
    for rule in (
        learning_rate_too_large,
        learning_rate_too_small,
        regularization_too_strong,
        overfitting,
        underfitting,
        still_improving,
    )
}
"""What is asked of trials that have variations, by the name of the rule that it replaces."""


def _of(others: Mapping[str, Tried], names: Iterable[str]) -> list[Tried]:
    return [others[name] for name in names if name in others]


def _median(others: Mapping[str, Tried], names: Iterable[str]) -> Tried | None:
    """That of the middling validation loss; of an even number the better one of the two."""
    found = sorted(_of(others, names), key=lambda other: other.best)
    return found[(len(found) - 1) // 2] if found else None


def _typical(others: Mapping[str, Tried]) -> float:
    """The training loss that the recipe comes to, the median over its own seed and others."""
    return float(np.median([other.level for other in _of(others, (ITSELF, *SEEDS))]))


def _is_held_back(others: Mapping[str, Tried], reached: float) -> bool:
    """Whether without penalties and dropout it fits far better at its very rate: then that is what is wrong.

    Unless another rate has `reached` far less than that.
    """
    free = np.median([other.level for other in _of(others, UNREGULARIZED)] or [_LOST])
    return bool(free < min(0.7 * others[ITSELF].level, 1.5 * reached))


def _compared(itself: Tried, other: Tried) -> str:
    fits, predicts = _instead(itself.level), _instead(itself.best)
    return (
        f"With {other.words} the training loss comes to {other.level:.0%} of a constant guess's{fits}, "
        f"the validation loss to {other.best:.0%}{predicts}{'' if fits or predicts else '; as it was, it diverged'}."
    )


def _instead(loss: float) -> str:
    return f" instead of {loss:.0%}" if loss < _LOST else ""


def _evidence(itself: Tried, other: Tried) -> dict[str, float]:
    return {
        "train_loss_ratio": itself.level,
        "train_loss_ratio_changed": other.level,
        "validation_loss_ratio": itself.best,
        "validation_loss_ratio_changed": other.best,
    }


def _rate(other: Tried, way: Way) -> Option:
    return about_rate(float(other.changes["learning_rate"]), way)


def _change(other: Tried) -> Change:
    name, value = next(iter(other.changes.items()))
    return Change(parameter=name, way="set", value=value)
