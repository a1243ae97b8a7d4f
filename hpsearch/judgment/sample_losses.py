"""Losses of single rows."""

import numpy as np
from numpy.typing import NDArray

from hpsearch.engine import LOSSES, probabilities
from hpsearch.judgment.metrics import Outputs, Targets

Array = NDArray[np.float64]


def sample_losses(outputs: Outputs, y: Targets, *, loss: str, huber_delta: float = 1.0) -> Array:
    """The loss of each row, (N,), of one network's outputs (N, O)."""
    losses: Array = LOSSES[loss].samples(outputs[None], y, np.array([huber_delta]))[0]
    return losses


def wrong(outputs: Outputs, y: Targets, *, loss: str) -> Array:
    """1 for each row whose class is not predicted, else 0."""
    predicted = probabilities(outputs, loss).argmax(axis=1)
    misses: Array = (predicted != y).astype(np.float64)
    return misses
