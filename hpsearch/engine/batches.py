"""Mini-batches: every network sees the samples in its own order, a new one every epoch.

The last batch of an epoch holds what is left over; its loss is the mean over its own size. A batch size
above the number of samples means all of them.

Networks may learn from different samples (the folds of a cross-validation), and keep step: an epoch has as many
batches as the network with the most samples needs. One with fewer has empty places in the batch in which its
samples end; they carry no weight, and the others' mean is over themselves. In batches after that one, which only
folds of very different size have, it begins its samples anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np

from hpsearch.data.cache import root
from hpsearch.data.prepared import Part
from hpsearch.data.rows import Rows
from hpsearch.engine.arrays import Array, aligned, shared
from hpsearch.engine.losses import Loss

GATHERED_AT_ONCE: Final = 1 << 17
"""Bytes of inputs and targets that are gathered in one call, for as many steps as fit (at least one)."""

COPIED_AT_MOST: Final = 1 << 26
"""Bytes of inputs that are copied to make gathering fast; larger ones are read where they are."""


class Batch(NamedTuple):
    """What K networks learn from in one step; buffers that a later step overwrites."""

    inputs: Array
    """(K, B, ...); of a table with a last column of ones"""
    targets: Array
    """(K, B, O)"""
    lengths: Array | None = None
    """(K, B) int32: of sequences that differ in length"""
    weights: Array | None = None
    """(K, B, 1): what each sample's gradient is multiplied by; None: all count alike"""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """A part as a loss learns from it. `inputs` (N, ...), `targets` (N, O), `lengths` and `weights` (N,) or None."""

    inputs: Array
    targets: Array
    lengths: Array | None = None
    weights: Array | None = None
    epoch: Array | None = None
    """(M,) which of them an epoch shows, where some come more than once"""

    @classmethod
    def of(cls, part: Part, loss: Loss, *, outputs: int, dtype: np.dtype[Any]) -> "Samples":
        """The samples of a part; its inputs are not copied."""
        weights = None if part.weights is None else part.weights.astype(dtype)
        return cls(part.x, loss.table(part.y, outputs, dtype), part.lengths, weights, part.epoch)

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def shown(self) -> Array:
        """The rows of an epoch, before they are shuffled."""
        return np.arange(len(self)) if self.epoch is None else self.epoch


class Batches:
    """The training samples in the order of each of K networks.

    `samples` has those of each network; networks that share an object share its memory. `smoothing` of shape
    (K,) moves targets towards 1 / `classes`, and the targets of classification are divided by the size of the
    batch, as its gradient expects; `classes` is None for regression. `ones` adds a last column of ones to the
    inputs. `change` is called with each batch, in the order of the steps, and changes it in place.
    """

    def __init__(
        self,
        samples: Sequence[Samples],
        generators: Sequence[np.random.Generator],
        *,
        batch: int,
        smoothing: Array,
        classes: int | None,
        ones: bool,
        dtype: np.dtype[Any],
        change: Callable[[Batch], None] | None = None,
    ) -> None:
        self._change = change
        self._pool = _Pool(samples, ones=ones, dtype=dtype)
        self._generators = list(generators)
        self._smoothing, self._classes = smoothing, classes
        self._counts = np.array([len(each.shown) for each in samples])
        longest = int(self._counts.max())
        self.size = min(batch, longest)
        self.full, self.rest = divmod(longest, self.size)
        self._order = np.empty((len(samples), longest), self._pool.numbers)
        for order, each, start in zip(self._order, samples, self._pool.starts, strict=True):
            order[:] = start + np.resize(each.shown, longest)
        self._shares = self._shares_of_places()
        self._allocate()

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return self.full + bool(self.rest)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only, each where it stands in its stream."""
        self._generators = [self._generators[row] for row in rows]
        self._order, self._smoothing = self._order[rows, :], self._smoothing[rows]
        self._counts = self._counts[rows]
        if self._shares is not None:
            self._shares = self._shares[rows, :]
        self._pool.keep(rows)
        self._allocate()

    def shuffle(self) -> None:
        """Draw the order of the next epoch."""
        longest = self._order.shape[1]
        for order, generator, count in zip(self._order, self._generators, self._counts, strict=True):
            generator.shuffle(order[:count])
            if count < longest:
                order[count:] = np.resize(order[:count], longest - count)

    def take(self, step: int) -> Batch:
        """The batch of a step of this epoch; steps are taken in turn."""
        if step == self.full:
            self._gather(self._last, self.full * self.size, self._order.shape[1])
            return self._last.parts[0]
        place = step % self._steps
        if place == 0:
            end = min(step + self._steps, self.full)
            self._gather(self._chunk, step * self.size, end * self.size)
        return self._chunk.parts[place]

    def _gather(self, gatherer: "_Gatherer", start: int, end: int) -> None:
        shares = None if self._shares is None else self._shares[:, start:end]
        gatherer.gather(self._order[:, start:end], shares)
        if self._change is not None:
            for batch in gatherer.parts[: -(-(end - start) // self.size)]:
                self._change(batch)

    def _shares_of_places(self) -> Array | None:
        """(K, longest) weights of the places of an epoch; None where every network fills all."""
        longest = self._order.shape[1]
        if (self._counts == longest).all():
            return None
        shares = np.ones(self._order.shape, self._pool.dtype)
        for row, count in zip(shares, self._counts, strict=True):
            start = count // self.size * self.size
            end = min(start + self.size, longest)
            if start < count < end:
                row[start:count] = (end - start) / (count - start)
                row[count:end] = 0
        return shares

    def _allocate(self) -> None:
        rows = len(self._generators)
        affordable = GATHERED_AT_ONCE // (rows * self.size * self._pool.bytes)
        self._steps: int = max(1, min(self.full, affordable))
        self._chunk = self._gatherer(self.size, self._steps)
        if self.rest:
            self._last = self._gatherer(self.rest, 1)

    def _gatherer(self, batch: int, steps: int) -> "_Gatherer":
        factor, offset = np.ones_like(self._smoothing), np.zeros_like(self._smoothing)
        if self._classes is not None:
            factor = (1 - self._smoothing) / batch
            offset = self._smoothing / (self._classes * batch)
        weighted = self._shares is not None or self._pool.weights is not None
        return _Gatherer(
            self._pool, batch=batch, steps=steps, factor=factor, offset=offset, weighted=weighted
        )


class _Pool:
    """The distinct samples of all networks as one array each: a network's first sample is at `starts`.

    Inputs too large to be copied stay where they are, and are read network by network.
    """

    def __init__(self, samples: Sequence[Samples], *, ones: bool, dtype: np.dtype[Any]) -> None:
        distinct = list({id(each): each for each in samples}.values())
        firsts = np.cumsum([0, *map(len, distinct)])
        where = {id(each): int(first) for each, first in zip(distinct, firsts, strict=False)}
        self.starts = [where[id(each)] for each in samples]
        self.dtype, self.ones = dtype, ones
        self.numbers = np.int32 if firsts[-1] < 2**31 else np.int64  # an order of many takes memory
        first = distinct[0].inputs
        self.inputs_dtype = first.dtype if first.dtype.kind in "iu" else dtype
        self.shape = (*first.shape[1:-1], first.shape[-1] + 1) if ones else first.shape[1:]
        self.targets = _joined([each.targets for each in distinct])
        self.lengths = _joined_or_none([each.lengths for each in distinct])
        self.weights = _joined_or_none([each.weights for each in distinct])
        self.inputs = self._copy([each.inputs for each in distinct])
        readers = {id(each): Rows(each.inputs) for each in distinct} if self.inputs is None else {}
        self._readers = [readers[id(each)] for each in samples] if readers else []

    @property
    def bytes(self) -> int:
        """Of one sample's inputs and targets."""
        width: int = prod(self.shape) + prod(self.targets.shape[1:])
        return width * self.dtype.itemsize

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these networks only."""
        self.starts = [self.starts[row] for row in rows]
        self._readers = [self._readers[row] for row in rows] if self._readers else []

    def read(self, places: Array, out: Array) -> None:
        """The inputs at (K, W) places, without the column of ones, from where they are."""
        for reader, start, row, values in zip(self._readers, self.starts, places, out, strict=True):
            reader.read(row - start, values)

    def _copy(self, inputs: Sequence[Array]) -> Array | None:
        """All inputs as one array with its column of ones; None where that would take a copy too large."""
        count = sum(map(len, inputs))
        fits = count * self.bytes <= COPIED_AT_MOST
        as_they_are = len(inputs) == 1 and not self.ones and inputs[0].dtype == self.inputs_dtype
        if as_they_are and (fits or root(inputs[0]) is None):
            return inputs[0]
        if not fits:
            return None
        copied = np.ones((count, *self.shape), self.inputs_dtype)
        np.concatenate(inputs, out=copied[..., :-1] if self.ones else copied, casting="same_kind")
        return copied


class _Gatherer:
    """Buffers for the samples of a few steps of one batch size; `parts` are the batches of each step."""

    def __init__(
        self, pool: _Pool, *, batch: int, steps: int, factor: Array, offset: Array, weighted: bool
    ) -> None:
        rows, width = len(factor), batch * steps
        self._pool = pool
        self._places = np.zeros((rows, width), np.intp)
        self._inputs = aligned((rows, width, *pool.shape), pool.inputs_dtype)
        if pool.inputs is None:
            self._inputs.fill(1)
        self._values = aligned((rows, width, pool.targets.shape[1]), pool.dtype)
        self._lengths = None if pool.lengths is None else np.ones((rows, width), pool.lengths.dtype)
        self._weights = np.ones((rows, width, 1), pool.dtype) if weighted else None
        self._factor = shared(factor.astype(pool.dtype).reshape(-1, 1, 1))
        self._offset = shared(offset.astype(pool.dtype).reshape(-1, 1, 1))
        self._differ = bool(self._factor.ndim or self._offset.ndim)
        self._targets = pool.targets if self._differ else pool.targets * self._factor + self._offset
        self.parts = [self._batch(slice(start, start + batch)) for start in range(0, width, batch)]

    def gather(self, places: Array, shares: Array | None) -> None:
        """Fetch the samples at (K, steps x batch) places, or fewer steps at an epoch's end; `shares` weigh places."""
        width = places.shape[1]
        self._places[:, :width] = places
        self._gather_inputs(width)
        np.take(self._targets, self._places, axis=0, out=self._values, mode="clip")
        if self._differ:
            np.multiply(self._values, self._factor, self._values)
            np.add(self._values, self._offset, self._values)
        if self._lengths is not None and self._pool.lengths is not None:
            np.take(self._pool.lengths, self._places, axis=0, out=self._lengths, mode="clip")
        if self._weights is not None:
            self._gather_weights(self._weights[..., 0], width, shares)

    def _gather_inputs(self, width: int) -> None:
        if self._pool.inputs is not None:
            np.take(self._pool.inputs, self._places, axis=0, out=self._inputs, mode="clip")
            return
        inputs = self._inputs[..., :-1] if self._pool.ones else self._inputs
        self._pool.read(self._places[:, :width], inputs[:, :width])

    def _gather_weights(self, weights: Array, width: int, shares: Array | None) -> None:
        if self._pool.weights is not None:
            np.take(self._pool.weights, self._places, out=weights, mode="clip")
        if shares is not None and self._pool.weights is None:
            weights[:, :width] = shares
        elif shares is not None:
            weights[:, :width] *= shares

    def _batch(self, window: slice) -> Batch:
        lengths = None if self._lengths is None else self._lengths[:, window]
        weights = None if self._weights is None else self._weights[:, window]
        return Batch(self._inputs[:, window], self._values[:, window], lengths, weights)


def _joined(arrays: Sequence[Array]) -> Array:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _joined_or_none(arrays: Sequence[Array | None]) -> Array | None:
    there = [array for array in arrays if array is not None]
    return _joined(there) if len(there) == len(arrays) else None
