"""The same numbers in another shape."""

from math import prod
from typing import Final

import numpy as np

from hpsearch.engine.layers.kind import Kind, ShapeError, Site, words_of
from hpsearch.engine.layers.nonlinear import Nothing
from hpsearch.engine.layers.ports import Layer, Port, Shape, open_port
from hpsearch.spec.layers import LayerSettings


class Reshape:
    """Copies numbers between frames of different shapes, where one memory cannot serve both."""

    def __init__(self, before: Port, behind: Port) -> None:
        shape = behind.values.inner.shape[2:]
        self._values = behind.values.inner, before.values.seen_as(shape).inner
        self._gradient = before.gradient.seen_as(shape).inner, behind.gradient.inner

    def forward(self) -> None:
        """Copy the values."""
        np.copyto(*self._values)

    def backward(self) -> None:
        """Copy the gradient."""
        np.copyto(*self._gradient)

    evaluate = forward


def _build(site: Site) -> tuple[Port, Layer]:
    try:
        return site.behind.seen_as(site.before), Nothing()
    except ValueError:
        before = open_port(site.rows, site.batch, site.before, site.behind.values.inner)
        return before, Reshape(before, site.behind)


def _flat(_layer: LayerSettings, shape: Shape) -> Shape:
    return (prod(shape),)


def _reshaped(layer: LayerSettings, shape: Shape) -> Shape:
    wanted: Shape = layer["shape"]
    if prod(wanted) != prod(shape):
        given = str(prod(shape)) + (f" ({words_of(shape)})" if shape[1:] else "")
        rule = f"reshape to {words_of(wanted)} needs {prod(wanted)} numbers, got {given}"
        raise ShapeError(rule, "give a shape with as many numbers as come in")
    return wanted


FLATTEN: Final = Kind(shape=_flat, build=_build)
RESHAPE: Final = Kind(shape=_reshaped, build=_build)
