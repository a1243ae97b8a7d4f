"""The rules of diagnosis for what was learned: nothing, too little, by heart, or too well to be true.

Losses are in units of the baseline loss throughout (see `Reading`). The thresholds are judgments, stated
where they are used; none depends on the data set, the loss or the number of epochs.
"""

import numpy as np

from hpsearch.judgment.advice import SMALLER, WIDER, stronger, trying, weaker
from hpsearch.judgment.finding import Change, Finding
from hpsearch.judgment.reading import LEARNED, Reading

_FEW = 3
_ENOUGH = 5
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
        tries = trying(
            reading.rate_change(0.01, 0.1) if jumps else reading.rate_change(10, 100), *weaker(reading)
        )
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
    if level < 0.5 or not reading.has_levelled or reading.others_do_better is False:
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
        evidence={"since_epoch": float(since), "rise": rise, "gap": gap},
        **trying(*stronger(reading), SMALLER, more="More data, or early_stopping, help too."),
    )


def regularization_too_strong(reading: Reading) -> Finding | None:
    """Penalties pull as hard as the data, or dropout is high, and the training loss stays high without a gap."""
    if reading.n < _ENOUGH or not reading.recipe or not reading.has_levelled:
        return None
    if reading.others_do_better is False:
        return None
    dropout, l2 = reading.setting("dropout"), reading.setting("l2")
    l1, decay = reading.setting("l1"), reading.setting("weight_decay")
    pull, level = reading.pull, reading.level
    learned = reading.has_learned
    rules = pull >= 0.3 or (learned and (l1 >= 1e-3 or decay >= 0.1 or dropout >= 0.8))
    others = reading.experience.best < 0.75 * reading.validation[-reading.quarter :].mean()
    holds_back = dropout >= 0.5 and learned and others
    gap = float(np.median((reading.validation - reading.train)[-_FEW:]))
    if not (rules or holds_back) or level < (0.05 if rules else 0.2) or gap > max(0.15, 0.3 * level):
        return None
    held = ", ".join(
        f"{name} {value:.2g}"
        for name, value in {"dropout": dropout, "l2": l2, "l1": l1, "weight_decay": decay}.items()
        if value > 0
    )
    return Finding(
        name="regularization_too_strong",
        severity="warning",
        sentence=f"With {held} the training loss stays at {level:.0%} of a constant guess's, and the validation "
        f"loss close to it: the network is held back from what it could learn.",
        evidence={"train_loss_ratio": level, "gap": gap, "dropout": dropout, "l2": l2, "pull": pull},
        **trying(*weaker(reading)),
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
