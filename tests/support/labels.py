"""What each trial of the labelled set deserves, by definitions that look at none of its curves.

A label is True, False, or None where the truth lies between: such a trial is left out of that finding's count, and the
number of them is told. All losses are in units of a constant guess's, over a thousand held-out samples or the whole
training part; `n` is the number of epochs trained, of 2n that are known. Other recipes are judged by the median over
three seeds, and against both this trial and the median over the same seeds of its own recipe: where the two comparisons
differ the label was luck, and is None.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tests.support.truth import over_seeds

SLOWER, FASTER = ("slow", "slower", "slowest"), ("fast", "faster", "fastest")

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


def _agreed(*labels: bool | None) -> bool | None:
    return labels[0] if len(set(labels)) == 1 else None


def _losses(trial: Trial, part: str) -> np.ndarray:
    return np.array(trial["truth"][part], dtype=float)


def _epochs(trial: Trial) -> int:
    return int(trial["recipe"]["epochs"])


def _end(trial: Trial, part: str) -> float:
    """The median over the last quarter of the epochs."""
    n = _epochs(trial)
    return max(float(np.median(_losses(trial, part)[n - max(3, n // 4) : n])), 1e-6)


def _held(trial: Trial) -> float:
    """The least held-out loss of the n epochs."""
    return float(_losses(trial, "held_out")[: _epochs(trial)].min())


def _variant(trial: Trial, name: str, part: str) -> float:
    """The loss of another recipe on the same task, the median over seeds; 9 where it diverged."""
    return max(float(np.median(over_seeds(trial["truth"]["variants"][name], part))), 1e-6)


def _broken(trial: Trial) -> bool:
    """Some number of the run is not finite, or its losses left all bounds: only divergence is asked of such a trial."""
    losses = np.concatenate([_losses(trial, part)[: _epochs(trial)] for part in ("train", "held_out")])
    return not np.isfinite(losses).all() or _end(trial, "train") > 10


def diverged(trial: Trial) -> bool | None:
    """Not finite within n epochs, or a training loss above ten times a constant guess's at the end."""
    return True if _broken(trial) else _between(_end(trial, "train"), 3, 10)


def exploding_gradients(trial: Trial) -> bool | None:
    """In an epoch the mean norm of all its steps was ten times what was usual, and the loss rose by half.

    Where it was less than in the first epoch, as of a network that has converged and leaves its minimum: borderline.
    """
    n = _epochs(trial)
    losses, norms = _losses(trial, "train")[:n], np.array(trial["truth"]["norms"], dtype=float)[:, 0]
    if not np.isfinite(losses[0]):
        return None  # there is no before
    found = []
    for epoch in range(1, n):
        if not np.isfinite(losses[epoch]):
            found.append(True if norms[epoch] > 10 * np.median(norms[:epoch]) else None)
            break
        before = losses[:epoch].min()
        found.append(
            _all(
                _between(norms[epoch] / max(np.median(norms[:epoch]), 1e-9), 3, 10),
                True if norms[epoch] >= norms[0] else None,
                _between(losses[epoch] / max(before, 1e-9), 1.2, 1.5),
                _between(losses[epoch] - before, 0.05, 0.15),
            )
        )
    return True if True in found else None if None in found else False


def vanishing_gradients(trial: Trial) -> bool | None:
    """Over all the data the first layer has a thousandth of the gradient of the last, and half the loss is left.

    Not where penalties or dropout keep the network from learning: that has another name.
    """
    vanished = _agreed(*(_between(ratio, 2.5e-3, 7e-4) for ratio in _first_against_last(trial)))
    deserved = _all(vanished, _between(_end(trial, "train"), 0.45, 0.55))
    return None if deserved and _held_back(trial) else deserved


def _first_against_last(trial: Trial) -> list[float]:
    """The first layer's gradient against the last one's, halfway and at the end; 1 of fewer than 3 layers.

    Not a number where the last layer has none itself, or an infinite one.
    """
    halfway_and_end = list(trial["truth"]["gradients"].values())[-2:]
    return [
        1.0
        if len(layers) < 3
        else layers[0] / layers[-1]
        if layers[-1] > 0 and np.isfinite(layers).all()
        else np.nan
        for layers in halfway_and_end
    ]


def _held_back(trial: Trial) -> bool:
    """Whether the same recipe without penalties and dropout has less than 0.7 times the training loss."""
    return _variant(trial, "free", "train") < 0.7 * _variant(trial, "itself", "train")


def dead_units(trial: Trial) -> bool | None:
    """At the end more than half of a layer's units pass no gradient for any of more than a thousand samples."""
    return _between(max(trial["truth"]["idle"]), 0.4, 0.55)


def class_collapse(trial: Trial) -> bool | None:
    """At the end one class is predicted for all but a hundredth of the held-out samples; it has no nine tenths."""
    if not trial["truth"]["largest_share"] or trial["class_share"] > 0.9:
        return False
    return _between(trial["truth"]["largest_share"][-1], 0.97, 0.99)


def learning_rate_too_large(trial: Trial) -> bool | None:
    """With a 3rd, 10th or 100th of the rate the training loss is a third less, and held-out samples predicted better.

    Every seed of that rate fits better than every seed of this one. Where no smaller rate helps a network that fits
    worse than a constant guess, something throws it about: borderline. Where a network without penalties and dropout
    does far better at this very rate, what is wrong has another name.
    """
    slower, held = (min(_variant(trial, name, part) for name in SLOWER) for part in ("train", "held_out"))
    deserved = _agreed(
        *(
            _all(
                _between(slower / own, 0.88 if own < 1.05 else np.inf, 0.65),
                _between(own - slower, 0.03, 0.08),
                _matters(held / own_held),
            )
            for own, own_held in _own(trial)
        )
    )
    return None if deserved and (_held_back(trial) or not _certain(trial, SLOWER)) else deserved


def learning_rate_too_small(trial: Trial) -> bool | None:
    """With 3, 10 or 100 times the rate the training loss falls twice as far, and held-out samples are predicted better.

    Every seed of that rate fits better than every seed of this one. On a plateau, where gradients vanish, and where a
    network without penalties and dropout does far better, what is wrong has another name.
    """
    start = max(1.0, float(_losses(trial, "train")[0]))
    faster, held = (min(_variant(trial, name, part) for name in FASTER) for part in ("train", "held_out"))
    deserved = _agreed(
        *(
            _all(
                _between((start - faster) / max(start - own, 1e-6), 1.3, 2.0),
                _between(own - faster, 0.05, 0.15),
                _matters(held / own_held),
            )
            for own, own_held in _own(trial)
        )
    )
    another = _held_back(trial) or plateau(trial) is not False or vanishing_gradients(trial) is not False
    return None if deserved and (another or not _certain(trial, FASTER)) else deserved


def _certain(trial: Trial, rates: Sequence[str]) -> bool:
    """Whether every seed of the best of other rates fits better than every seed of this one."""
    best = min(rates, key=lambda name: _variant(trial, name, "train"))
    ends = trial["truth"]["variants"]
    own = min(float(over_seeds(ends["itself"], "train").min()), _end(trial, "train"))
    return float(over_seeds(ends[best], "train").max()) < own


def _own(trial: Trial) -> list[tuple[float, float]]:
    """The training and the held-out loss of this trial, and those typical of its recipe."""
    return [
        (_end(trial, "train"), _held(trial)),
        (_variant(trial, "itself", "train"), _variant(trial, "itself", "held_out")),
    ]


def _matters(ratio: float) -> bool | None:
    """What fits the training part better and predicts no better is neither right nor wrong."""
    return True if ratio <= 0.95 else None


def at_chance(trial: Trial) -> bool | None:
    """Held-out samples are never predicted better than by a constant guess, though it train twice as long."""
    deserved = _between(float(np.nanmin(_losses(trial, "held_out"))), 0.96, 0.985)
    return (
        None
        if not deserved and _held(trial) > 0.96 and learning_rate_too_small(trial) is not False
        else deserved
    )


def underfitting(trial: Trial) -> bool | None:
    """The training part is fitted badly, twice the epochs do not mend it, and another network predicts better."""
    others = (learning_rate_too_large, learning_rate_too_small, dead_units, vanishing_gradients)
    own, later = _end(trial, "train"), float(np.median(_losses(trial, "train")[-3:]))
    held = _held(trial)
    other = min(trial["reference"]["held_out"], _variant(trial, "free", "held_out"))
    deserved = _all(
        _between(own, 0.45, 0.52),
        _between(later / own, 0.7, 0.9),
        _between(other / held, 0.9, 0.8),
        _between(held, 0.985, 0.97),
    )
    return None if deserved and any(other(trial) is not False for other in others) else deserved


def overfitting(trial: Trial) -> bool | None:
    """Held-out samples are predicted truly worse than at the best epoch, or learning opened a wide gap to them.

    By more than the loss changes from epoch to epoch, and by a network that fits its training part.
    """
    n = _epochs(trial)
    held, train, end = (
        _smooth(_losses(trial, "held_out")[:n]),
        _losses(trial, "train")[:n],
        _end(trial, "held_out"),
    )
    swing = float(np.median(np.abs(np.diff(_losses(trial, "held_out")[n // 2 : n]))))
    rise = (end - held.min() - swing) / max(held.min(), 0.3)
    fell = _end(trial, "train") < train[held.argmin()]
    worse = _between(rise, 0.05, 0.12) if fell and _end(trial, "train") < 0.95 else False
    opened = end - _end(trial, "train") - max(float(held[0] - train[0]), 0)
    gap = _between(opened, 0.18, 0.28)
    if worse and learning_rate_too_large(trial) is not False:
        worse = None  # what is wrong has another name
    return True if True in (worse, gap) else None if None in (worse, gap) else False


def regularization_too_strong(trial: Trial) -> bool | None:
    """Without penalties and dropout the same recipe predicts held-out samples with less than 0.7 times the loss.

    Every seed of it does better than every seed with them, and no other learning rate does as well.
    """
    free = over_seeds(trial["truth"]["variants"]["free"], "held_out")
    with_them = over_seeds(trial["truth"]["variants"]["itself"], "held_out")
    deserved = _agreed(
        *(
            _all(_between(np.median(free) / own, 0.87, 0.7), _between(own - np.median(free), 0.02, 0.05))
            for _, own in _own(trial)
        )
    )
    lucky = free.max() > min(with_them.min(), _held(trial))
    another_rate = min(_variant(trial, name, "held_out") for name in (*SLOWER, *FASTER)) < 1.2 * np.median(
        free
    )
    vanished = any(ratio < 1e-3 for ratio in _first_against_last(trial))
    another = another_rate or vanished or still_improving(trial)
    return None if deserved and (lucky or another) else deserved


def plateau(trial: Trial) -> bool | None:
    """For a quarter of the epochs the loss stood still, and fell far and fast on held-out samples after that."""
    n = _epochs(trial)
    train, held = (_smooth(_losses(trial, part)[:n]) for part in ("train", "held_out"))
    width, found = max(5, n // 4), [False]
    for start in range(1, n - width - 1):
        stretch, after = slice(start, start + width), slice(start + width, None)
        moved = float(max(np.ptp(train[stretch]), np.ptp(held[stretch])))
        left = float(held[stretch].min() - held[after].min())
        fastest = float(np.max(held[start:-3] - held[start + 3 :], initial=0.0))
        found.append(
            _all(_between(moved, 0.05, 0.02), _between(left, 0.08, 0.15), _between(fastest / 3, 0.01, 0.02))
        )
    return True if True in found else None if None in found else False


def oscillation(trial: Trial) -> bool | None:
    """In the second half both losses rise and fall in three of ten epochs each, by 0.08 and a fifth of their level.

    On average, over the whole training part and over the held-out samples.
    """
    return _agreed(*(_swings(_losses(trial, part)[: _epochs(trial)]) for part in ("train", "held_out")))


def _swings(losses: np.ndarray) -> bool | None:
    half = losses[len(losses) // 2 :]
    steps = np.diff(half)
    swing = float(np.abs(steps).mean())
    turns = min((steps > 0).mean(), (steps < 0).mean())
    return _all(
        _between(turns, 0.2, 0.3),
        _between(swing, 0.04, 0.08),
        _between(swing / max(float(np.median(half)), 1e-6), 0.1, 0.2),
    )


def still_improving(trial: Trial) -> bool | None:
    """Training twice as long predicts held-out samples better by an eighth, and the last quarter was better already.

    What breaks through long after the end, or is no better than a guess then, is borderline.
    """
    n, held = _epochs(trial), _smooth(_losses(trial, "held_out"))
    now, later, before = held[:n].min(), held.min(), held[: n - max(2, n // 4)].min()
    deserved = _all(_between(later / now, 0.96, 0.88), _between(now - later, 0.01, 0.02))
    return None if deserved and (now > 0.985 * before or later > 0.98) else deserved


def budget_wasted(trial: Trial) -> bool | None:
    """Held-out samples were predicted as well after half of the epochs; where many more break through: borderline."""
    n, held = _epochs(trial), _smooth(_losses(trial, "held_out"))
    half, end, later = held[: n // 2].min(), held[:n].min(), held.min()
    deserved = True if half - end < 0.005 else _between(end / half, 0.95, 0.985)
    return None if deserved and later / half < 0.95 and half - later > 0.01 else deserved


def _smooth(curve: np.ndarray) -> np.ndarray:
    """The median of each epoch and its neighbours: one lucky epoch counts for nothing."""
    padded = np.concatenate([curve[:1], curve, curve[-1:]])
    return np.median([padded[:-2], padded[1:-1], padded[2:]], axis=0)


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
        oscillation,
        still_improving,
        budget_wasted,
    )
}


def labels(trial: Trial) -> dict[str, bool | None]:
    """A trial's labels; of one that broke down, or nearly, only the two findings of that are asked."""
    broken = {label.__name__: label(trial) for label in (diverged, exploding_gradients)}
    sound = all(deserved is False for deserved in broken.values())
    return {
        name: broken[name] if name in broken else label(trial) if sound else None
        for name, label in LABELS.items()
    }
