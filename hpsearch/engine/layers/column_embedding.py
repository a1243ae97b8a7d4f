"""Learned vectors in place of a table's numbers of categories, beside its other features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.layers.embedding import add_up
from hpsearch.engine.layers.kind import Kind, Site, Trained
from hpsearch.engine.layers.ports import Layer, Port, Shape, open_port
from hpsearch.spec.layers import LayerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """One column: its numbers (K, B) in front, its vectors (K, B, E) and their gradient behind; scratch for both."""

    numbers: Array
    ids: Array
    found: Array
    vectors: Array
    gradient: Array
    values: Array
    delta: Array

    def forward(self) -> None:
        """Look the vectors up."""
        np.copyto(self.ids, self.numbers, casting="unsafe")
        for vectors, ids, found in zip(self.vectors, self.ids, self.found, strict=True):
            np.take(vectors, ids, axis=0, out=found, mode="clip")
        np.copyto(self.values, self.found)

    def backward(self) -> None:
        """Add up the gradients of equal categories, each network's in the order of its own batch."""
        np.copyto(self.found, self.delta)
        for gradient, ids, delta in zip(self.gradient, self.ids, self.found, strict=True):
            add_up(gradient, ids, delta)


class ColumnEmbedding:
    """(K, B, D) features, some of which number categories -> (K, B, H): each of these is its category's vector.

    Number 0, no known category, has a vector as well: it starts at zero, and is learned where training rows have gaps.
    """

    def __init__(self, columns: Sequence[_Column], copies: Sequence[tuple[Array, Array]]) -> None:
        self._columns, self._copies = columns, copies

    def forward(self) -> None:
        """Copy the other features, and look the vectors up."""
        for behind, before in self._copies:
            np.copyto(behind, before)
        for column in self._columns:
            column.forward()

    def backward(self) -> None:
        """The gradients of the vectors; nobody needs the one in front."""
        for column in self._columns:
            column.backward()

    evaluate = forward


def _shape(layer: LayerSettings, shape: Shape) -> Shape:
    return (shape[0] - len(layer["places"]) + sum(layer["units"]),)


def _arrays(layer: LayerSettings, _shape: Shape) -> tuple[Trained, ...]:
    return tuple(
        Trained(
            name=f"vectors_{number}",
            weights=(categories + 1, units),
            fans=(units, units),
            bounded=False,
            blank=True,
        )
        for number, (categories, units) in enumerate(zip(layer["categories"], layer["units"], strict=True), 1)
    )


def _build(site: Site) -> tuple[Port, Layer]:
    behind = site.behind
    before = open_port(site.rows, site.batch, site.before, behind.values.inner)
    x, y, dy = before.values.inner, behind.values.inner, behind.gradient.inner
    columns, copies, read, written = [], [], 0, 0
    places, widths = site.layer["places"], site.layer["units"]
    for number, (place, units) in enumerate(zip(places, widths, strict=True)):
        copies.append((y[..., written : written + place - read], x[..., read:place]))
        start = written + place - read
        read, written = place + 1, start + units
        columns.append(
            _Column(
                numbers=x[..., place],
                ids=np.zeros(x.shape[:2], np.intp),
                found=aligned((*x.shape[:2], units), x.dtype),
                vectors=site.parameters[number],
                gradient=site.gradients[number],
                values=y[..., start:written],
                delta=dy[..., start:written],
            )
        )
    copies.append((y[..., written:], x[..., read:]))
    return before, ColumnEmbedding(columns, copies)


COLUMN_EMBEDDING: Final = Kind(shape=_shape, arrays=_arrays, build=_build)
