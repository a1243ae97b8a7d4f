"""One number a channel, from all its steps or pixels."""

from math import prod
from typing import Any, Final

import numpy as np

from hpsearch.engine.layers.kind import Kind, Site, needs, valid_steps
from hpsearch.engine.layers.ports import Layer, Port, Shape, open_port
from hpsearch.spec.layers import LayerSettings


class GlobalAveragePool:
    """The mean of each channel, (K, B, ..., C) -> (K, B, C); of a sequence, over the steps that it has."""

    def __init__(self, before: Port, site: Site) -> None:
        rows, batch, *places, channels = before.values.inner.shape
        flat = (rows, batch, prod(places), channels)
        self._x, self._dx = before.values.inner.reshape(flat), before.gradient.inner.reshape(flat)
        self._y, self._dy = site.behind.values.inner[:, :, None], site.behind.gradient.inner[:, :, None]
        self._lengths = site.lengths
        self._share = np.full((1, 1, 1, flat[2]), 1 / flat[2], self._x.dtype)

    def forward(self) -> None:
        """Average."""
        if self._lengths is not None:
            steps = valid_steps(self._lengths, self._x.shape[2])
            share = steps / np.maximum(self._lengths, 1)[..., None]
            self._share = share.astype(self._x.dtype)[:, :, None, :]
            np.copyto(self._x, self._x.dtype.type(0), where=~steps[..., None])
        np.copyto(self._y, np.matmul(self._share, self._x))

    def backward(self) -> None:
        """Spread the gradient."""
        np.multiply(np.swapaxes(self._share, 2, 3), self._dy, self._dx)

    evaluate = forward


class GlobalMaxPool:
    """The largest value of each channel, (K, B, ..., C) -> (K, B, C); of equal ones, the first has the gradient."""

    def __init__(self, before: Port, site: Site) -> None:
        rows, batch, *places, channels = before.values.inner.shape
        flat = (rows, batch, prod(places), channels)
        self._x, self._dx = before.values.inner.reshape(flat), before.gradient.inner.reshape(flat)
        self._y, self._dy = site.behind.values.inner, site.behind.gradient.inner
        self._lengths = site.lengths
        self._where = np.zeros((rows, batch, 1, channels), np.intp)

    def forward(self) -> None:
        """Find the largest."""
        self._hide()
        self._where = np.argmax(self._x, axis=2, keepdims=True)
        np.copyto(self._y, np.take_along_axis(self._x, self._where, axis=2)[:, :, 0])

    def backward(self) -> None:
        """Give the gradient to the largest."""
        self._dx.fill(0)
        np.put_along_axis(self._dx, self._where, self._dy[:, :, None], axis=2)

    def evaluate(self) -> None:
        """Find the largest."""
        self._hide()
        np.copyto(self._y, np.maximum.reduce(self._x, axis=2))

    def _hide(self) -> None:
        """Steps behind the end of a sequence are not looked at."""
        if self._lengths is not None:
            steps = valid_steps(self._lengths, self._x.shape[2])
            np.copyto(self._x, self._x.dtype.type(-np.inf), where=~steps[..., None])


def _shape(layer: LayerSettings, shape: Shape) -> Shape:
    needs((2, 3), layer, shape)
    return shape[-1:]


def _built(pool: Any) -> Any:
    def build(site: Site) -> tuple[Port, Layer]:
        before = open_port(site.rows, site.batch, site.before, site.behind.values.inner)
        return before, pool(before, site)

    return build


GLOBAL_AVERAGE_POOL: Final = Kind(shape=_shape, build=_built(GlobalAveragePool))
GLOBAL_MAX_POOL: Final = Kind(shape=_shape, build=_built(GlobalMaxPool))
