"""What goes on inside networks, layer by layer, looked at now and then.

At one training step: each layer's gradient, and how far the step moves its weights. At the epoch's end: how far they
have come from where they began. In prediction: the units that let no gradient pass. Looking draws no random number,
changes no bit, and treats every network as if it were alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.layout import Block, Layout
from hpsearch.engine.plan import Plan
from hpsearch.engine.planner import Node

SATURATED: Final = 0.99
"""|tanh|, or |2 sigmoid - 1|, from which on a unit passes at most 2% of the gradient that it passes at best."""


MANY: Final = 4096
"""Numbers from which on it is faster to halve them first than to look for the largest in one call."""


def is_sampled(epoch: int) -> bool:
    """Whether networks are looked into in an epoch, from 1: 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, ...

    Early epochs, where learning is decided, are seen closely, and a thousand epochs take twenty looks.
    """
    whole = epoch // 3 if epoch % 3 == 0 else epoch
    return whole & (whole - 1) == 0


def sampled_epochs(count: int) -> list[int]:
    """The epochs among the first `count` in which networks are looked into."""
    return [epoch for epoch in range(1, count + 1) if is_sampled(epoch)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningLayer:
    """A layer with weights (gains and biases alone are none), and the activation that its outputs go through."""

    name: str
    blocks: tuple[Block, ...]
    activation: Node | None


def learning_layers(plan: Plan) -> tuple[LearningLayer, ...]:
    """From the inputs to the outputs; `2 convolution` is the second of them. Activations within blocks are not seen."""
    found: list[LearningLayer] = []
    top = {id(node) for node in plan.nodes}
    for node in plan.all_nodes():
        blocks = tuple(block for block in node.blocks if block.weights.stop > block.weights.start)
        if blocks:
            name = f"{len(found) + 1} {node.layer.kind}"
            found.append(LearningLayer(name=name, blocks=blocks, activation=None))
        elif found and node.layer.kind == "activation" and id(node) in top and found[-1].activation is None:
            last = found.pop()
            found.append(LearningLayer(name=last.name, blocks=last.blocks, activation=node))
    return tuple(found)


class StepProbe:
    """Looks at one training step of K networks: `before` when gradients are known, `after` when weights have moved.

    `seen`, at the end of its epoch, tells all, and how far the whole way has led.
    """

    def __init__(self, layers: Sequence[LearningLayer], parameters: Array, gradients: Array) -> None:
        self._layers, self._parameters, self._gradients = layers, parameters, gradients
        self._were = aligned(parameters.shape, parameters.dtype)
        self.gradient_norm = self.update_ratio = np.full((len(parameters), len(layers)), np.nan)

    def before(self) -> None:
        """Take the gradients' norms: of the data alone, without penalties, before clipping."""
        self.gradient_norm = self._norms(self._gradients)
        np.copyto(self._were, self._parameters)

    def after(self) -> None:
        """Take the norm of each layer's step against that of its weights."""
        self.update_ratio = self._since(self._were)

    def seen(self, initial: Array) -> dict[str, Array]:
        """By statistic, (K, L) each: what was seen at the step, and how far weights are now from their initial ones."""
        return {
            "gradient_norm": self.gradient_norm,
            "update_ratio": self.update_ratio,
            "distance": self._since(initial),
        }

    def _since(self, origin: Array) -> Array:
        """(K, P) earlier weights -> (K, L): each layer's distance from them, against the size that they had."""
        sizes = self._norms(origin)
        np.subtract(self._parameters, origin, self._were)
        distance: Array = self._norms(self._were) / np.where(sizes > 0, sizes, np.nan)
        return distance

    def _norms(self, numbers: Array) -> Array:
        """(K, P) -> (K, L)."""
        squares = np.empty((len(numbers), len(self._layers)))
        for column, layer in zip(squares.T, self._layers, strict=True):
            _squares(numbers, layer.blocks, column)
        return np.sqrt(squares, squares)


def weight_norm(parameters: Array, layout: Layout) -> Array:
    """(K, P) -> (K,): the norm of all weights, without biases."""
    squares = np.empty(len(parameters))
    _squares(parameters, layout.blocks, squares)
    return np.sqrt(squares, squares)


def _squares(numbers: Array, blocks: Sequence[Block], out: Array) -> None:
    """(K, P) -> (K,) float64: the sum of the squares of some blocks' weights."""
    out.fill(0)
    for block in blocks:
        part = numbers[:, block.weights]
        np.add(out, np.vecdot(part, part), out)


def idle_share(function: str, values: Array) -> Array:
    """The share of units that pass no gradient for any of the samples: (K, B, ..., units) outputs -> (K,).

    ReLU: zero for all (dead). Sigmoid and tanh: saturated for all. Other activations have no flat stretch: NaN. Places
    of an image and steps of a sequence count as samples.
    """
    if function == "relu":
        idle = _over_samples(np.maximum, values) <= 0
    elif function == "tanh":
        idle = _over_samples(np.minimum, np.abs(values)) > SATURATED
    elif function == "sigmoid":
        idle = _over_samples(np.minimum, np.abs(2 * values - 1)) > SATURATED
    else:
        return np.full(len(values), np.nan)
    share: Array = idle.sum(axis=1) / idle.shape[1]
    return share


def _over_samples(function: np.ufunc, values: Array) -> Array:
    """(K, B, ..., units) -> (K, units): the largest or the least over samples.

    One half against the other, in long runs of numbers, as long as there are many: three times as fast as along an axis
    before few units.
    """
    values = values.reshape(len(values), -1, values.shape[-1])
    while values.size > MANY and (half := values.shape[1] // 2):
        odd = values[:, 2 * half :]
        values = function(values[:, :half], values[:, half : 2 * half])
        if odd.shape[1]:
            values[:, :1] = function(values[:, :1], odd)
    found: Array = function.reduce(values, axis=1)
    return found
