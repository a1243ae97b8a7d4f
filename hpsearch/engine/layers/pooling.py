"""Pooling over images and sequences: the largest number or the mean under a window, of each channel by itself.

A window's rows are reduced first, long as they are, its columns afterwards. Of equal numbers the first counts as the
largest, column by column.
Numbers outside of the image, which padding `same` lets into windows, are neither the largest nor part of a mean.
"""

from typing import Final

import numpy as np

from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.layers.channels import Margins, channel_port, images, outside
from hpsearch.engine.layers.kind import Kind, Site, needs
from hpsearch.engine.layers.ports import Layer, Port, Shape
from hpsearch.engine.layers.unfold import Axis, Window, steps_of, window_of
from hpsearch.spec.layers import LayerSettings

DOWN: Final = 2
RIGHT: Final = 3

Pair = tuple[Array, Array]
"""Values and their gradient."""


class Largest:
    """y = max over taps t of x[.., s p + t, ..], along one axis of images (K, C, H, W, B).

    x and dx have their margins. Of each tap from the second on it is noted whether it beat all before.
    """

    def __init__(self, axis: Axis, along: int, before: Pair, behind: Pair) -> None:
        (x, self._dx), (y, self._dy) = before, behind
        dx, self._y = self._dx, y
        self._x, self._to = _taps(axis, along, x), _taps(axis, along, dx)
        self._better = [aligned(y.shape, y.dtype) for _ in self._x[1:]]
        self._flags = np.empty(y.shape, np.bool_)
        self._share = aligned(y.shape, y.dtype)
        self._apart = axis.stride >= axis.kernel
        left = aligned(y.shape, y.dtype)
        self._rests = [left for _ in self._better]
        if self._apart and self._rests:
            self._rests[-1] = self._to[0]
        self._covered = axis.stride == axis.kernel and axis.places * axis.stride == x.shape[along]

    def forward(self) -> None:
        """Compute y, and who is best."""
        best = self._x[0]
        for other, better in zip(self._x[1:], self._better, strict=True):
            np.greater(other, best, self._flags)
            np.copyto(better, self._flags)
            np.maximum(best, other, out=self._y)
            best = self._y
        if best is not self._y:
            np.copyto(self._y, best)

    def evaluate(self) -> None:
        """Compute y."""
        best = self._x[0]
        for other in self._x[1:]:
            np.maximum(best, other, out=self._y)
            best = self._y
        if best is not self._y:
            np.copyto(self._y, best)

    def backward(self) -> None:
        """Give dy to the last that beat all before it."""
        if not self._covered:
            self._dx.fill(0)
        left = self._dy
        for to, better, rest in zip(self._to[:0:-1], reversed(self._better), self._rests, strict=True):
            share = to if self._apart else self._share
            np.multiply(left, better, share)
            np.subtract(left, share, rest)
            left = rest
            self._add(to, share)
        self._add(self._to[0], left)

    def _add(self, to: Array, share: Array) -> None:
        if not self._apart:
            np.add(to, share, to)
        elif share is not to:
            np.copyto(to, share)


class Summed:
    """y = sum over taps t of x[.., s p + t, ..] times `scale`, along one axis of images (K, C, H, W, B)."""

    def __init__(self, axis: Axis, along: int, before: Pair, behind: Pair) -> None:
        (x, self._dx), (y, self._dy) = before, behind
        dx, self._y = self._dx, y
        self._x, self._to = _taps(axis, along, x), _taps(axis, along, dx)
        self._scale = _one_over(axis, along, y.dtype)
        self._share = aligned(y.shape, y.dtype)

    def forward(self) -> None:
        """Compute y."""
        np.multiply(self._x[0], self._scale, self._y)
        for other in self._x[1:]:
            np.multiply(other, self._scale, self._share)
            np.add(self._y, self._share, self._y)

    evaluate = forward

    def backward(self) -> None:
        """Give dy to all."""
        self._dx.fill(0)
        np.multiply(self._dy, self._scale, self._share)
        for to in self._to:
            np.add(to, self._share, to)


class Pooling:
    """(K, B, H, W, C) -> (K, B, H', W', C), or (K, B, T, C) -> (K, B, T', C); `reduction` is Largest or Summed."""

    def __init__(
        self,
        behind: Port,
        *,
        shape: tuple[int, ...],
        window: Window,
        reduction: type[Largest] | type[Summed],
    ) -> None:
        rows, batch = behind.values.inner.shape[:2]
        dtype = behind.values.inner.dtype
        pads = Margins(*window.down.zeros, *window.right.zeros)
        self._outside = -np.inf if reduction is Largest else 0.0
        self.port = channel_port(rows, batch, shape, dtype, pads)
        whole, slope = self.port.values.whole, self.port.gradient.whole
        self._pads = outside(whole, pads)
        middle = (*whole.shape[:2], window.down.places, whole.shape[3], batch)
        between = aligned(middle, dtype), aligned(middle, dtype)
        behind_images = images(behind.values.inner), images(behind.gradient.inner)
        self._steps = (
            reduction(window.down, DOWN, (whole, slope), between),
            reduction(window.right, RIGHT, between, behind_images),
        )

    def forward(self) -> None:
        """Reduce rows, then columns."""
        self._surround()
        for step in self._steps:
            step.forward()

    def evaluate(self) -> None:
        """The same, without what only `backward` needs."""
        self._surround()
        for step in self._steps:
            step.evaluate()

    def backward(self) -> None:
        """Give gradients back, within rows first."""
        for step in reversed(self._steps):
            step.backward()

    def _surround(self) -> None:
        for pad in self._pads:
            pad.fill(self._outside)


def _taps(axis: Axis, along: int, frame: Array) -> list[Array]:
    """What each tap meets, for all places."""
    before = (slice(None),) * along
    return [frame[*before, axis.under(tap)] for tap in axis.taps()]


def _one_over(axis: Axis, along: int, dtype: np.dtype) -> Array:
    """One over how many numbers of the image are under the window in each place."""
    first = np.arange(axis.places) * axis.stride - axis.zeros[0]
    count = np.minimum(first + axis.kernel, axis.size) - np.maximum(first, 0)
    if (count == axis.kernel).all():
        return np.array(1 / axis.kernel, dtype)
    scale = (1 / count).astype(dtype)
    return scale[:, None, None] if along == DOWN else scale[:, None]


def _shape(layer: LayerSettings, shape: Shape) -> Shape:
    needs((2, 3), layer, shape)
    return (*window_of(layer, shape).places[3 - len(shape) :], shape[-1])


def _build(site: Site) -> tuple[Port, Layer]:
    window = window_of(site.layer, site.before)
    reduction = Largest if site.layer.kind == "max_pool" else Summed
    layer = Pooling(site.behind, shape=site.before, window=window, reduction=reduction)
    return layer.port, layer


MAX_POOL: Final = Kind(shape=_shape, build=_build, steps=steps_of)
AVERAGE_POOL: Final = MAX_POOL
