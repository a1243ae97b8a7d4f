"""What one epoch of networks was like."""

from collections.abc import Mapping
from dataclasses import dataclass

from hpsearch.engine.arrays import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochStatistics:
    """One epoch of every network, (K,) float64 each, in the order of the cohort's rows.

    `learning_rate` is that of the epoch's last step. `gradient_norm` is the mean over every fourth step of
    the epoch, from its first, of the L2 norm of the gradient with its penalties, before clipping.
    `weight_norm` is the L2 norm of all weights, without biases, at the epoch's end. `plateau_factor` is what
    the plateau schedule multiplied the learning rate by, 1 without one.

    `layers`, in epochs that `is_sampled` names, has (K, learning layers) by `gradient_norm` and `update_ratio`, of the
    epoch's first step: the norm of the data's gradient, and of the weights' movement against that of the weights; and
    by `distance`: how far the weights are from their initial ones at the epoch's end, against the size that those had.
    """

    learning_rate: Array
    gradient_norm: Array
    weight_norm: Array
    plateau_factor: Array
    layers: Mapping[str, Array] | None = None
