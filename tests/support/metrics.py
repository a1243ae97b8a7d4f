"""Metrics that tests judge by."""

import numpy as np


def hits(targets, predictions):
    """The share of labels that are right."""
    assert targets.dtype == predictions.dtype
    return np.mean(targets == predictions)


def sureness(targets, predictions):
    """The mean probability of the predicted class."""
    assert predictions.shape == (len(targets), 3)
    return predictions.max(axis=1).mean()


def furthest(targets, predictions):
    """The largest error, in the target's own unit."""
    assert targets.shape == predictions.shape == (len(targets),)
    return np.abs(targets - predictions).max()


def broken(targets, predictions):
    raise RuntimeError("no idea")
