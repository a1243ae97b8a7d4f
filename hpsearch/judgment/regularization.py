"""The rule of diagnosis for penalties and dropout that hold a network back.

Losses are in units of the baseline loss (see `Reading`).
"""

import numpy as np

from hpsearch.judgment.advice import trying, weaker
from hpsearch.judgment.finding import Finding
from hpsearch.judgment.reading import Reading
from hpsearch.judgment.way import STRAIGHT, pace

_FEW = 3
_ENOUGH = 5


def regularization_too_strong(reading: Reading) -> Finding | None:
    """Penalties or dropout are strong, the training loss stays high without a gap, and others do far better."""
    if reading.n < _ENOUGH or not reading.recipe or reading.others_do_better is False:
        return None
    level = reading.level
    gap = float(np.median((reading.validation - reading.train)[-_FEW:]))
    swing = float(np.median(np.abs(reading.steps)))
    still = swing <= (0.4 if reading.has_learned else 0.1) * level and gap <= max(0.15, 0.3 * level)
    held = level >= 0.1 and (still or _overwhelms(reading))
    if not held or not _strong(reading) or not reading.others_reached(0.65):
        return None
    led_on = pace(reading) >= STRAIGHT and not _penalized(reading)
    if led_on or _moves_on(reading):  # nothing holds these weights
        return None
    strengths = {name: reading.setting(name) for name in ("dropout", "l2", "l1", "weight_decay")}
    named = ", ".join(f"{name} {value:.2g}" for name, value in strengths.items() if value > 0)
    return Finding(
        name="regularization_too_strong",
        severity="warning",
        sentence=f"With {named} the training loss stays at {level:.0%} of a constant guess's, and the validation "
        f"loss close to it: the network is held back from what it could learn.",
        evidence={
            "train_loss_ratio": level,
            "gap": gap,
            "dropout": strengths["dropout"],
            "l2": strengths["l2"],
            "pull": reading.pull,
            "penalty": reading.penalty,
        },
        **trying(*weaker(reading)),
    )


def _moves_on(reading: Reading) -> bool:
    """Whether the training loss goes on falling; of much noise and overwhelming penalties it has to fall far."""
    return not _overwhelms(reading) and reading.falling > (0.35 if _noise(reading) >= 1 else 0.25)


def _strong(reading: Reading) -> bool:
    """Whether penalties or dropout outweigh the data.

    A network that learned nothing may be held back by much else: only by overwhelming strengths it certainly is.
    """
    noise, dropout = _noise(reading), reading.setting("dropout")
    if not reading.has_learned:
        shrunk = dropout >= 0.6 and reading.shrinkage < 0.15
        return _overwhelms(reading) or noise >= 2.5 or dropout >= 0.85 or shrunk
    noisy = noise >= 0.15 and dropout >= 0.35
    lonely = noise >= 0.07 and dropout >= 0.25 and reading.others_reached(0.35)
    return _penalized(reading) or dropout >= 0.6 or noisy or lonely


def _overwhelms(reading: Reading) -> bool:
    """An L2 penalty that pulls as hard as the data, at a strength that is far above the usual."""
    return reading.setting("l2") >= 0.1 and _penalized(reading)


def _penalized(reading: Reading) -> bool:
    """The L2 penalty pulls as hard as the data, or makes up much of what is minimized; or l1, decay are strong."""
    pulls = reading.pull >= 0.3 or reading.penalty >= 0.15 * reading.level
    return pulls or reading.setting("l1") >= 1e-3 or reading.setting("weight_decay") >= 0.1


def _noise(reading: Reading) -> float:
    """The variance that dropout adds to what a unit passes on, by the width of a layer, over all layers."""
    dropout, hidden = reading.setting("dropout"), reading.recipe.get("hidden")
    if not 0 < dropout < 1 or not isinstance(hidden, list | tuple):
        return 0.0
    return float(sum(dropout / (1 - dropout) / width for width in hidden))
