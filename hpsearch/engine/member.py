"""One network of a cohort: what it is made of, whom it may stand beside, and how much memory it works on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hpsearch.engine.network import Layout
from hpsearch.engine.optimizers import RULES
from hpsearch.randomness import Address
from hpsearch.spec.hyperparameters import Hyperparameters


@dataclass(frozen=True, slots=True)
class Member:
    """One network to train: its recipe, and where its randomness lives.

    `plateau_factors`, one an epoch, stand for what a plateau schedule observed in another run, so that a
    network can be trained again on data whose loss nobody watches.
    """

    hyperparameters: Hyperparameters
    address: Address
    plateau_factors: tuple[float, ...] | None = None


def working_set(hyperparameters: Hyperparameters, inputs: int, outputs: int) -> int:
    """Bytes that one member's training step passes over again and again; K members need K times as many.

    Parameters, gradients, scratch and the optimizer's slots, and the activations, slopes, masks and deltas
    of a batch.
    """
    dtype = np.dtype(np.float32)
    size = Layout.of((inputs, *hyperparameters.hidden, outputs), dtype).size
    flat = size * (3 + RULES[hyperparameters.optimizer].slots)
    dropped = hyperparameters.dropout > 0
    activations = sum(hyperparameters.hidden) * (4 + dropped) + inputs + 4 * outputs
    return (flat + hyperparameters.batch_size * activations) * dtype.itemsize


def check_shapes(members: Sequence[Member]) -> None:
    """Raise ValueError unless there are members, and they agree in what decides the shape."""
    if not members:
        raise ValueError("a cohort needs at least one member")
    for name in ("hidden", "activation", "loss", "batch_size"):
        values = {getattr(member.hyperparameters, name) for member in members}
        if len(values) > 1:
            raise ValueError(f"members of a cohort must agree in {name}, got {sorted(values, key=str)}")


def place(h: Hyperparameters) -> tuple[object, ...]:
    """Sort key that makes neighbours of rows with the same rule, and with the same penalties."""
    flags = (h.weight_decay > 0, h.l1 > 0, h.l2 > 0, h.clip_norm is not None, h.max_norm is not None)
    return (list(RULES).index(h.optimizer), *flags)
