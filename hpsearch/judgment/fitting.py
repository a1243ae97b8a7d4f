"""The rules of diagnosis for what was learned: nothing, too little, by heart, or too well to be true.

Losses are in units of the baseline loss throughout (see `Reading`). The thresholds are judgments, stated
where they are used; none depends on the data set, the loss or the number of epochs.
"""

import numpy as np

from hpsearch.judgment.advice import SMALLER, WIDER, stronger, trying, weaker
from hpsearch.judgment.finding import Change, Finding
from hpsearch.judgment.reading import LEARNED, Reading, smooth
from hpsearch.judgment.variation import RATES
from hpsearch.judgment.way import distances

_FEW = 3
_ENOUGH = 5
_WIDE = 0.235
_RISE = 0.09
_CHECK_INPUTS = ("that the inputs can tell the target at all", Change(parameter="data", way="set"))


def at_chance(reading: Reading) -> Finding | None:
    """The validation loss never was clearly below that of a constant guess."""
    if reading.n < _FEW or reading.has_learned or _will_learn(reading):
        return None
    validation, train = float(reading.validation.min()), float(reading.train.min())
    if reading.has_fitted:
        detail = f"although the training loss came down to {train:.0%}: what was learned does not carry over"
        tries = trying(
            *stronger(reading), SMALLER, lead="Check that the inputs can tell the target at all; then try"
        )
    else:
        detail = f"nor is the training loss ({train:.0%})"
        jumps = float(np.median(np.abs(reading.steps))) > 0.003
        guess = reading.rate_change(0.01, 0.1) if jumps else reading.rate_change(10, 100)
        tries = trying(reading.tried_rate(RATES) or guess, *weaker(reading))
    return Finding(
        name="at_chance",
        severity="failure",
        sentence="The validation loss is no better than a constant guess's "
        f"(at best {validation:.0%} of it), {detail}.",
        evidence={"best_validation_loss_ratio": validation, "best_train_loss_ratio": train},
        **tries,
    )


def _will_learn(reading: Reading) -> bool:
    """Whether the validation loss, falling on as it did in the second half, would come below a constant guess's."""
    early, late = (half.min() for half in np.split(reading.validation, [reading.n // 2]))
    return bool(late - (early - late) < 1 - LEARNED)


def underfitting(reading: Reading) -> Finding | None:
    """The training loss levelled off at more than half of a constant guess's, as did the validation loss."""
    if reading.n < _ENOUGH or not reading.has_learned:
        return None
    level, quarter = reading.level, reading.quarter
    levelled = level >= 0.5 and reading.train.min() >= 0.4 and reading.has_levelled
    hardly_left = (distances(reading)[-1:] < 0.4).any()  # then its steps are short, not the network small
    if not levelled or hardly_left or not reading.others_reached(0.85):
        return None
    gained = float(reading.train[:-quarter].min() - reading.train[-quarter:].min())
    return Finding(
        name="underfitting",
        severity="warning",
        sentence=f"The training loss levelled off at {level:.0%} of a constant guess's; the last {quarter} "
        f"epochs gained {max(gained, 0):.1%}.",
        evidence={"train_loss_ratio": level, "gained": gained, "epochs": float(quarter)},
        **trying(*weaker(reading), WIDER, more="If neither helps, the inputs tell no more."),
    )


def overfitting(reading: Reading) -> Finding | None:
    """The validation loss rises while the training loss falls on, or stays far above it."""
    if reading.n < _FEW or reading.level > 1.2:
        return None
    train, validation, level = reading.train, smooth(reading.validation), reading.level
    best = int(validation.argmin())
    end = float(np.median(reading.validation[-reading.quarter :]))
    swing = float(np.median(np.abs(np.diff(reading.validation[reading.n // 2 :]))))
    rise = end - float(validation[best]) - swing
    rises = rise > _RISE * max(float(validation[best]), 0.3) and level < min(train[best], 0.95)
    gaps = validation - train
    gap = end - level - max(float(gaps[0]), 0.0)  # what learning opened
    if not rises and gap < _WIDE:
        return None
    since = best + 1 if rises else int(np.argmax(gaps >= _WIDE)) + 1
    how = (
        f"has risen from {validation[best]:.1%} to {end:.1%} of a constant guess's, while the "
        f"training loss fell from {train[best]:.1%} to {train[-1]:.1%}"
        if rises
        else f"is far above the training loss: at the end {validation[-1]:.1%} "
        f"against {train[-1]:.1%} of a constant guess's"
    )
    return Finding(
        name="overfitting",
        severity="warning",
        sentence=f"Since epoch {since} the validation loss {how}.",
        evidence={"since_epoch": float(since), "rise": rise, "gap": gap},
        **trying(*stronger(reading), SMALLER, more="More data, or early_stopping, help too."),
    )


def suspicious_score(reading: Reading) -> Finding | None:
    """The validation loss was next to nothing at once: an input may hold the target."""
    first = reading.validation[:2]
    if not len(first) or float(first.min()) > 0.02:
        return None
    epoch = int(np.argmax(first <= 0.02)) + 1
    return Finding(
        name="suspicious_score",
        severity="warning",
        sentence=f"After epoch {epoch} the validation loss was {first.min():.2%} of a constant guess's: "
        "too good, too soon. An input may give the target away, or rows may stand in both parts.",
        advice="Look for an input that is known only with the target (data.drop), and for rows that come twice.",
        evidence={"epoch": float(epoch), "validation_loss_ratio": float(first.min())},
        changes=(Change(parameter="data.drop", way="set"),),
    )
