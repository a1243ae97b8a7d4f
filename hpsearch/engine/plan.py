"""The plan of a network: which layers it is built of on which shapes, and where all its numbers are.

Members of a cohort share one plan. What may differ between them, such as dropout rates and initializers, is left
out of it and found in each member's own layers, at the same places.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np

from hpsearch.data.prepared import Part
from hpsearch.engine.arrays import padded
from hpsearch.engine.default_networks import Inputs
from hpsearch.engine.expansion import expand
from hpsearch.engine.layers import KINDS
from hpsearch.engine.layers.kind import Remembered, ShapeError, Trained, words_of
from hpsearch.engine.layers.ports import Shape
from hpsearch.engine.layout import Block, Layout
from hpsearch.spec.hyperparameters import Hyperparameters
from hpsearch.spec.layers import LayerSettings


def inputs_of(part: Part, tokens: int | None = None) -> Inputs:
    """What a part's inputs are; `tokens` is the number of different ids where they are tokens."""
    return Inputs(shape=part.x.shape[1:], tokens=tokens, ragged=part.lengths is not None)


COLUMNS: Final = {"rate": 0.0, "initializer": ""}
"""The settings that are no part of a plan, and what stands in their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One layer of a plan: what goes in and out, and its share of the flat buffers.

    `index` is the place of its settings among a member's layers, `site` that of the dropout on its output
    among all dropouts. `steps` numbers the array of the sequences' steps at its input, where they differ.
    """

    layer: LayerSettings
    index: int
    before: Shape
    behind: Shape
    blocks: tuple[Block, ...] = ()
    state: tuple[slice, ...] = ()
    site: int | None = None
    steps: int | None = None
    paths: tuple[tuple["Node", ...], ...] = ()

    def within(self) -> Iterator["Node"]:
        """The node and all on its paths."""
        yield self
        for path in self.paths:
            for node in path:
                yield from node.within()


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
        inputs = {"shape": self.inputs.shape, "tokens": self.inputs.tokens, "ragged": self.inputs.ragged}
        layers = [layer.to_json() for layer in self.layers]
        return {"inputs": inputs, "outputs": self.outputs, "layers": layers}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], dtype: np.dtype[Any]) -> "Plan":
        """The plan that `to_json` described.

        Raises:
            KeyError, TypeError, ValueError: it describes none.
        """
        given = stored["inputs"]
        inputs = Inputs(shape=tuple(given["shape"]), tokens=given["tokens"], ragged=given["ragged"])
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
    planner = _Planner(dtype, steps=0 if inputs.ragged else None)
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


class _Planner:
    """Goes from the inputs to the outputs and gives every layer its places."""

    def __init__(self, dtype: np.dtype[Any], steps: int | None) -> None:
        self._dtype, self._current = dtype, steps
        self._index = 0
        self.blocks: list[Block] = []
        self.size = self.sites = self._state = 0
        self.remembered: list[Remembered] = []
        self.steps: list[tuple[int, LayerSettings]] = []

    def path(self, layers: Sequence[LayerSettings], shape: Shape, *, within: bool = False) -> list[Node]:
        """The nodes of layers that follow each other. Behind the end of a network's inputs are zeros already."""
        nodes: list[Node] = []
        for layer in layers:
            if self._current is not None and layer.kind in _TRIMMED and (nodes or within):
                nodes.append(self._node(_TRIM, nodes[-1].behind if nodes else shape, index=-1))
            node = self._node(layer, nodes[-1].behind if nodes else shape)
            if _joins(node, nodes):
                nodes[-1] = replace(nodes[-1], site=node.site)
            else:
                nodes.append(node)
        return nodes

    def _node(self, layer: LayerSettings, before: Shape, *, index: int | None = None) -> Node:
        if index is None:
            index, self._index = self._index, self._index + 1
        if layer.kind == "residual":
            return self._residual(layer, before, index)
        try:
            return self._placed(layer, before, index)
        except ShapeError as error:
            error.index = index if error.index is None else error.index
            raise

    def _residual(self, layer: LayerSettings, before: Shape, index: int) -> Node:
        """A block's two ways; where shapes differ, the short one is a projection."""
        steps = self._current
        main = tuple(self.path(layer.layers, before, within=True))
        behind, after = main[-1].behind, self._current
        self._current = steps
        shortcut: tuple[Node, ...] = ()
        if behind != before:
            try:
                shortcut = (self._node(projection(before, behind), before, index=index),)
            except ShapeError as error:
                error.index = index
                raise
        self._current = after
        return Node(
            layer=layer, index=index, before=before, behind=behind, steps=steps, paths=(main, shortcut)
        )

    def _placed(self, layer: LayerSettings, before: Shape, index: int) -> Node:
        kind, steps = KINDS[layer.kind], self._current
        node = Node(
            layer=layer,
            index=index,
            before=before,
            behind=kind.shape(layer, before),
            blocks=tuple(self._block(trained) for trained in kind.arrays(layer, before)),
            state=tuple(self._keep(remembered) for remembered in kind.state(layer, before)),
            site=self._site() if layer.kind == "dropout" else None,
            steps=steps,
        )
        if steps is not None:
            self._follow(node)
        return node

    def _block(self, trained: Trained) -> Block:
        block = Block(self.size, trained)
        self.blocks.append(block)
        self.size += padded(block.biases.stop - block.start, self._dtype)
        return block

    def _keep(self, remembered: Remembered) -> slice:
        self.remembered.append(remembered)
        start, self._state = self._state, self._state + len(remembered.initial)
        return slice(start, self._state)

    def _site(self) -> int:
        self.sites += 1
        return self.sites - 1

    def _follow(self, node: Node) -> None:
        """Where sequences differ in length: what a layer makes of their steps."""
        if KINDS[node.layer.kind].steps is not None:
            self.steps.append((self._current or 0, node.layer))
            self._current = len(self.steps)
        elif len(node.behind) == 1:
            self._current = None


_TRIM: Final = LayerSettings("trim")
_TRIMMED: Final = (
    "convolution",
    "depthwise_convolution",
    "max_pool",
    "average_pool",
    "flatten",
    "reshape",
    "batch_normalization",
)
"""Layers that see what is behind a sequence's end."""


def projection(before: Shape, behind: Shape) -> LayerSettings:
    """What brings a block's input to the shape of its output.

    Raises:
        ShapeError: no convolution with a kernel of 1 and no dense layer does.
    """
    if len(before) == len(behind) == 1:
        return LayerSettings.of("dense", units=behind[0], initializer="")
    strides = tuple(-(-one // other) for one, other in zip(before[:-1], behind[:-1], strict=False))
    fitting = all(
        -(-one // stride) == other
        for one, stride, other in zip(before[:-1], strides, behind[:-1], strict=False)
    )
    if len(before) != len(behind) or not fitting:
        rule = (
            f"the block turns {words_of(before)} into {words_of(behind)}, to which its input cannot be added"
        )
        raise ShapeError(
            rule, "keep the number of axes, and shrink the others by whole strides (padding: same)"
        )
    settings = {"filters": behind[-1], "kernel": 1, "stride": strides, "padding": "same"}
    return LayerSettings.of("convolution", dilation=1, groups=1, initializer="", **settings)


def _joins(node: Node, nodes: Sequence[Node]) -> bool:
    """Whether a dropout is done along with the activation in front of it."""
    if node.layer.kind != "dropout" or node.layer["spatial"] or not nodes:
        return False
    return nodes[-1].layer.kind == "activation" and nodes[-1].site is None
