"""The rules of diagnosis for the size of the learning rate.

Losses are in units of the baseline loss (see `Reading`).
"""

from typing import Final

import numpy as np

from hpsearch.judgment.advice import ADAM, COSINE, LARGER_BATCH, trying
from hpsearch.judgment.finding import Finding, Severity
from hpsearch.judgment.reading import Array, Reading
from hpsearch.judgment.way import STRAIGHT, distances, pace

_FEW = 3
_ENOUGH = 5
_USUAL: Final = {"sgd": 0.3, "momentum": 0.05, "nesterov": 0.05, "adagrad": 0.05}
_USUAL_ELSE: Final = 0.01
"""The learning rates beyond which few networks learn well, by optimizer; that of Adam and its kin."""


def _heat(reading: Reading) -> float:
    """The learning rate against the largest that is usual with the optimizer; 0 where it is not known.

    Plain gradients of sigmoids are small: they take eight times as much.
    """
    optimizer = reading.recipe.get("optimizer")
    if optimizer is None or not np.isfinite(reading.rate):
        return 0.0
    flat = reading.recipe.get("activation") == "sigmoid" and optimizer in ("sgd", "momentum", "nesterov")
    return reading.rate / _USUAL.get(str(optimizer), _USUAL_ELSE) / (8 if flat else 1)


def learning_rate_too_large(reading: Reading) -> Finding | None:
    """The training loss rises by more, in sum, than it came down, or steps throw the weights about."""
    if reading.n < _FEW or reading.level < 0.1 or reading.pull >= 0.3 or reading.setting("l2") >= 0.1:
        return None
    rises, decrease = reading.steps[reading.steps > 0], float(reading.train[0] - reading.train.min())
    swing, thrown, gone = float(rises.sum()), _thrown(reading), _gone(reading)
    unstable = _swings(reading, rises, decrease) or _is_lost(reading, rises)
    if not (unstable or thrown or gone) or not _is_hot(reading, swing, decrease):
        return None
    if not reading.others_reached(0.96) and reading.level < 1.2 and not _wasteful(reading):
        return None
    return Finding(
        name="learning_rate_too_large",
        severity=severity(reading),
        sentence=_unstable(reading, rises, decrease) if unstable else _hurled(reading, thrown, gone),
        evidence={
            "rising_epochs": float(len(rises)),
            "epochs": float(len(reading.steps)),
            "swing": swing,
            "decrease": decrease,
            **({"update_ratio": thrown} if thrown else {}),
            **({"distance": gone} if gone else {}),
        },
        **trying(reading.rate_change(0.1, 0.3), LARGER_BATCH, COSINE),
    )


def _swings(reading: Reading, rises: Array, decrease: float) -> bool:
    """Whether the loss rose in three of ten epochs, by more than it came down, and by more than sampling noise does."""
    often = len(rises) >= max(_FEW, 0.3 * len(reading.steps))
    far = max(0.03, 0.1 * decrease, 0.15 * reading.level)
    return often and bool(rises.sum() >= decrease and rises.mean() >= far)


def _is_lost(reading: Reading, rises: Array) -> bool:
    """Whether all that was gained is gone again, or a fit worse than a constant guess's does not come down steadily."""
    held_back = reading.setting("dropout") >= 0.5 or reading.setting("l2") >= 1e-3
    gone = reading.train[-1] >= max(reading.train[0], reading.train.min() + 0.05) and not held_back
    often = len(rises) >= max(_FEW, 0.25 * len(reading.steps))
    return bool(gone or (reading.level > 1.05 and often and rises.mean() > 0.03))


def _wasteful(reading: Reading) -> bool:
    """Whether the trial itself predicted far better than it does at the end, without having learned by heart."""
    level = float(np.median(reading.validation[-reading.quarter :]))
    return level > 1.25 * reading.validation.min() + 0.05 and level < reading.level + 0.5


def _thrown(reading: Reading) -> float:
    """How far an early step moves weights against their size, if that is too far and much is left; else 0."""
    _, ratios = reading.layers("update_ratio")
    early = ratios[:2]
    of_nothing = np.isnan(early).all(axis=1).any()  # weights of zero have no size to move against
    if not len(early) or reading.level < 0.65 or of_nothing:
        return 0.0
    typical = float(np.nanmedian(early, axis=1).max())
    hot_and_dead = _heat(reading) >= 3 and _idle(reading) >= 0.5 and reading.others_do_better
    return typical if typical >= 0.2 and (reading.level <= 0.95 or hot_and_dead) else 0.0


def _gone(reading: Reading) -> float:
    """How far the weights are from where they began, if the first epoch took them far and much is left; else 0."""
    far = distances(reading)
    return float(far[-1]) if len(far) and far[0] >= 1 and far[-1] >= 3 and reading.level >= 0.25 else 0.0


def _is_hot(reading: Reading, swing: float, decrease: float) -> bool:
    """Whether the rate is beyond the usual; at a usual one, only what is plain counts.

    Where it is known how far weights have come, that and the rate are weighed together, and what is usual has a margin:
    a wider one where dropout makes losses jump.
    """
    plain, heat, far = swing >= 5 * max(decrease, 0.1), _heat(reading), distances(reading)
    if not len(far) or not heat:
        return plain or not 0 < heat < 1.5
    if heat * far.max() < 4 or _is_stuck(reading, swing):
        return False
    noisy = reading.setting("dropout") >= 0.5
    return heat >= (7 if noisy else 3.5) or (plain and not noisy)


def _is_stuck(reading: Reading, swing: float) -> bool:
    """Whether dead units, that no rate revives, keep a quiet network from learning."""
    return _idle(reading) >= 0.5 and swing < 0.3 and not reading.has_learned


def _idle(reading: Reading) -> float:
    """The largest share of idle units in a layer, at the end."""
    _, idle = reading.layers("idle")
    return float(np.nanmax(idle[-1])) if len(idle) and np.isfinite(idle[-1]).any() else 0.0


def _unstable(reading: Reading, rises: Array, decrease: float) -> str:
    came_down = f"while it came down by {decrease:.0%}" if decrease > 0 else "and never came down"
    return (
        f"The training loss rose in {len(rises)} of {len(reading.steps)} epochs, in sum by "
        f"{rises.sum():.0%} of a constant guess's loss, {came_down}."
    )


def _hurled(reading: Reading, ratio: float, distance: float) -> str:
    how = (
        f"In the first epochs one step moved weights by {ratio:.0%} of their size"
        if ratio
        else f"The weights are {distance:.1f} times their initial size away from where they began"
    )
    return f"{how}, and the training loss stays at {reading.level:.0%} of a constant guess's."


def learning_rate_too_small(reading: Reading) -> Finding | None:
    """The training loss falls in a straight line and has not come far, or weights go on their way too slowly."""
    if reading.n < _ENOUGH or not reading.others_reached(0.9):
        return None
    falls = float((reading.steps < 0).mean())
    held = reading.pull >= 0.3 and not (_heat(reading) <= 0.05 and falls >= 0.9)
    if held or _heat(reading) > (1.3 if pace(reading) >= 0.9 else 1):
        return None
    early, late = _halves(reading)
    if _creeps(reading, early, late):
        share = (early + late) / float(reading.train[0])
        sentence = (
            f"The training loss fell by only {share:.0%} in {reading.n} epochs, and in the second half "
            f"{late / early if early > 0 else 1:.1f} times as much as in the first: it creeps."
        )
    elif _is_tiny(reading):
        sentence = (
            f"The learning rate of {reading.rate:.2g} is {_heat(reading):.1%} of the largest that is usual with the "
            f"optimizer, and the training loss stays at {reading.level:.0%} of a constant guess's."
        )
    elif _hardly_moved(reading):
        sentence = (
            f"All steps of {reading.n} epochs together moved the weights by at most {reading.travel:.1%} of "
            f"their size, and the training loss is still {reading.level:.0%} of a constant guess's."
        )
    else:
        return None
    way = {"moved": reading.travel, "pace": pace(reading)}
    return Finding(
        name="learning_rate_too_small",
        severity=severity(reading),
        sentence=sentence,
        evidence={
            "early_decrease": early,
            "late_decrease": late,
            **{name: value for name, value in way.items() if np.isfinite(value)},
        },
        **trying(reading.rate_change(3, 30), ADAM),
    )


def _halves(reading: Reading) -> tuple[float, float]:
    """By how much the training loss fell in either half of the epochs."""
    first, middle, last = reading.train[[0, reading.n // 2, -1]]
    return float(first - middle), float(middle - last)


def _creeps(reading: Reading, early: float, late: float) -> bool:
    """Whether the training loss falls steadily, not far, and in the second half hardly less than in the first."""
    share = (early + late) / float(reading.train[0]) if reading.train[0] > 0 else 1.0
    falls = float((reading.steps < 0).mean())
    gathers = pace(reading) >= 0.8 and late > 2 * early and falls >= 0.6
    steady = (falls >= 0.8 or gathers) and reading.validation[-1] < reading.validation.min() + 0.05
    hardly_begun = late > 0.33 * early and reading.level >= 0.6 and falls >= 0.9
    return bool(
        steady and (late > 0.5 * early or hardly_begun) and 0.008 < share < 0.5 and reading.train[-1] > 0.1
    )


def _is_tiny(reading: Reading) -> bool:
    """Whether the rate is far below the usual, nothing was learned, and other trials learned much.

    Of a few layers without dead units: in deep networks, the signal may be what is too small.
    """
    hidden = reading.recipe.get("hidden")
    shallow = isinstance(hidden, list | tuple) and len(hidden) <= 3 and _idle(reading) < 0.5
    others = reading.experience.best < 0.75 * float(reading.validation.min())
    straight = pace(reading) >= 0.75 and reading.setting("dropout") < 0.5
    tiny = shallow and 0 < _heat(reading) <= (0.4 if straight else 0.06) and not reading.has_learned
    return bool(tiny and others and _leads_on(reading))


def _hardly_moved(reading: Reading) -> bool:
    """Whether all steps together were short although the gradient is there; and other trials learned much."""
    _, norms = reading.layers("gradient_norm")
    stuck = reading.travel < 0.4 and reading.level >= 0.85 and reading.experience.best < 0.75 * reading.level
    return stuck and _leads_on(reading) and float(np.linalg.norm(norms[-1])) >= 0.15


def _leads_on(reading: Reading) -> bool:
    """Whether the weights go on in one direction, or the loss falls in every epoch: larger steps would lead further."""
    return not pace(reading) < STRAIGHT or bool((reading.steps < 0).all())


def severity(reading: Reading) -> Severity:
    """A learning rate that lets nothing be learned fails the trial; another costs quality."""
    return "warning" if reading.has_learned else "failure"
