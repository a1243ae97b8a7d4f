"""The rules of diagnosis: each looks for one thing in a trial's curves and gives its numbers, or None.

Losses are in units of the baseline loss throughout (see `Reading`). The thresholds are judgments, stated
where they are used; none depends on the data set, the loss or the number of epochs.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from hpsearch.judgment.finding import Finding, Severity
from hpsearch.judgment.reading import Reading

_FEW: Final = 3
_ENOUGH: Final = 5


def learning_rate_too_large(reading: Reading) -> Finding | None:
    """The training loss rises by more, in sum, than it came down, or all that was gained is lost."""
    if reading.n < _FEW:
        return None
    rises = reading.steps[reading.steps > 0]
    decrease = float(reading.train[0] - reading.train.min())
    swing = float(rises.sum())
    # three in ten epochs, by three hundredths of a constant guess's loss: sampling noise does less
    often = len(rises) >= max(_FEW, 0.3 * len(reading.steps))
    swings = often and swing >= decrease and rises.mean() >= max(0.03, 0.1 * decrease)
    lost = reading.train[-1] >= max(reading.train[0], reading.train.min() + 0.05)
    if not swings and not lost:
        return None
    came_down = f"while it came down by {decrease:.0%}" if decrease > 0 else "and never came down"
    return Finding(
        name="learning_rate_too_large",
        severity=_severity(reading),
        sentence=f"The training loss rose in {len(rises)} of {len(reading.steps)} epochs, in sum by "
        f"{swing:.0%} of a constant guess's loss, {came_down}.",
        advice=f"Try {reading.scaled_rate(0.1, 0.3)}, a larger batch_size, or schedule: cosine.",
        evidence={
            "rising_epochs": float(len(rises)),
            "epochs": float(len(reading.steps)),
            "swing": swing,
            "decrease": decrease,
        },
    )


def learning_rate_too_small(reading: Reading) -> Finding | None:
    """The training loss falls in a straight line and has not come far."""
    middle = reading.n // 2
    if reading.n < _ENOUGH:
        return None
    early, late = reading.train[0] - reading.train[middle], reading.train[middle] - reading.train[-1]
    share = float((early + late) / reading.train[0]) if reading.train[0] > 0 else 1.0
    steady = (reading.steps < 0).mean() >= 0.8
    if not (steady and late > 0.5 * early and 0.003 < share < 0.5 and reading.train[-1] > 0.3):
        return None
    return Finding(
        name="learning_rate_too_small",
        severity=_severity(reading),
        sentence=f"The training loss fell by only {share:.0%} in {reading.n} epochs, and in the second half "
        f"{late / early if early > 0 else 1:.1f} times as much as in the first: it creeps.",
        advice=f"Try {reading.scaled_rate(3, 30)}, or optimizer: adam.",
        evidence={"decrease_share": share, "early_decrease": float(early), "late_decrease": float(late)},
    )


def at_chance(reading: Reading) -> Finding | None:
    """The validation loss never was clearly below that of a constant guess."""
    if reading.n < _FEW or reading.has_learned or still_improving(reading):
        return None
    validation, train = float(reading.validation.min()), float(reading.train.min())
    if reading.has_fitted:
        detail = f"although the training loss came down to {train:.0%}: what was learned does not carry over"
        advice = (
            "Check that the inputs can tell the target; then try more dropout or l2, or a smaller network."
        )
    else:
        detail = f"nor is the training loss ({train:.0%})"
        jumps = float(np.median(np.abs(reading.steps))) > 0.003
        rate = reading.scaled_rate(0.01, 0.1) if jumps else reading.scaled_rate(10, 100)
        advice = f"Try {rate}, with less l1, l2 and dropout."
    return Finding(
        name="at_chance",
        severity="failure",
        sentence="The validation loss is no better than a constant guess's "
        f"(at best {validation:.0%} of it), {detail}.",
        advice=advice,
        evidence={"best_validation_loss_ratio": validation, "best_train_loss_ratio": train},
    )


def underfitting(reading: Reading) -> Finding | None:
    """The training loss levelled off at more than half of a constant guess's, as did the validation loss."""
    if reading.n < _ENOUGH or not reading.has_learned:
        return None
    quarter = max(2, reading.n // 4)
    level = float(reading.train[-quarter:].min())
    gained = float(reading.train[:-quarter].min() - level)
    if level < 0.5 or gained > 0.01:
        return None
    return Finding(
        name="underfitting",
        severity="warning",
        sentence=f"The training loss levelled off at {level:.0%} of a constant guess's; the last {quarter} "
        f"epochs gained {max(gained, 0):.1%}.",
        advice="Try less l1, l2 and dropout, or wider layers; else the inputs tell no more.",
        evidence={"train_loss_ratio": level, "gained": gained, "epochs": float(quarter)},
    )


def overfitting(reading: Reading) -> Finding | None:
    """The validation loss rises while the training loss falls on, or stays far above it."""
    best, train, validation = reading.best, reading.train, reading.validation
    tail = slice(max(best + 1, reading.n - _FEW), None)
    if reading.n < _FEW or not reading.has_fitted:
        return None
    rise = float(np.median(validation[tail]) - validation[best]) if best < reading.n - 2 else 0.0
    rises = rise > max(0.1 * validation[best], 0.03) and train[-1] < train[best]
    gap = float(np.median((validation - train)[-_FEW:]))
    if not rises and gap < 0.25:
        return None
    since = best + 1 if rises else int(np.argmax(validation - train >= 0.25)) + 1
    how = (
        f"has risen from {validation[best]:.1%} to {validation[best] + rise:.1%} of a constant guess's, while the "
        f"training loss fell from {train[best]:.1%} to {train[-1]:.1%}"
        if rises
        else f"is far above the training loss: at the end {validation[-1]:.1%} "
        f"against {train[-1]:.1%} of a constant guess's"
    )
    return Finding(
        name="overfitting",
        severity="warning",
        sentence=f"Since epoch {since} the validation loss {how}.",
        advice="Try more dropout or l2, fewer or narrower layers, or early_stopping; more data helps most.",
        evidence={"since_epoch": float(since), "rise": rise, "gap": gap},
    )


def plateau(reading: Reading) -> Finding | None:
    """The training loss stood still for a quarter of the epochs, well above where it went afterwards."""
    need = max(_ENOUGH, reading.n // 4)
    running = np.minimum.accumulate(reading.train)
    if reading.n <= need:
        return None
    gained = running[:-need] - running[need:]
    left = running[:-need] - running[-1]
    still = np.flatnonzero((gained < 0.01) & (left > 0.1))
    if not len(still):
        return None
    first, last = int(still[0]) + 1, int(still[-1]) + need + 1
    level = float(running[first - 1])
    return Finding(
        name="plateau",
        severity="hint",
        sentence=f"The training loss stood still at {level:.0%} of a constant guess's from "
        f"epoch {first} to {last} and then fell to {running[-1]:.0%}.",
        advice="Try optimizer: adam, or another initializer: the epochs on the plateau were lost.",
        evidence={"first_epoch": float(first), "last_epoch": float(last), "train_loss_ratio": level},
    )


def still_improving(reading: Reading) -> Finding | None:
    """All epochs were trained, and the validation loss was still falling in the last of them."""
    quarter = max(1, reading.n // 4)
    if reading.state != "complete" or reading.n < 2 or reading.best < reading.n - max(1, reading.n // 10):
        return None
    before = float(reading.validation[:-quarter].min())
    gain = before - float(reading.validation.min())
    if gain < max(0.005, 0.03 * before, 2 * _jitter(reading)):
        return None
    return Finding(
        name="still_improving",
        severity="hint",
        sentence=f"The validation loss fell by {gain / before:.0%} in the last "
        f"{f'{quarter} ' if quarter > 1 else ''}of {reading.n} epochs and was at its best at the end.",
        advice=f"Try more than {reading.planned} epochs, or {reading.scaled_rate(1.5, 3)}.",
        evidence={"gain": gain, "share": gain / before, "epochs": float(quarter)},
    )


def too_short(reading: Reading) -> Finding | None:
    """Too few epochs to say anything."""
    if reading.n >= _FEW:
        return None
    return Finding(
        name="too_short",
        severity="hint",
        sentence=f"Only {reading.n} of {reading.planned} epochs were trained: too few to read the curves.",
        advice="Look at longer trials, or give this one more epochs.",
        evidence={"epochs": float(reading.n)},
    )


def healthy(reading: Reading) -> Finding:
    """Nothing is wrong."""
    best = reading.best
    validation, gap = float(reading.validation[best]), float(reading.validation[best] - reading.train[best])
    return Finding(
        name="healthy",
        severity="good",
        sentence=f"The validation loss came down to {validation:.1%} of a constant guess's in epoch "
        f"{best + 1}, the training loss to {float(reading.train[best]):.1%}.",
        advice="Nothing stands out; compare it with the best trials.",
        evidence={"best_epoch": float(best + 1), "validation_loss_ratio": validation, "gap": gap},
    )


def _jitter(reading: Reading) -> float:
    """How much the validation loss typically bends from epoch to epoch in the second half."""
    bends = np.diff(reading.validation[reading.n // 2 :], 2)
    return float(np.median(np.abs(bends))) if len(bends) >= _FEW else 0.0


def _severity(reading: Reading) -> Severity:
    """A learning rate that lets nothing be learned fails the trial; another costs quality."""
    return "warning" if reading.has_learned else "failure"


Rule = Callable[[Reading], Finding | None]

# causes before what they cause: of equally severe findings the first is the verdict
SYMPTOMS: Final[tuple[Rule, ...]] = (
    learning_rate_too_large,
    learning_rate_too_small,
    at_chance,
    overfitting,
    underfitting,
    plateau,
    still_improving,
)
