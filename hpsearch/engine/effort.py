"""How much there is to compute in one epoch of a cohort: what its time is estimated by, before it is trained."""

from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np

from hpsearch.engine.default_networks import Inputs
from hpsearch.engine.plan import plan_of
from hpsearch.engine.planner import Node
from hpsearch.spec.hyperparameters import Hyperparameters

_LOOKED_UP: Final = ("embedding", "column_embedding")
_RECURRENT: Final = ("simple_rnn", "lstm", "gru")
_PASSES: Final = 10
"""Passes over memory of an update of one weight, and of one value between two layers, about, in multiply-adds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Of one network: `calls` are operations on whole arrays that a step makes, whatever the batch holds.

    `sample` and `update` count multiply-adds: forward for one sample, and of one update of all weights.
    """

    calls: int
    sample: int
    update: int


def effort(h: Hyperparameters, inputs: Inputs, outputs: int) -> Effort:
    """Of a recipe's network on these inputs."""
    plan = plan_of(h, inputs, outputs, np.dtype(np.float32))
    layers = [node for node in plan.all_nodes() if not node.paths]
    return Effort(
        calls=sum(_steps(node) for node in layers),
        sample=sum(_products(node) + _PASSES * prod(node.behind) for node in layers),
        update=_PASSES * plan.layout.size,
    )


def _steps(node: Node) -> int:
    """A recurrent layer makes its calls at every step of the sequence."""
    return node.before[0] if node.layer.kind in _RECURRENT else 1


def _products(node: Node) -> int:
    """Each weight is used once at each place that the layer looks from; an embedding only looks up."""
    if node.layer.kind in _LOOKED_UP:
        return 0
    places = node.before[0] if node.layer.kind in _RECURRENT else prod(node.behind[:-1])
    return sum(prod(block.trained.weights) for block in node.blocks) * places
