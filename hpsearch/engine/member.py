"""One network of a cohort: what it is made of, whom it may stand beside, and how much memory it works on."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from hpsearch.engine.default_networks import Inputs
from hpsearch.engine.optimizers import RULES
from hpsearch.engine.plan import bare, plan_of
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


def working_set(hyperparameters: Hyperparameters, inputs: Inputs | int, outputs: int) -> int:
    """Bytes that one member's training step passes over again and again; K members need K times as many.

    Parameters, gradients, scratch and the optimizer's slots, and what stands between the layers for a batch:
    values, gradients, and for each activation its slope, its scratch and its mask. Of other inputs than a
    table's `inputs` is their number.
    """
    dtype = np.dtype(np.float32)
    if isinstance(inputs, int):
        inputs = Inputs(shape=(inputs,))
    plan = plan_of(hyperparameters, inputs, outputs, dtype)
    flat = plan.layout.size * (3 + RULES[hyperparameters.optimizer].slots)
    between = prod(inputs.shape)
    for node in plan.all_nodes():
        masked = node.site is not None and hyperparameters.dropout > 0
        passes = {"dense": 4, "activation": masked, "dropout": 0, "flatten": 0}.get(node.layer.kind, 4)
        between += prod(node.behind) * passes
    return (flat + hyperparameters.batch_size * between) * dtype.itemsize


def shape(h: Hyperparameters) -> tuple[object, ...]:
    """What members must agree in to learn together."""
    network = (h.hidden, h.activation) if h.layers is None else tuple(map(bare, h.layers))
    return (network, h.embedding, h.loss, h.batch_size)


def check_shapes(members: Sequence[Member]) -> None:
    """Raise ValueError unless there are members, and they agree in what decides the shape."""
    if not members:
        raise ValueError("a cohort needs at least one member")
    first = members[0].hyperparameters
    for name, mine in zip(_SHAPE, shape(first), strict=True):
        for member in members[1:]:
            other = dict(zip(_SHAPE, shape(member.hyperparameters), strict=True))[name]
            if other != mine:
                raise ValueError(f"members of a cohort must agree in {name}, got {mine} and {other}")


_SHAPE = ("network", "embedding", "loss", "batch_size")


def place(h: Hyperparameters) -> tuple[object, ...]:
    """Sort key that makes neighbours of rows with the same rule, and with the same penalties."""
    flags = (h.weight_decay > 0, h.l1 > 0, h.l2 > 0, h.clip_norm is not None, h.max_norm is not None)
    return (list(RULES).index(h.optimizer), *flags)
