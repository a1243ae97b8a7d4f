"""From layers to the nodes of a plan: every layer on the shape that comes to it, with its share of the flat buffers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from hpsearch.engine.arrays import padded
from hpsearch.engine.layers import KINDS
from hpsearch.engine.layers.kind import Remembered, ShapeError, Trained, words_of
from hpsearch.engine.layers.ports import Shape
from hpsearch.engine.layout import Block
from hpsearch.spec.layers import LayerSettings


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


class Planner:
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
    stride = strides if strides[1:] else strides[0]  # as a study file has it: one number along a sequence
    settings = {"filters": behind[-1], "kernel": 1, "stride": stride, "padding": "same"}
    return LayerSettings.of("convolution", dilation=1, groups=1, initializer="", **settings)


def _joins(node: Node, nodes: Sequence[Node]) -> bool:
    """Whether a dropout is done along with the activation in front of it."""
    if node.layer.kind != "dropout" or node.layer["spatial"] or not nodes:
        return False
    return nodes[-1].layer.kind == "activation" and nodes[-1].site is None
