"""The way that a network's weights have gone, read from how far they are from their initial ones.

Bouncing steps get far at once and nowhere later; small ones go straight on; noise alone spreads like a random walk
(Hoffer, Hubara and Soudry 2017). Distances are against the size of the initial weights, the mean over layers.
"""

import numpy as np

from hpsearch.engine import sampled_epochs
from hpsearch.judgment.reading import Array, Reading

STRAIGHT = 0.6
"""The pace from which on a way leads on: a random walk has a half."""


def distances(reading: Reading) -> Array:
    """(looks,) the distance at the end of each epoch that was looked into; empty where it is not known."""
    _, by_layer = reading.layers("distance")
    known = by_layer[:, np.isfinite(by_layer).all(axis=0)] if by_layer.size else by_layer
    return known.mean(axis=1) if known.size else np.empty(0)


def pace(reading: Reading) -> float:
    """The power of the epochs by which the distance grew at the last looks; NaN where it is not known.

    One: straight on, evenly. A half: a random walk. None: the weights stay where they are.
    """
    far = distances(reading)
    if len(far) < 3 or not (far[-3] > 0 and far[-1] > 0):
        return float("nan")
    epochs = sampled_epochs(reading.n)
    return float(np.log(far[-1] / far[-3]) / np.log(epochs[len(far) - 1] / epochs[len(far) - 3]))
