"""A network: its parameters' places in a flat buffer, its weights as values, its way to the outputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any, Final, Self

import numpy as np

from hpsearch.engine.activations import ACTIVATIONS, Work
from hpsearch.engine.arrays import Array, aligned, padded, quiet
from hpsearch.engine.dropout import Mask
from hpsearch.engine.layers import Dense, Layer, dense_port, nonlinear, open_port

PREDICTED_AT_ONCE: Final = 240
"""Rows of inputs that pass through the layers together in prediction: bounds the memory, whatever the data's size.
With layers of 64 by 64, a few more would be too many for BLAS's small kernels."""


@dataclass(frozen=True, slots=True)
class Block:
    """One dense layer's place in a flat buffer: (D + 1, H) numbers from `start`, the bias in the last row."""

    start: int
    inputs: int
    outputs: int

    @property
    def weights(self) -> slice:
        """The weights without the bias, in the flat buffer."""
        return slice(self.start, self.start + self.inputs * self.outputs)

    @property
    def biases(self) -> slice:
        """The biases, in the flat buffer."""
        return slice(self.weights.stop, self.weights.stop + self.outputs)

    def view(self, flat: Array) -> Array:
        """(..., P) -> (..., D + 1, H), in the same memory."""
        stop = self.start + (self.inputs + 1) * self.outputs
        return flat[..., self.start : stop].reshape(*flat.shape[:-1], self.inputs + 1, self.outputs)


@dataclass(frozen=True, slots=True)
class Layout:
    """The blocks of a fully connected network; each starts on a cache line, and so does each row of P."""

    blocks: tuple[Block, ...]
    size: int

    @classmethod
    def of(cls, widths: Sequence[int], dtype: np.dtype[Any]) -> Self:
        """For widths from the inputs over the hidden layers to the outputs."""
        blocks, start = [], 0
        for inputs, outputs in pairwise(widths):
            blocks.append(Block(start, inputs, outputs))
            start += padded((inputs + 1) * outputs, dtype)
        return cls(tuple(blocks), start)


@dataclass(frozen=True, slots=True)
class Weights:
    """The parameters of one trained network: a (D, H) weight and an (H,) bias for every layer."""

    layers: tuple[tuple[Array, Array], ...]

    @property
    def count(self) -> int:
        """How many numbers were trained."""
        return sum(weight.size + bias.size for weight, bias in self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """From the inputs over the hidden layers to the outputs."""
        return (self.layers[0][0].shape[0], *(weight.shape[1] for weight, _ in self.layers))

    @classmethod
    def from_flat(cls, flat: Array, layout: Layout) -> Self:
        """Copies out of one row of a flat buffer, (P,)."""
        views = [block.view(flat) for block in layout.blocks]
        return cls(tuple((view[:-1].copy(), view[-1].copy()) for view in views))

    def to_flat(self, layout: Layout) -> Array:
        """(P,), zero between the blocks."""
        flat = np.zeros(layout.size, self.layers[0][0].dtype)
        for block, (weight, bias) in zip(layout.blocks, self.layers, strict=True):
            block.view(flat)[:-1] = weight
            block.view(flat)[-1] = bias
        return flat


class Network:
    """K networks of one shape, on K rows of flat parameter and gradient buffers, for batches of one size."""

    def __init__(
        self,
        layout: Layout,
        parameters: Array,
        gradients: Array,
        *,
        batch: int,
        activation: str,
        masks: Sequence[Mask] | None = None,
    ) -> None:
        rows = len(parameters)
        port = open_port(rows, batch, layout.blocks[-1].outputs, parameters)
        self.outputs, self.delta = port.values.inner, port.gradient.inner
        layers: list[Layer] = []
        for depth, block in reversed(list(enumerate(layout.blocks))):
            before = dense_port(rows, batch, block.inputs, parameters)
            weight, gradient = block.view(parameters), block.view(gradients)
            self._first = Dense(before, port, weight=weight, gradient=gradient, deepest=depth == 0)
            layers.append(self._first)
            if depth > 0:
                mask = None if masks is None else masks[depth - 1]
                port, layer = nonlinear(before, activation=ACTIVATIONS[activation], mask=mask)
                layers.append(layer)
        self._layers = tuple(reversed(layers))

    def forward(self, inputs: Array) -> Array:
        """(K, B, D + 1) inputs, the last column one, -> (K, B, O): a buffer that the next call overwrites."""
        self._first.read(inputs)
        for layer in self._layers:
            layer.forward()
        return self.outputs

    def backward(self) -> None:
        """From d(loss)/d(outputs) in `delta`: the gradients of all parameters."""
        for layer in reversed(self._layers):
            layer.backward()


class Scratch:
    """Memory for the prediction of K networks, for at most `PREDICTED_AT_ONCE` rows of inputs at once.

    All layers take turns in it: it stays small enough for the caches.
    """

    def __init__(self, layout: Layout, rows: int, dtype: np.dtype[Any]) -> None:
        widest = max((block.outputs for block in layout.blocks[:-1]), default=0)
        self._rows = rows
        self._flat = [aligned((rows * PREDICTED_AT_ONCE * widest,), dtype) for _ in range(3)]
        self._flags = np.empty(self._flat[0].shape, np.bool_)

    def frames(self, count: int, width: int) -> tuple[Array, Array, Work]:
        """For one layer and `count` rows of inputs: z and its activation, (K, count, width) each, and their scratch."""
        shape = (self._rows, count, width)
        z, value, floats, flags = (flat[: prod(shape)].reshape(shape) for flat in (*self._flat, self._flags))
        return z, value, Work(floats, flags)


def predict(
    layout: Layout, parameters: Array, x: Array, *, activation: str, scratch: Scratch, out: Array
) -> None:
    """(K, P) parameters and (N, D) inputs -> (K, N, O): without dropout, in chunks of rows.

    The chunks follow from N alone, so that a network's outputs have the same bits whatever K is.
    """
    views = [block.view(parameters) for block in layout.blocks]
    for start in range(0, len(x), PREDICTED_AT_ONCE):
        h = x[start : start + PREDICTED_AT_ONCE]
        for view in views[:-1]:
            z, value, work = scratch.frames(h.shape[-2], view.shape[2])
            np.matmul(h, view[:, :-1], z)
            np.add(z, view[:, -1:], z)
            ACTIVATIONS[activation].value(z, value, work)
            h = value
        part = out[:, start : start + PREDICTED_AT_ONCE]
        np.matmul(h, views[-1][:, :-1], part)
        np.add(part, views[-1][:, -1:], part)


def forward(weights: Weights, x: Array, activation: str) -> Array:
    """The outputs of one trained network, (N, D) -> (N, O), before softmax or sigmoid."""
    dtype = weights.layers[0][0].dtype
    layout = Layout.of(weights.widths, dtype)
    out = np.empty((1, len(x), weights.widths[-1]), dtype)
    with quiet():
        predict(
            layout,
            weights.to_flat(layout)[None],
            np.ascontiguousarray(x, dtype),
            activation=activation,
            scratch=Scratch(layout, 1, dtype),
            out=out,
        )
    result: Array = out[0]
    return result
