"""What each trial of the labelled set deserves, by definitions that look at none of its curves.

A label is True, False, or None where the truth lies between: such a trial is left out of that finding's count, and the
number of them is told. All losses are in units of a constant guess's, over a thousand held-out samples or the whole
training part; `n` is the number of epochs trained, of 2n that are known.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Trial = Mapping[str, Any]
Label = Callable[[Trial], bool | None]


def _between(value: float, no: float, yes: float) -> bool | None:
    """Above `yes` True, below `no` False; the other way round where `yes` is the lower one."""
    if yes >= no:
        return True if value >= yes else False if value <= no else None
    return True if value <= yes else False if value >= no else None


def _all(*labels: bool | None) -> bool | None:
    if any(label is False for label in labels):
        return False
    return None if None in labels else True


def _losses(trial: Trial, part: str) -> np.ndarray:
    return np.array(trial["truth"]["losses"][part], dtype=float)


def _epochs(trial: Trial) -> int:
    return int(trial["recipe"]["epochs"])


def _end(trial: Trial, part: str) -> float:
    """The median over the last quarter of the epochs."""
    n = _epochs(trial)
    return max(float(np.median(_losses(trial, part)[n - max(3, n // 4) : n])), 1e-6)


def _variant(trial: Trial, name: str, part: str) -> float:
    """The loss of another recipe on the same task; 9 where it diverged."""
    return float(np.nan_to_num(trial["truth"]["variants"][name][part], nan=9.0, posinf=9.0))


def _broken(trial: Trial) -> bool:
    """Some number of the run is not finite, or its losses left all bounds: only divergence is asked of such a trial."""
    losses = np.concatenate([_losses(trial, part)[: _epochs(trial)] for part in ("train", "held_out")])
    return not np.isfinite(losses).all() or _end(trial, "train") > 10


def diverged(trial: Trial) -> bool | None:
    """Not finite within n epochs, or a training loss above ten times a constant guess's at the end."""
    return True if _broken(trial) else _between(_end(trial, "train"), 3, 10)


def exploding_gradients(trial: Trial) -> bool | None:
    """One step's gradient was 20 times the median of all before, and that epoch's loss half above the best before."""
    n, jump = _epochs(trial), trial["truth"]["steps"]
    losses, epoch = _losses(trial, "train")[:n], int(jump["epoch"])
    if not np.isfinite(losses[0]):
        return None  # there is no before
    if not np.isfinite(losses).all():
        return True if jump["ratio"] >= 20 else None
    if not 1 < epoch <= n or losses[epoch - 1] < 0.05:
        return False
    before = losses[: epoch - 1].min()
    return _all(_between(jump["ratio"], 5, 20), _between(losses[epoch - 1] / before, 1.2, 1.5))


def vanishing_gradients(trial: Trial) -> bool | None:
    """Over all the data the first layer has a thousandth of the gradient of the last, and half the loss is left."""
    ratios = [
        layers[0] / layers[-1]
        for layers in trial["truth"]["gradients"].values()
        if len(layers) > 2 and layers[-1] > 0 and np.isfinite(layers).all()
    ]
    if not ratios:
        return False
    return _all(
        _between(float(np.median(ratios[-2:])), 2.5e-3, 1e-3), _between(_end(trial, "train"), 0.45, 0.55)
    )


def dead_units(trial: Trial) -> bool | None:
    """At the end more than half of a layer's units pass no gradient for any of more than a thousand samples."""
    return _between(max(trial["truth"]["idle"]), 0.4, 0.55)


def class_collapse(trial: Trial) -> bool | None:
    """At the end one class is predicted for all but a hundredth of the held-out samples; it has no nine tenths."""
    if not trial["truth"]["largest_share"] or trial["class_share"] > 0.9:
        return False
    return _between(trial["truth"]["largest_share"][-1], 0.97, 0.99)


def learning_rate_too_large(trial: Trial) -> bool | None:
    """With a third or a tenth of the learning rate the training loss ends below half, and by a tenth of a guess's."""
    own, slower = _end(trial, "train"), min(_variant(trial, name, "train") for name in ("slow", "slower"))
    return _all(_between(slower / own, 0.75, 0.5), _between(own - slower, 0.05, 0.1))


def learning_rate_too_small(trial: Trial) -> bool | None:
    """With three or ten times the learning rate the training loss falls at least twice as far."""
    start = float(_losses(trial, "train")[0])
    own = max(start - _end(trial, "train"), 1e-6)
    faster = start - min(_variant(trial, name, "train") for name in ("fast", "faster"))
    return _all(_between(faster / own, 1.4, 2.0), _between(faster - own, 0.02, 0.05))


def at_chance(trial: Trial) -> bool | None:
    """Held-out samples are never predicted better than by a constant guess, though it train twice as long."""
    return _between(float(np.nanmin(_losses(trial, "held_out"))), 0.96, 0.985)


def underfitting(trial: Trial) -> bool | None:
    """The training part is fitted badly, twice the epochs do not mend it, and another network predicts better."""
    if learning_rate_too_large(trial) or learning_rate_too_small(trial) or dead_units(trial):
        return None  # what is wrong has another name
    own, later = _end(trial, "train"), float(np.median(_losses(trial, "train")[-3:]))
    held = float(_losses(trial, "held_out")[: _epochs(trial)].min())
    other = min(_variant(trial, name, "held_out") for name in ("reference", "free"))
    return _all(
        _between(own, 0.45, 0.52),
        _between(later / own, 0.85, 0.9),
        _between(other / held, 0.9, 0.8),
        _between(held, 0.985, 0.97),
    )


def overfitting(trial: Trial) -> bool | None:
    """Held-out samples are predicted truly worse than at the best epoch, or far worse than what was learned from."""
    n = _epochs(trial)
    held, end = _losses(trial, "held_out")[:n], _end(trial, "held_out")
    rise = (end - held.min()) / max(held.min(), 0.3)
    fell = _end(trial, "train") < _losses(trial, "train")[held.argmin()]
    worse = _between(rise, 0.05, 0.12) if fell else False
    gap = _between(end - _end(trial, "train"), 0.18, 0.28)
    return True if True in (worse, gap) else None if None in (worse, gap) else False


def regularization_too_strong(trial: Trial) -> bool | None:
    """The same trial without penalties and dropout predicts held-out samples with less than 0.7 times the loss."""
    if learning_rate_too_large(trial) or learning_rate_too_small(trial) or still_improving(trial):
        return None  # what is wrong has another name
    own = float(_losses(trial, "held_out")[: _epochs(trial)].min())
    return _between(_variant(trial, "free", "held_out") / own, 0.85, 0.7)


def plateau(trial: Trial) -> bool | None:
    """Over all training samples, both halves of a quarter of the epochs had the same mean loss, the end far less."""
    n, losses = _epochs(trial), _losses(trial, "train")[: _epochs(trial)]
    width = max(3, n // 8)
    found = []
    for start in range(1, n - 2 * width):
        one, other = losses[start : start + width], losses[start + width : start + 2 * width]
        noise = max(np.ptp(one), np.ptp(other))
        found.append((abs(one.mean() - other.mean()), other.mean() - losses[-3:].mean(), noise))
    if any(moved < 0.008 and left > 0.12 and noise < 0.05 for moved, left, noise in found):
        return True
    return None if any(moved < 0.015 and left > 0.08 for moved, left, _ in found) else False


def still_improving(trial: Trial) -> bool | None:
    """Training twice as long predicts held-out samples better by a tenth."""
    n, held = _epochs(trial), _losses(trial, "held_out")
    now, later = held[:n].min(), held.min()
    return _all(_between(later / now, 0.96, 0.9), _between(now - later, 0.01, 0.02))


def budget_wasted(trial: Trial) -> bool | None:
    """Held-out samples were predicted as well after half of the epochs, and twice as many gain nothing either."""
    n, held = _epochs(trial), _losses(trial, "held_out")
    half, end, later = held[: n // 2].min(), held[:n].min(), held.min()
    return _all(_between(end / half, 0.95, 0.985), _between(later / half, 0.93, 0.97))


LABELS: dict[str, Label] = {
    label.__name__: label
    for label in (
        diverged,
        exploding_gradients,
        vanishing_gradients,
        dead_units,
        class_collapse,
        learning_rate_too_large,
        learning_rate_too_small,
        at_chance,
        underfitting,
        overfitting,
        regularization_too_strong,
        plateau,
        still_improving,
        budget_wasted,
    )
}


def label(name: str, trial: Trial) -> bool | None:
    """A trial's label; of one that broke down only the two findings of that are asked."""
    breakdown = name in ("diverged", "exploding_gradients")
    if not breakdown and (diverged(trial) is not False or exploding_gradients(trial)):
        return None
    return LABELS[name](trial)
