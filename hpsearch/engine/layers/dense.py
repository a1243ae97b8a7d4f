"""Fully connected layers."""

from typing import Final, TypeAlias

import numpy as np

from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.layers.kind import Kind, Site, Trained, needs
from hpsearch.engine.layers.ports import Layer, Port, Shape, dense_port
from hpsearch.engine.products import TURNED_WORTHWHILE, piece_width, pieces, turned_piece_width
from hpsearch.spec.layers import LayerSettings

TURN_LIMIT: Final = 96 * 96
"""Numbers in a weight matrix up to which it is faster to transpose it first than to let BLAS read it
transposed, unless that goes by its small kernels."""

_Products: TypeAlias = list[tuple[Array, Array, Array]]

REMEMBERED: Final = 256
"""Frames whose products stay prepared: batches come again in the same few buffers."""


class Dense:
    """z = [x, 1] W, (K, B, D) -> (K, B, H): W is (K, D + 1, H), its last row the bias.

    Where nobody needs the gradient in front, `deepest` leaves it out.
    """

    def __init__(
        self, before: Port, behind: Port, *, weight: Array, gradient: Array, deepest: bool = False
    ) -> None:
        self._weight, self._gradient, self._deepest = weight, gradient, deepest
        self._out, self._delta = behind.values.inner, behind.gradient.inner
        _, batch, width = before.values.whole.shape
        outputs = weight.shape[2]
        self._widths = piece_width(batch, width, outputs), piece_width(width, batch, outputs)
        self._turned: tuple[Array, Array] | None = None
        self._inward = [] if deepest else self._towards(before.gradient.inner)
        self._ones: Array | None = before.values.whole[..., -1]
        self._prepared: dict[int, tuple[Array, _Products, _Products]] = {}
        self._forward, self._backward = self._products(before.values.whole)

    def _towards(self, front: Array) -> _Products:
        """How dx = dz W' is computed, with W turned first where that is faster."""
        turned = self._weight[:, :-1].transpose(0, 2, 1)
        _, outputs, inputs = turned.shape
        width = turned_piece_width(front.shape[1], outputs, inputs)
        if inputs * outputs <= TURN_LIMIT and width < min(inputs, TURNED_WORTHWHILE):
            self._turned = aligned(turned.shape, turned.dtype), turned
            return [(self._delta, self._turned[0], front)]
        return pieces(self._delta, turned, front, width or inputs)

    def read(self, frame: Array) -> None:
        """Read from another (K, B, D + 1) frame from now on, whose last column is one and stays so."""
        self._ones = None
        prepared = self._prepared.get(id(frame))
        if prepared is None:
            prepared = frame, *self._products(frame)
            if len(self._prepared) < REMEMBERED:
                self._prepared[id(frame)] = prepared  # which keeps the frame, and so its id
        _, self._forward, self._backward = prepared

    def _products(self, frame: Array) -> tuple[_Products, _Products]:
        """The factors and results of [x, 1] W and [x, 1]' dz."""
        forward, backward = self._widths
        return (
            pieces(frame, self._weight, self._out, forward),
            pieces(frame.transpose(0, 2, 1), self._delta, self._gradient, backward),
        )

    def forward(self) -> None:
        """Compute z = [x, 1] W."""
        if self._ones is not None:
            self._ones.fill(1)
        for factors in self._forward:
            np.matmul(*factors)

    def backward(self) -> None:
        """Compute dW = [x, 1]' dz and dx = dz W'."""
        for factors in self._backward:
            np.matmul(*factors)
        if self._deepest:
            return
        if self._turned is not None:
            np.copyto(*self._turned)
        for factors in self._inward:
            np.matmul(*factors)

    evaluate = forward


def _shape(layer: LayerSettings, shape: Shape) -> Shape:
    needs(1, layer, shape)
    return (layer["units"],)


def _arrays(layer: LayerSettings, shape: Shape) -> tuple[Trained, ...]:
    inputs, units = shape[0], layer["units"]
    return (Trained(name="weight", weights=(inputs, units), fans=(inputs, units), bias=(0.0,) * units),)


def _build(site: Site) -> tuple[Port, Layer]:
    [weight], [gradient] = site.parameters, site.gradients
    before = dense_port(site.rows, site.batch, site.before[0], weight)
    return before, Dense(before, site.behind, weight=weight, gradient=gradient, deepest=site.deepest)


DENSE: Final = Kind(shape=_shape, arrays=_arrays, build=_build)
