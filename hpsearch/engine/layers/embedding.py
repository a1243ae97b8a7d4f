"""Vectors for tokens, and sequences that end before their array does."""

from typing import Final

import numpy as np

from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.layers.kind import Kind, ShapeError, Site, Trained, valid_steps
from hpsearch.engine.layers.ports import Frame, Layer, Port, Shape
from hpsearch.spec.layers import LayerSettings

PADDING: Final = 0
"""The token that stands for nothing: its vector is zero, and stays so."""

UNKNOWN: Final = 1
"""The token that stands for all that the vocabulary lacks."""


class Embedding:
    """The vector of each token, (K, B, T) int32 -> (K, B, T, E); the vectors are (K, V, E)."""

    def __init__(self, before: Port, behind: Port, *, vectors: Array, gradient: Array) -> None:
        self._tokens = before.values.inner
        self._vectors, self._gradient = vectors, gradient
        self._y, self._dy = behind.values.inner, behind.gradient.inner
        rows, batch, steps, width = self._y.shape
        self._found = aligned((rows, batch * steps, width), vectors.dtype)

    def forward(self) -> None:
        """Look the vectors up."""
        for vectors, tokens, found in zip(self._vectors, self._tokens, self._found, strict=True):
            np.take(vectors, tokens.reshape(-1), axis=0, out=found, mode="clip")
        np.copyto(self._y, self._found.reshape(self._y.shape))

    def backward(self) -> None:
        """Add up the gradients of equal tokens, each network's in the order of its own batch."""
        np.copyto(self._found.reshape(self._dy.shape), self._dy)
        for gradient, tokens, delta in zip(self._gradient, self._tokens, self._found, strict=True):
            add_up(gradient, tokens.reshape(-1), delta)
            gradient[PADDING] = 0

    evaluate = forward


def add_up(gradient: Array, ids: Array, delta: Array) -> None:
    """Write into (V, E) the sum of the (N, E) deltas of each of V vectors, by the (N,) numbers of theirs."""
    order = np.argsort(ids, kind="stable")
    numbers, starts = np.unique(ids[order], return_index=True)
    gradient.fill(0)
    gradient[numbers] = np.add.reduceat(delta[order], starts, axis=0)


class Trim:
    """Zeros behind the end of each sequence, in place, (K, B, T, ...)."""

    def __init__(self, port: Port, lengths: Array) -> None:
        self._values, self._delta, self._lengths = port.values.inner, port.gradient.inner, lengths

    def forward(self) -> None:
        """Set the rest to zero."""
        self._behind = ~valid_steps(self._lengths, self._values.shape[2])
        self._behind = self._behind.reshape(*self._behind.shape, *(1 for _ in self._values.shape[3:]))
        np.copyto(self._values, self._values.dtype.type(0), where=self._behind)

    def backward(self) -> None:
        """Nothing depends on what was set."""
        np.copyto(self._delta, self._delta.dtype.type(0), where=self._behind)

    evaluate = forward


def _shape(layer: LayerSettings, shape: Shape) -> Shape:
    if len(shape) != 1 or not layer["tokens"]:
        raise ShapeError(
            "embedding takes tokens",
            "it is for texts, as the first layer; columns of a table have `encode: embedding` of their own",
        )
    return (*shape, layer["units"])


def _arrays(layer: LayerSettings, _shape: Shape) -> tuple[Trained, ...]:
    tokens, units = layer["tokens"], layer["units"]
    return (
        Trained(name="vectors", weights=(tokens, units), fans=(units, units), bounded=False, padded=True),
    )


def _build(site: Site) -> tuple[Port, Layer]:
    [vectors], [gradient] = site.parameters, site.gradients
    tokens = np.zeros((site.rows, site.batch, *site.before), np.int32)
    before = Port(Frame(tokens, tokens), Frame(tokens, tokens))
    return before, Embedding(before, site.behind, vectors=vectors, gradient=gradient)


def _trim(site: Site) -> tuple[Port, Layer]:
    if site.lengths is None:
        raise ValueError("nothing to trim: all sequences are equally long")
    return site.behind, Trim(site.behind, site.lengths)


EMBEDDING: Final = Kind(shape=_shape, arrays=_arrays, build=_build)
TRIM: Final = Kind(build=_trim)
