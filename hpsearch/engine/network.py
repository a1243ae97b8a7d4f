"""K networks of one plan, on K rows of flat buffers: the way to the outputs, and back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.dropout import Mask
from hpsearch.engine.layers import KINDS
from hpsearch.engine.layers.dense import Dense
from hpsearch.engine.layers.kind import Presence, Site
from hpsearch.engine.layers.nonlinear import mask_width
from hpsearch.engine.layers.ports import Layer, Port, open_port
from hpsearch.engine.plan import Plan
from hpsearch.engine.planner import Node
from hpsearch.engine.probes import idle_share, learning_layers


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffers:
    """What networks work on: (K, P) parameters and gradients, (K, S) state, and the masks of their dropout."""

    parameters: Array
    gradients: Array
    state: Array
    masks: Sequence[Mask] | None = None


class Network:
    """K networks of one plan for batches of one size."""

    def __init__(self, plan: Plan, buffers: Buffers, *, batch: int) -> None:
        rows = len(buffers.parameters)
        steps = [np.zeros((rows, batch), np.int32) for _ in range(len(plan.steps) + plan.inputs.ragged)]
        end = open_port(rows, batch, (plan.outputs,), buffers.parameters)
        self.outputs, self.delta = end.values.inner, end.gradient.inner
        self._presence = Presence()
        builder = _Builder(buffers, steps, self._presence)
        front, layers = builder.path(plan.nodes, end, deepest=True)
        self.mask_widths = builder.mask_widths
        self._steps, self._longest = steps, plan.inputs.shape[0]
        self._changes = [
            (KINDS[layer.kind].steps, layer, steps[source], steps[number])
            for number, (source, layer) in enumerate(plan.steps, 1)
        ]
        first = next(number for number, node in enumerate(plan.nodes) if node.layer.kind != "flatten")
        self._reader = layers[first] if plan.flat else None
        self._inputs = front.values.inner
        learning = next(n for n, node in enumerate(plan.nodes) if any(each.blocks for each in node.within()))
        self._forward = [layer.forward for layer in layers]
        self._evaluate = [layer.evaluate for layer in layers]
        self._backward = [layer.backward for layer in reversed(layers[learning:])]
        position = {id(node): number for number, node in enumerate(plan.nodes)}
        self._watched = {
            position[id(node)]: (column, node.layer["function"], builder.outputs[node.index])
            for column, layer in enumerate(learning_layers(plan))
            if (node := layer.activation) is not None
        }

    def forward(self, inputs: Array, lengths: Array | None = None, there: Array | None = None) -> Array:
        """(K, B, ...) inputs -> (K, B, O): a buffer that the next call overwrites.

        Where the plan is flat, inputs are (K, B, D + 1), the last column one. `lengths`, (K, B) or (B,), are the
        steps of sequences that differ. `there`, (K, B): which places of the batch hold a sample; None: all.
        """
        self._read(inputs, lengths)
        self._presence.samples = None if there is None or there.all() else there
        for layer in self._forward:
            layer()
        return self.outputs

    def evaluate(self, inputs: Array, lengths: Array | None = None, *, idle: Array | None = None) -> Array:
        """The same in prediction: nothing is dropped, and nothing kept for going back.

        `idle`, (K, learning layers), is filled with the share of units that pass no gradient.
        """
        self._read(inputs, lengths)
        for number, layer in enumerate(self._evaluate):
            layer()
            if idle is not None and number in self._watched:
                column, function, values = self._watched[number]
                idle[:, column] = idle_share(function, values)
        return self.outputs

    def backward(self) -> None:
        """From d(loss)/d(outputs) in `delta`: the gradients of all parameters."""
        for layer in self._backward:
            layer()

    def _read(self, inputs: Array, lengths: Array | None) -> None:
        if isinstance(self._reader, Dense):
            self._reader.read(inputs)
        else:
            np.copyto(self._inputs, inputs)
        if self._steps:
            np.copyto(self._steps[0], self._longest if lengths is None else lengths)
            for change, layer, source, result in self._changes:
                if change is not None:
                    np.copyto(result, change(layer, source))


@dataclass(slots=True)
class _Builder:
    """Builds layers from the outputs to the inputs: each makes the port in front of it as it likes to read it."""

    buffers: Buffers
    steps: list[Array]
    presence: Presence
    mask_widths: dict[int, int] = field(default_factory=dict)
    outputs: dict[int, Array] = field(default_factory=dict)
    """Of each activation, by its node's index."""

    def path(self, nodes: Sequence[Node], behind: Port, *, deepest: bool) -> tuple[Port, list[Layer]]:
        """The port in front of nodes that follow each other, and their layers."""
        learns = [any(each.blocks for each in node.within()) for node in nodes]
        layers: list[Layer] = []
        for number in reversed(range(len(nodes))):
            behind, layer = self.build(nodes[number], behind, deepest=deepest and not any(learns[:number]))
            layers.append(layer)
        return behind, layers[::-1]

    def build(self, node: Node, behind: Port, *, deepest: bool) -> tuple[Port, Layer]:
        """One layer, and the port in front of it."""
        buffers, masks = self.buffers, self.buffers.masks
        site = Site(
            layer=node.layer,
            before=node.before,
            behind=behind,
            parameters=tuple(block.view(buffers.parameters) for block in node.blocks),
            gradients=tuple(block.view(buffers.gradients) for block in node.blocks),
            state=tuple(buffers.state[:, place] for place in node.state),
            lengths=None if node.steps is None else self.steps[node.steps],
            presence=self.presence,
            mask=None if masks is None or node.site is None else masks[node.site],
            deepest=deepest,
            paths=tuple(partial(self.path, path, deepest=deepest) for path in node.paths),
        )
        if node.layer.kind == "activation":
            self.outputs[node.index] = behind.values.inner
        if node.site is not None:
            self.mask_widths[node.site] = mask_width(site)
        return KINDS[node.layer.kind].build(site)


def mask_widths(plan: Plan) -> list[int]:
    """Random bytes for one sample at each place of dropout."""
    size = plan.layout.size
    row = aligned((1, size), np.dtype(np.float32))
    buffers = Buffers(parameters=row, gradients=row, state=np.zeros((1, plan.state_size), np.float32))
    widths = Network(plan, buffers, batch=1).mask_widths
    return [widths[site] for site in range(plan.sites)]
