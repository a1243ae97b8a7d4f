"""Mini-batches: every network sees the samples in its own order, a new one every epoch.

The last batch of an epoch holds what is left over; its loss is the mean over its own size. A batch size
above the number of samples means all of them.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from hpsearch.engine.arrays import Array, aligned, shared

GATHERED_AT_ONCE: Final = 1 << 17
"""Bytes of inputs and targets that are gathered in one call, for as many steps as fit (at least one)."""


class Batches:
    """The training samples in the order of each of K networks.

    `inputs` is (N, ...), `targets` (N, O). `smoothing` of shape (K,) moves targets towards 1 / `classes`,
    and the targets of classification are divided by the size of the batch, as its gradient expects;
    `classes` is None for regression.
    """

    def __init__(
        self,
        inputs: Array,
        targets: Array,
        generators: Sequence[np.random.Generator],
        *,
        batch: int,
        smoothing: Array,
        classes: int | None,
    ) -> None:
        self._inputs, self._targets = inputs, targets
        self._generators = list(generators)
        self._smoothing, self._classes = smoothing, classes
        count = len(inputs)
        self.size = min(batch, count)
        self.full, self.rest = divmod(count, self.size)
        self._order = np.tile(np.arange(count), (len(generators), 1))
        self._allocate()

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return self.full + bool(self.rest)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only, each where it stands in its stream."""
        self._generators = [self._generators[row] for row in rows]
        self._order, self._smoothing = self._order[rows, :], self._smoothing[rows]
        self._allocate()

    def shuffle(self) -> None:
        """Draw the order of the next epoch."""
        for order, generator in zip(self._order, self._generators, strict=True):
            generator.shuffle(order)

    def take(self, step: int) -> tuple[Array, Array]:
        """The inputs (K, B, ...) and targets (K, B, O) of a step of this epoch; steps are taken in turn."""
        if step == self.full:
            self._last.gather(self._order[:, self.full * self.size :])
            return self._last.parts[0]
        place = step % self._steps
        if place == 0:
            self._chunk.gather(self._order[:, step * self.size : (step + self._steps) * self.size])
        return self._chunk.parts[place]

    def _allocate(self) -> None:
        rows = len(self._generators)
        numbers = rows * self.size * (self._inputs[0].size + self._targets[0].size)
        affordable = GATHERED_AT_ONCE // (numbers * self._inputs.itemsize)
        self._steps: int = max(1, min(self.full, affordable))
        self._chunk = self._gatherer(self.size, self._steps)
        if self.rest:
            self._last = self._gatherer(self.rest, 1)

    def _gatherer(self, batch: int, steps: int) -> "_Gatherer":
        factor, offset = np.ones_like(self._smoothing), np.zeros_like(self._smoothing)
        if self._classes is not None:
            factor = (1 - self._smoothing) / batch
            offset = self._smoothing / (self._classes * batch)
        return _Gatherer(self._inputs, self._targets, batch=batch, steps=steps, factor=factor, offset=offset)


class _Gatherer:
    """Buffers for the samples of a few steps of one batch size; `parts` are those of each step."""

    def __init__(
        self, inputs: Array, targets: Array, *, batch: int, steps: int, factor: Array, offset: Array
    ) -> None:
        rows, width = len(factor), batch * steps
        self._sources = inputs, targets
        self._places = np.zeros((rows, width), np.intp)
        self._inputs = aligned((rows, width, *inputs.shape[1:]), inputs.dtype)
        self._values = aligned((rows, width, *targets.shape[1:]), targets.dtype)
        self._factor = shared(factor.astype(targets.dtype).reshape(-1, 1, 1))
        self._offset = shared(offset.astype(targets.dtype).reshape(-1, 1, 1))
        self._differ = bool(self._factor.ndim or self._offset.ndim)
        if not self._differ:
            self._sources = inputs, targets * self._factor + self._offset
        windows = [slice(start, start + batch) for start in range(0, width, batch)]
        self.parts = [(self._inputs[:, window], self._values[:, window]) for window in windows]

    def gather(self, places: Array) -> None:
        """Fetch the samples at (K, steps x batch) places, or fewer steps at an epoch's end."""
        inputs, targets = self._sources
        self._places[:, : places.shape[1]] = places
        np.take(inputs, self._places, axis=0, out=self._inputs, mode="clip")
        np.take(targets, self._places, axis=0, out=self._values, mode="clip")
        if self._differ:
            np.multiply(self._values, self._factor, self._values)
            np.add(self._values, self._offset, self._values)
