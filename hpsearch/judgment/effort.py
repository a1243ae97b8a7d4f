"""The rules of diagnosis for how epochs were spent: too few, too many, on a plateau; and healthy ones.

Losses are in units of the baseline loss (see `Reading`).
"""

import numpy as np

from hpsearch.judgment.advice import ADAM, COSINE, HE, LARGER_BATCH, trying
from hpsearch.judgment.finding import Change, Finding
from hpsearch.judgment.reading import Reading, continued, smooth

_FEW = 3
_ENOUGH = 5
_LEAST = 1e-12


def plateau(reading: Reading) -> Finding | None:
    """The training loss stood still for a quarter of the epochs, well above where both losses went afterwards."""
    need = max(_ENOUGH, reading.n // 4)
    running = np.minimum.accumulate(reading.train)
    if reading.n <= need:
        return None
    gained = running[:-need] - running[need:]
    left = running[:-need] - running[-1]
    still = np.flatnonzero((gained < 0.02) & (left > 0.1))
    if not len(still):
        return None
    first, last = int(still[0]) + 1, int(still[-1]) + need + 1
    level = float(running[first - 1])
    stretch = reading.train[first - 1 : last]
    steepest = float(np.max(running[first - 1 : -3] - running[first + 2 :], initial=0.0))
    stood = np.median(stretch) <= level + 0.05 and np.median(np.abs(np.diff(stretch))) <= 0.03
    carried = float(reading.validation[first - 1 : last].min() - reading.validation[last - 1 :].min())
    if steepest < 0.05 or not stood or carried < 0.1:
        return None
    return Finding(
        name="plateau",
        severity="hint",
        sentence=f"The training loss stood still at {level:.0%} of a constant guess's from "
        f"epoch {first} to {last} and then fell to {running[-1]:.0%}.",
        evidence={"first_epoch": float(first), "last_epoch": float(last), "train_loss_ratio": level},
        **trying(ADAM, HE, more="The epochs on the plateau were lost."),
    )


def oscillation(reading: Reading) -> Finding | None:
    """In the second half of the epochs the training loss goes up and down, far from one epoch to the next."""
    half = reading.train[reading.n // 2 :]
    steps = np.diff(half)
    if reading.n < _ENOUGH + 1 or len(steps) < _FEW:
        return None
    swing, rises, falls = float(np.abs(steps).mean()), int((steps > 0).sum()), int((steps < 0).sum())
    if swing < max(0.06, 0.15 * float(np.median(half))) or min(rises, falls) < 0.25 * len(steps):
        return None
    return Finding(
        name="oscillation",
        severity="hint",
        sentence=f"In the last {len(steps)} epochs the training loss rose {rises} and fell {falls} times, by "
        f"{swing:.0%} of a constant guess's on average.",
        evidence={"rises": float(rises), "falls": float(falls), "swing": swing},
        **trying(reading.rate_change(0.1, 0.3), LARGER_BATCH, COSINE),
    )


def still_improving(reading: Reading) -> Finding | None:
    """All epochs were trained, and the validation loss still fell, so that as many again would take a tenth off."""
    if reading.state != "complete" or reading.n < 2:
        return None
    width = max(1, reading.n // 4)
    middle, now, _ = continued(reading.validation, width)
    gained, share = middle - now, _share_to_gain(reading, width)
    if share is None or _learns_by_heart(reading, width, gained):
        return None
    return Finding(
        name="still_improving",
        severity="hint",
        sentence=f"The validation loss fell by {gained / middle:.0%} in the last {f'{width} ' if width > 1 else ''}"
        f"of {reading.n} epochs: as many epochs again may take off {min(share, 0.9):.0%}.",
        evidence={"gain": gained, "share": gained / middle, "epochs": float(width), "expected": share * now},
        **trying(
            reading.change("epochs", reading.planned, 1.5 * reading.planned, 3 * reading.planned),
            reading.rate_change(1.5, 3),
        ),
    )


def _share_to_gain(reading: Reading, width: int) -> float | None:
    """What as many epochs again would take off the validation loss; None where that is little, or not sure enough."""
    middle, now, expected = continued(reading.validation, width)
    gained, second = middle - now, np.diff(reading.validation[reading.n // 2 :])
    falls = float((second < 0).mean()) if len(second) else 1.0
    if now > 0.05 and len(second) >= _FEW and falls >= 0.9:  # so steady a fall does not end soon
        expected = max(expected, 2.5 * gained)
    late = reading.best >= reading.n - max(1, reading.n // 6) and reading.validation.min() < 1.02
    clear = expected >= max(0.012, 0.05 * now) and gained >= max(0.02 * now, 1.5 * reading.jitter)
    if late and falls >= 0.6 and clear:
        return expected / max(now, _LEAST)
    share = _share_of_training(reading, width, gained)
    return share if share >= 0.09 else None


def _learns_by_heart(reading: Reading, width: int, gained: float) -> bool:
    """Whether less than half of what the training loss gains carries over, and a gap is there already."""
    before, level, _ = continued(reading.train, width)
    return bool(gained < 0.5 * (before - level) and reading.validation[-1] > level + 0.1)


def _share_of_training(reading: Reading, width: int, gained: float) -> float:
    """What as many epochs again would take off a training loss that falls steadily, if the validation loss follows.

    0 otherwise. The training loss has less noise, so that it shows a slow fall earlier.
    """
    before, level, fall = continued(reading.train, width)
    second = reading.steps[reading.n // 2 :]
    steady = len(second) > 0 and float((second < 0).mean()) >= 0.9
    follows = gained >= max(0.003, 0.3 * (before - level)) and abs(reading.validation[-1] - level) < 0.15
    return fall / level if steady and follows and level > 0.1 else 0.0


def budget_wasted(reading: Reading) -> Finding | None:
    """Half of the epochs and more brought nothing: the validation loss was as good long before the end."""
    if reading.state != "complete" or reading.n < 8:
        return None
    running = np.minimum.accumulate(smooth(reading.validation))
    tolerance = max(0.005, 0.015 * float(running[-1]))
    reached = int(np.argmax(running <= running[-1] + tolerance)) + 1
    wasted = reading.n - reached
    if wasted < reading.n / 2:
        return None
    return Finding(
        name="budget_wasted",
        severity="hint",
        sentence=f"The validation loss was as good in epoch {reached} as it ever got: the last {wasted} of "
        f"{reading.n} epochs brought nothing.",
        evidence={"reached_epoch": float(reached), "wasted_epochs": float(wasted)},
        **trying(
            (
                f"epochs of about {round(1.2 * reached)} to {round(1.5 * reached) + 1}",
                Change(parameter="epochs", way="lower", low=1.2 * reached, high=1.5 * reached + 1),
            ),
            (
                "early_stopping: {patience: 5}",
                Change(parameter="early_stopping.patience", way="set", value=5),
            ),
        ),
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
        changes=(Change(parameter="epochs", way="higher"),),
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
