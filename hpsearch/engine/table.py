"""A network as a table: its layers, what comes out of each, and how many numbers each learns."""

from dataclasses import dataclass

import numpy as np

from hpsearch.engine.default_networks import Inputs
from hpsearch.engine.expansion import OUTPUT, expanded, network_of
from hpsearch.engine.layers.kind import ShapeError
from hpsearch.engine.layers.ports import Shape
from hpsearch.engine.plan import Plan, plan_of
from hpsearch.spec.hyperparameters import Hyperparameters
from hpsearch.spec.layers import LayerSettings


@dataclass(frozen=True, slots=True)
class Row:
    """One layer as it is listed; the output layer is named `output`."""

    layer: LayerSettings
    shape: Shape
    parameters: int


class ListedLayerError(ValueError):
    """A listed layer, counted from 0, cannot be built: the rule, and what to do. None: the network as a whole."""

    def __init__(self, error: ShapeError, position: int | None) -> None:
        super().__init__(error.rule)
        self.rule, self.remedy, self.position = error.rule, error.remedy, position


def table(h: Hyperparameters, inputs: Inputs, outputs: int) -> list[Row]:
    """The rows of a recipe's network, from the inputs on.

    Raises:
        ListedLayerError: it cannot be built on these inputs.
    """
    plan = _checked(h, inputs, outputs)
    positions = _positions(h, inputs, outputs)
    listed = [*network_of(h, inputs), LayerSettings.of(OUTPUT, units=outputs)]
    shapes: list[Shape] = [inputs.shape] * len(listed)
    parameters = [0] * len(listed)
    last = 0
    for node in plan.nodes:
        if node.index >= 0:
            last = positions[node.index]
        shapes[last] = node.behind
        parameters[last] += sum(
            block.biases.stop - block.start for each in node.within() for block in each.blocks
        )
    for row in range(1, len(listed)):
        if listed[row].kind == "dropout":
            shapes[row] = shapes[row - 1]
    return [Row(*row) for row in zip(listed, shapes, parameters, strict=True)]


def check_network(h: Hyperparameters, inputs: Inputs, outputs: int) -> None:
    """See that a recipe's network can be built.

    Raises:
        ListedLayerError: it cannot be built on these inputs.
    """
    _checked(h, inputs, outputs)


def _checked(h: Hyperparameters, inputs: Inputs, outputs: int) -> Plan:
    try:
        return plan_of(h, inputs, outputs, np.dtype(np.float32))
    except ShapeError as error:
        position = None if error.index is None else _positions(h, inputs, outputs)[error.index]
        if position is not None and inputs.embedded:  # in front of the listed layers stands one more
            position -= 1
        raise ListedLayerError(error, position) from None


def _positions(h: Hyperparameters, inputs: Inputs, outputs: int) -> list[int]:
    """For each index of a plan, which listed layer it belongs to."""
    return [
        position
        for position, layers in enumerate(expanded(h, inputs, outputs))
        for layer in layers
        for _ in layer.within()
    ]
