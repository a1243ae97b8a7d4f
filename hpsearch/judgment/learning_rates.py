"""The rules of diagnosis for the size of the learning rate.

Losses are in units of the baseline loss (see `Reading`).
"""

import numpy as np

from hpsearch.judgment.advice import ADAM, COSINE, LARGER_BATCH, trying
from hpsearch.judgment.finding import Finding, Severity
from hpsearch.judgment.reading import Array, Reading

_FEW = 3
_ENOUGH = 5


def learning_rate_too_large(reading: Reading) -> Finding | None:
    """The training loss rises by more, in sum, than it came down, or steps throw the weights about."""
    if reading.n < _FEW or reading.level < 0.1 or reading.pull >= 0.3 or reading.setting("l2") >= 0.1:
        return None
    rises = reading.steps[reading.steps > 0]
    decrease = float(reading.train[0] - reading.train.min())
    swing = float(rises.sum())
    # three in ten epochs, by three hundredths of a constant guess's loss: sampling noise does less
    often = len(rises) >= max(_FEW, 0.3 * len(reading.steps))
    swings = often and swing >= decrease and rises.mean() >= max(0.03, 0.1 * decrease, 0.15 * reading.level)
    held_back = reading.setting("dropout") >= 0.5 or reading.setting("l2") >= 1e-3
    lost = reading.train[-1] >= max(reading.train[0], reading.train.min() + 0.05) and not held_back
    thrown = _thrown(reading)
    # a network that fits worse than a constant guess, and does not come down steadily, is kept from it
    lost = lost or (
        reading.level > 1.05
        and swing > 0.03 * len(rises)
        and len(rises) >= max(_FEW, 0.25 * len(reading.steps))
    )
    if not swings and not lost and not thrown:
        return None
    if reading.others_do_better is False and reading.level < 1.2 and not _wasteful(reading):
        return None
    return Finding(
        name="learning_rate_too_large",
        severity=severity(reading),
        sentence=_unstable(reading, rises, decrease) if swings or lost else _hurled(reading, thrown),
        evidence={
            "rising_epochs": float(len(rises)),
            "epochs": float(len(reading.steps)),
            "swing": swing,
            "decrease": decrease,
            **({"update_ratio": thrown} if thrown else {}),
        },
        **trying(reading.rate_change(0.1, 0.3), LARGER_BATCH, COSINE),
    )


def _wasteful(reading: Reading) -> bool:
    """Whether the trial itself predicted far better than it does at the end, without having learned by heart."""
    level = float(np.median(reading.validation[-reading.quarter :]))
    return level > 1.25 * reading.validation.min() + 0.05 and level < reading.level + 0.5


def _thrown(reading: Reading) -> float:
    """How far an early step moves weights against their size, if that is too far and much is left; else 0."""
    _, ratios = reading.layers("update_ratio")
    if not len(ratios) or not (0.65 <= reading.level <= 0.95 or reading.train[0] >= 3):
        return 0.0
    typical = float(np.nanmedian(ratios[:2], axis=1).max())
    return typical if typical >= 0.2 else 0.0


def _unstable(reading: Reading, rises: Array, decrease: float) -> str:
    came_down = f"while it came down by {decrease:.0%}" if decrease > 0 else "and never came down"
    return (
        f"The training loss rose in {len(rises)} of {len(reading.steps)} epochs, in sum by "
        f"{rises.sum():.0%} of a constant guess's loss, {came_down}."
    )


def _hurled(reading: Reading, ratio: float) -> str:
    return (
        f"In the first epochs one step moved weights by {ratio:.0%} of their size, and the training loss "
        f"stays at {reading.level:.0%} of a constant guess's."
    )


def learning_rate_too_small(reading: Reading) -> Finding | None:
    """The training loss falls in a straight line and has not come far."""
    middle = reading.n // 2
    if reading.n < _ENOUGH or (reading.others_do_better is False and not reading.has_learned):
        return None
    early, late = reading.train[0] - reading.train[middle], reading.train[middle] - reading.train[-1]
    share = float((early + late) / reading.train[0]) if reading.train[0] > 0 else 1.0
    steady = (reading.steps < 0).mean() >= 0.8 and reading.validation[-1] < reading.validation.min() + 0.05
    hardly_begun = late > 0.33 * early and reading.level >= 0.6 and bool((reading.steps < 0).all())
    creeps = late > 0.5 * early or hardly_begun
    if not (steady and creeps and 0.003 < share < 0.5 and reading.train[-1] > 0.1):
        return None
    return Finding(
        name="learning_rate_too_small",
        severity=severity(reading),
        sentence=f"The training loss fell by only {share:.0%} in {reading.n} epochs, and in the second half "
        f"{late / early if early > 0 else 1:.1f} times as much as in the first: it creeps.",
        evidence={"decrease_share": share, "early_decrease": float(early), "late_decrease": float(late)},
        **trying(reading.rate_change(3, 30), ADAM),
    )


def severity(reading: Reading) -> Severity:
    """A learning rate that lets nothing be learned fails the trial; another costs quality."""
    return "warning" if reading.has_learned else "failure"
