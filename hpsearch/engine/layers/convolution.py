"""Convolutions over images and sequences, with groups: unfold what stands under the window, then one product.

z[o, p] = sum over taps t and channels c of W[t c, o] x[c, p + t] + b[o] (LeCun et al. 1998). The bias is the last row
of W, and what is unfolded has a last row of ones (Chellapilla et al. 2006). Backwards the same matrix gives the
gradient of the weights, and the transposed product, added up where it came from, that of the inputs.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.layers.channels import channel_port, images, lies_in, outside
from hpsearch.engine.layers.kind import Kind, ShapeError, Site, Trained, needs
from hpsearch.engine.layers.piece import Piece
from hpsearch.engine.layers.ports import Frame, Layer, Port, Shape
from hpsearch.engine.layers.unfold import Window, steps_of, window_of
from hpsearch.spec.layers import LayerSettings

UNFOLDED: Final = 1 << 21
"""Bytes of the matrix that is unfolded at once, unless one line takes more."""

KEPT: Final = 1 << 22
"""Bytes of unfolded matrices up to which they are kept for the way back; else they are unfolded again there."""


class Convolution:
    """z = W' unfold(x), (K, B, H, W, C) -> (K, B, H', W', O), and the same for sequences (K, B, T, C).

    The weights are (K, D + 1, O): D is the taps by the channels of a group, in the order (row, column, channel); O is
    the outputs of all groups, one group after the other. `port` is the one in front.
    """

    def __init__(
        self,
        behind: Port,
        *,
        shape: tuple[int, ...],
        window: Window,
        groups: int,
        weight: Array,
        gradient: Array,
        deepest: bool,
    ) -> None:
        rows, height, outputs = weight.shape
        batch, dtype = behind.values.inner.shape[1], weight.dtype
        grouped = (rows, height, groups, outputs // groups)
        self._window, self._deepest = window, deepest
        self._weight = weight.reshape(grouped).transpose(0, 2, 3, 1)
        self._turned = aligned(self._weight.shape, dtype)
        self._gradient = gradient.reshape(grouped).swapaxes(1, 2)
        self.port = channel_port(rows, batch, shape, dtype, window.margins)
        direct = lies_in(behind.values, window.grid) and lies_in(behind.gradient, window.grid)
        self._own = behind if direct else channel_port(rows, batch, (*window.grid, outputs), dtype)
        self._hand_on = [] if direct else [_exchange(self._own.values, behind.values, window.places)]
        self._take_back = (
            [] if direct else [_exchange(self._own.gradient, behind.gradient, window.places)[::-1]]
        )
        self._gaps = outside(self.port.values.whole, window.margins)
        self._vain = outside(behind.gradient.whole, window.vain) if direct else []
        self._pieces = tuple(self._cut())

    def forward(self) -> None:
        """Compute z."""
        for gap in self._gaps:
            gap.fill(0)
        np.copyto(self._turned, self._weight)
        for piece in self._pieces:
            piece.unfold()
            piece.forward()
        for behind, own in self._hand_on:
            np.copyto(behind, own)

    evaluate = forward

    def backward(self) -> None:
        """Compute dW, and dx unless nobody needs it."""
        for own, behind in self._take_back:
            np.copyto(own, behind)
        for vain in self._vain:
            vain.fill(0)
        if not self._deepest:
            self.port.gradient.whole.fill(0)
        for piece in self._pieces:
            if not self._kept:
                piece.unfold()
            piece.learn()
            if not self._deepest:
                piece.fold()

    def _cut(self) -> Iterator[Piece]:
        """All lines of all networks in pieces; how a network's lines are cut follows from the shapes alone."""
        rows, groups, outputs, height = self._weight.shape
        whole, dtype = self.port.values.whole, self._weight.dtype
        count, width = self._window.grid
        places = width * whole.shape[-1]
        line = groups * height * places * dtype.itemsize
        at_once = min(count, max(1, UNFOLDED // line))
        together = min(rows, max(1, UNFOLDED // (count * line)))
        self._kept = rows * count * line <= KEPT
        shape = (rows, groups, whole.shape[1] // groups, *whole.shape[2:])
        x, dx = (frame.whole.reshape(shape) for frame in (self.port.values, self.port.gradient))
        z, dz = (
            frame.whole.reshape(rows, groups, outputs, count * places)
            for frame in (self._own.values, self._own.gradient)
        )
        matrices = self._matrices(together, at_once * places)
        folded = aligned((together, groups, height - 1, at_once * places), dtype)
        partial = aligned((together, groups, height, outputs), dtype)
        for row in range(0, rows, together):
            for first in range(0, count, at_once):
                some, lines = slice(row, min(row + together, rows)), slice(first, min(first + at_once, count))
                here = slice(lines.start * places, lines.stop * places)
                k, p = some.stop - some.start, here.stop - here.start
                matrix = next(matrices)[:k, ..., :p]
                folds = folded[:k, ..., :p]
                yield Piece(
                    matrix=matrix,
                    copies=self._pairs(matrix[:, :, :-1], x[some], lines),
                    blanks=() if self._kept else self._blanks(matrix[:, :, :-1], x[some], lines),
                    weight=self._turned[some],
                    outputs=z[some, ..., here],
                    delta=dz[some, ..., here],
                    gradient=self._gradient[some],
                    partial=partial[:k] if first else None,
                    folded=folds,
                    sums=() if self._deepest else self._pairs(folds, dx[some], lines),
                )

    def _pairs(self, matrix: Array, frame: Array, lines: slice) -> tuple[tuple[Array, Array], ...]:
        """For each tap: its part of a matrix (k, G, D, p), and what it meets in the frame, in the same shape."""
        met = list(self._window.met(frame, lines))
        parts = np.split(matrix, len(met), axis=2)
        return tuple(
            (part[..., places].reshape(numbers.shape, copy=False), numbers)
            for part, (places, numbers) in zip(parts, met, strict=True)
        )

    def _blanks(self, matrix: Array, frame: Array, lines: slice) -> tuple[Array, ...]:
        """The parts of the matrix that `_pairs` leaves out."""
        met = list(self._window.met(frame, lines))
        parts = np.split(matrix, len(met), axis=2)
        left_out = [
            (part[..., : places.start], part[..., places.stop :])
            for part, (places, _) in zip(parts, met, strict=True)
        ]
        return tuple(blank for pair in left_out for blank in pair if blank.size)

    def _matrices(self, together: int, places: int) -> Iterator[Array]:
        """Matrices whose last row is one: always a new one, or the same again where they are not kept."""
        shape = (together, self._weight.shape[1], self._weight.shape[3], places)
        while True:
            matrix = aligned(shape, self._weight.dtype)
            matrix[:, :, -1] = 1
            yield matrix
            while not self._kept:
                yield matrix


def _exchange(own: Frame, behind: Frame, size: tuple[int, int]) -> tuple[Array, Array]:
    """The images behind, and the places of the own frame that are theirs."""
    height, width = size
    return images(behind.inner), own.whole[:, :, :height, :width]


def _groups(layer: LayerSettings, shape: Shape) -> int:
    channels = shape[-1]
    if layer.kind == "depthwise_convolution":
        return channels
    groups: int = layer.get("groups", 1)
    for name, count in (("channels that come in", channels), ("filters", layer["filters"])):
        if count % groups:
            rule = f"{groups} groups need a multiple of {groups} {name}, got {count}"
            raise ShapeError(rule, "change groups, or filters of this layer or of the one in front")
    return groups


def _filters(layer: LayerSettings, shape: Shape) -> int:
    depthwise = layer.kind == "depthwise_convolution"
    return shape[-1] if depthwise else int(layer["filters"])


def _shape(layer: LayerSettings, shape: Shape) -> Shape:
    needs((2, 3), layer, shape)
    _groups(layer, shape)
    return (*window_of(layer, shape).places[3 - len(shape) :], _filters(layer, shape))


def _arrays(layer: LayerSettings, shape: Shape) -> tuple[Trained, ...]:
    groups, filters, taps = _groups(layer, shape), _filters(layer, shape), window_of(layer, shape).taps
    inputs = taps * shape[-1] // groups
    fans = inputs, taps * filters // groups
    return (Trained(name="weight", weights=(inputs, filters), fans=fans, bias=(0.0,) * filters),)


def _build(site: Site) -> tuple[Port, Layer]:
    [weight], [gradient] = site.parameters, site.gradients
    layer = Convolution(
        site.behind,
        shape=site.before,
        window=window_of(site.layer, site.before),
        groups=_groups(site.layer, site.before),
        weight=weight,
        gradient=gradient,
        deepest=site.deepest,
    )
    return layer.port, layer


CONVOLUTION: Final = Kind(shape=_shape, arrays=_arrays, build=_build, steps=steps_of)
DEPTHWISE_CONVOLUTION: Final = CONVOLUTION
