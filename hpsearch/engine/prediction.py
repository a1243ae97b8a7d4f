"""What trained networks say of inputs: without dropout, in chunks, in memory that is kept."""

from collections.abc import Iterable
from math import prod
from typing import Any, Final

import numpy as np

from hpsearch.data.cache import forget, root, slices
from hpsearch.engine.activations import ACTIVATIONS, Work
from hpsearch.engine.arrays import Array, aligned, quiet
from hpsearch.engine.network import Buffers, Network
from hpsearch.engine.plan import Plan
from hpsearch.engine.probes import idle_share
from hpsearch.engine.weights import Weights

PREDICTED_AT_ONCE: Final = 240
"""Rows of inputs that pass through the layers together in prediction: bounds the memory, whatever the data's size.
With layers of 64 by 64, a few more would be too many for BLAS's small kernels."""

NUMBERS_AT_ONCE: Final = 1 << 18
"""Numbers between the layers of one network, other than a fully connected one, up to which rows are taken at once."""


class Predictor:
    """Predicts with K networks of one plan; it has the memory for that."""

    def __init__(self, plan: Plan, rows: int, dtype: np.dtype[Any]) -> None:
        self._plan, self._rows, self._dtype = plan, rows, dtype
        self._chain = _Chain(plan, rows, dtype) if plan.is_chain else None
        # Gradients are not computed: memory that nobody touches is never taken.
        self._buffers = Buffers(
            parameters=aligned((rows, plan.layout.size), dtype),
            gradients=aligned((rows, plan.layout.size), dtype),
            state=aligned((rows, plan.state_size), dtype),
        )
        self._networks: dict[int, Network] = {}
        self._frames: dict[int, Array] = {}

    def predict(
        self,
        parameters: Array,
        state: Array,
        x: Array,
        *,
        lengths: Array | None = None,
        out: Array,
        idle: Array | None = None,
    ) -> None:
        """(K, P) parameters and (N, ...) inputs -> (K, N, O), in chunks of rows.

        `idle`, (K, learning layers), is filled with the share of units that pass no gradient for any row of
        the first chunk.

        The chunks follow from N and the plan alone, so that a network's outputs have the same bits whatever K is.
        """
        if self._chain is not None:
            self._chain.predict(parameters, x.reshape(len(x), prod(x.shape[1:])), out, idle)
            return
        np.copyto(self._buffers.parameters, parameters)
        np.copyto(self._buffers.state, state)
        size = chunk(self._plan)
        for start in range(0, len(x), size):
            some = slice(start, start + size)
            network = self._network(len(x[some]))
            out[:, some] = network.evaluate(
                self._formed(x[some]),
                None if lengths is None else lengths[some],
                idle=idle if start == 0 else None,
            )

    def _network(self, batch: int) -> Network:
        if batch not in self._networks:
            self._networks[batch] = Network(self._plan, self._buffers, batch=batch)
        return self._networks[batch]

    def _formed(self, x: Array) -> Array:
        """Inputs as the network reads them: for a dense layer, (K, B, D + 1) with a last column of ones.

        That is a buffer for each B: a dense layer keeps what it has prepared for one that it has read.
        """
        if not self._plan.flat:
            return x
        if len(x) not in self._frames:
            shape = self._rows, len(x), prod(self._plan.inputs.shape) + 1
            self._frames[len(x)] = np.ones(shape, self._dtype)
        formed = self._frames[len(x)]
        formed[..., :-1] = x.reshape(len(x), prod(x.shape[1:]))
        return formed


def chunk(plan: Plan) -> int:
    """Rows of inputs that pass through a network of layers of all kinds together."""
    numbers = sum(prod(node.behind) for node in plan.all_nodes())
    return int(np.clip(NUMBERS_AT_ONCE // numbers, 1, PREDICTED_AT_ONCE))


class _Chain:
    """The fully connected network, whose layers take turns in so little memory that it stays in the caches."""

    def __init__(self, plan: Plan, rows: int, dtype: np.dtype[Any]) -> None:
        layers = [node for node in plan.nodes if node.layer.kind in ("dense", "activation")]
        self._blocks = [
            (node.blocks[0], after.layer["function"] if after and after.layer.kind == "activation" else None)
            for node, after in zip(layers, [*layers[1:], None], strict=True)
            if node.layer.kind == "dense"
        ]
        self._rows = rows
        widest = max((block.shape[1] for block, _ in self._blocks[:-1]), default=0)
        self._flat = [aligned((rows * PREDICTED_AT_ONCE * widest,), dtype) for _ in range(3)]
        self._flags = np.empty(self._flat[0].shape, np.bool_)

    def predict(self, parameters: Array, x: Array, out: Array, idle: Array | None = None) -> None:
        """(N, D) inputs -> (K, N, O)."""
        views = [(block.view(parameters), activation) for block, activation in self._blocks]
        last = views[-1][0]
        for start in range(0, len(x), PREDICTED_AT_ONCE):
            h = x[start : start + PREDICTED_AT_ONCE]
            for column, (view, activation) in enumerate(views[:-1]):
                z, value, work = self._frames(h.shape[-2], view.shape[2])
                np.matmul(h, view[:, :-1], z)
                np.add(z, view[:, -1:], z)
                h = z
                if activation is not None:
                    ACTIVATIONS[activation].value(z, value, work)
                    h = value
                    if idle is not None and start == 0:
                        idle[:, column] = idle_share(activation, h)
            part = out[:, start : start + PREDICTED_AT_ONCE]
            np.matmul(h, last[:, :-1], part)
            np.add(part, last[:, -1:], part)

    def _frames(self, count: int, width: int) -> tuple[Array, Array, Work]:
        """For one layer and `count` rows of inputs: z and its activation, (K, count, width) each, and their scratch."""
        shape = (self._rows, count, width)
        z, value, floats, flags = (flat[: prod(shape)].reshape(shape) for flat in (*self._flat, self._flags))
        return z, value, Work(floats, flags)


def forward(weights: Weights, x: Array, lengths: Array | None = None) -> Array:
    """The outputs of one trained network, (N, ...) -> (N, O), before softmax or sigmoid."""
    dtype, plan = weights.parameters.dtype, weights.plan
    out = np.empty((1, len(x), plan.outputs), dtype)
    predictor = Predictor(plan, 1, dtype)
    with quiet():
        for rows in _rows_at_once(x):
            predictor.predict(
                weights.parameters[None],
                weights.state[None],
                as_inputs(x[rows], plan, dtype),
                lengths=None if lengths is None else lengths[rows],
                out=out[:, rows],
            )
            forget(x)
    result: Array = out[0]
    return result


def _rows_at_once(x: Array) -> Iterable[slice]:
    """All rows; of inputs that lie in a file a few, so that not all of it becomes resident."""
    return [slice(0, len(x))] if root(x) is None else slices(len(x), x[:1].nbytes)


def as_inputs(x: Array, plan: Plan, dtype: np.dtype[Any]) -> Array:
    """Inputs in the type that the network reads: tokens are int32."""
    return np.ascontiguousarray(x, np.int32 if plan.inputs.tokens is not None else dtype)
