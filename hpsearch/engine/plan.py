"""The plan of a network: which layers it is built of on which shapes, and where all its numbers are.

Members of a cohort share one plan. What may differ between them, such as dropout rates and initializers, is left
out of it and found in each member's own layers, at the same places.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np

from hpsearch.data.prepared import EmbeddedColumn, Part
from hpsearch.engine.default_networks import Inputs
from hpsearch.engine.expansion import expand
from hpsearch.engine.layers.kind import Remembered, ShapeError, words_of
from hpsearch.engine.layout import Layout
from hpsearch.engine.planner import Node, Planner
from hpsearch.spec.hyperparameters import Hyperparameters
from hpsearch.spec.layers import LayerSettings


def inputs_of(part: Part, tokens: int | None = None, embedded: tuple[EmbeddedColumn, ...] = ()) -> Inputs:
    """What a part's inputs are; `tokens` is the number of different ids where they are tokens."""
    return Inputs(shape=part.x.shape[1:], tokens=tokens, ragged=part.lengths is not None, embedded=embedded)


COLUMNS: Final = {"rate": 0.0, "initializer": ""}
"""The settings that are no part of a plan, and what stands in their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A network without its numbers."""

    inputs: Inputs
    outputs: int
    layers: tuple[LayerSettings, ...]
    nodes: tuple[Node, ...]
    layout: Layout
    remembered: tuple[Remembered, ...]
    sites: int
    """Places of dropout."""
    steps: tuple[tuple[int, LayerSettings], ...]
    """How the steps of sequences change: array n + 1 from an earlier one, by a layer. Array 0 is the input's."""

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs to plan the same network again."""
        inputs = asdict(self.inputs)
        layers = [layer.to_json() for layer in self.layers]
        return {"inputs": inputs, "outputs": self.outputs, "layers": layers}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], dtype: np.dtype[Any]) -> "Plan":
        """The plan that `to_json` described.

        Raises:
            KeyError, TypeError, ValueError: it describes none.
        """
        given = stored["inputs"]
        embedded = tuple(EmbeddedColumn(**column) for column in given.get("embedded", ()))
        inputs = Inputs(
            shape=tuple(given["shape"]), tokens=given["tokens"], ragged=given["ragged"], embedded=embedded
        )
        layers = tuple(map(LayerSettings.from_json, stored["layers"]))
        return _plan(layers, inputs, stored["outputs"], dtype)

    @property
    def state_size(self) -> int:
        """Numbers that are kept beside the parameters."""
        return sum(len(each.initial) for each in self.remembered)

    def all_nodes(self) -> Iterator[Node]:
        """All nodes, within blocks too."""
        for node in self.nodes:
            yield from node.within()

    @property
    def flat(self) -> bool:
        """Whether the first layer that computes is a dense one: it reads batches where they are gathered."""
        first = next(node for node in self.nodes if node.layer.kind != "flatten")
        return first.layer.kind == "dense"

    @property
    def is_chain(self) -> bool:
        """Whether this is a fully connected network, without any other layer."""
        kinds = [node.layer.kind for node in self.nodes]
        return self.flat and set(kinds) <= {"flatten", "dense", "activation", "dropout"}


def plan_of(h: Hyperparameters, inputs: Inputs, outputs: int, dtype: np.dtype[Any]) -> Plan:
    """The plan of a recipe's network on these inputs.

    Raises:
        ShapeError: a layer cannot be built on what comes in.
    """
    return _plan(tuple(map(bare, expand(h, inputs, outputs))), inputs, outputs, dtype)


def stored_plan(layers: Sequence[LayerSettings], inputs: Inputs, outputs: int, dtype: np.dtype[Any]) -> Plan:
    """The plan of layers that another plan had."""
    return _plan(tuple(layers), inputs, outputs, dtype)


def columns(h: Hyperparameters, inputs: Inputs, outputs: int) -> list[LayerSettings]:
    """A member's layers by the index that nodes of the plan have, with what is no part of the plan."""
    return [layer for each in expand(h, inputs, outputs) for layer in each.within()]


def bare(layer: LayerSettings) -> LayerSettings:
    """A layer without what is no part of a plan."""
    return replace(layer.having(**COLUMNS), layers=tuple(map(bare, layer.layers)))


@lru_cache(maxsize=1024)
def _plan(layers: tuple[LayerSettings, ...], inputs: Inputs, outputs: int, dtype: np.dtype[Any]) -> Plan:
    if inputs.tokens is not None and layers[0].kind != "embedding":
        error = ShapeError(f"{layers[0].kind} takes numbers, got tokens", "put embedding in front of it")
        error.index = 0
        raise error
    planner = Planner(dtype, steps=0 if inputs.ragged else None)
    nodes = planner.path(layers, inputs.shape)
    if nodes[-1].behind != (outputs,):
        raise ValueError(f"the layers give {words_of(nodes[-1].behind)} numbers, not {outputs}")
    return Plan(
        inputs=inputs,
        outputs=outputs,
        layers=layers,
        nodes=tuple(nodes),
        layout=Layout(tuple(planner.blocks), planner.size),
        remembered=tuple(planner.remembered),
        sites=planner.sites,
        steps=tuple(planner.steps),
    )
