"""Inverted dropout (Srivastava et al. 2014): units are switched off at random, the rest scaled up.

A unit is kept when a random byte is not below round(256 rate); the scale is one over the true probability
of that, so the expectation is exact for every rate. The bytes are the raw bits of the member's own stream;
a network's draws follow from its address, its rates, and the shape of a batch, whoever trains beside it and
however draws are gathered.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from hpsearch.engine.arrays import aligned, padded

LEVELS: Final = 256
WORD: Final = 8
"""Bytes in a raw draw: every step takes whole words, so that gathering steps changes no draw."""

DRAWN_AT_ONCE: Final = 1 << 14
"""Bytes of one network's masks that are drawn in one call."""


def threshold(rate: float) -> int:
    """The smallest byte that keeps its unit; at least one level of 256 keeps."""
    return min(round(rate * LEVELS), LEVELS - 1)


def keep_probability(rate: float) -> float:
    """The true probability that a unit stays: the rate's, to the nearest of 256 levels."""
    return 1 - threshold(rate) / LEVELS


class Masks:
    """The masks of a group of frames that share each network's rate: (K, B, width) each, new at every step.

    Rows of rate 0 draw nothing and have masks of one, which change no bit of what they multiply.
    """

    def __init__(
        self,
        generators: Sequence[np.random.Generator],
        rates: Sequence[float],
        *,
        batch: int,
        widths: Sequence[int],
        dtype: np.dtype[Any],
    ) -> None:
        self._generators = list(generators)
        self._thresholds = np.array([[threshold(rate)] for rate in rates], np.uint8)
        self._scales = np.array([[1 / keep_probability(rate)] for rate in rates], dtype)
        self._batch, self._widths = batch, tuple(widths)
        self._sizes = [padded(batch * width, np.dtype(np.uint8)) for width in widths]
        self._bytes = sum(self._sizes)
        self._steps = max(1, DRAWN_AT_ONCE // self._bytes)
        self._next = self._steps
        self._bits = np.zeros((len(rates), self._steps, self._bytes), np.uint8)
        self._allocate(len(rates), np.dtype(dtype))

    def _allocate(self, rows: int, dtype: np.dtype[Any]) -> None:
        self._flags = np.empty((rows, self._bytes), np.bool_)
        self._values = aligned((rows, self._bytes), dtype)
        starts = np.cumsum([0, *self._sizes[:-1]])
        self.views = [
            self._values[:, start : start + self._batch * width].reshape(rows, self._batch, width)
            for start, width in zip(starts, self._widths, strict=True)
        ]

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only, each where it stands in its stream; `views` are made anew."""
        self._generators = [self._generators[row] for row in rows]
        self._thresholds, self._scales = self._thresholds[rows, :], self._scales[rows, :]
        self._bits = self._bits[rows, :]
        self._allocate(len(rows), self._scales.dtype)

    def refill(self) -> None:
        """Make the masks of the next step."""
        if self._next == self._steps:
            self._draw()
        np.greater_equal(self._bits[:, self._next], self._thresholds, out=self._flags)
        np.copyto(self._values, self._flags)
        np.multiply(self._values, self._scales, out=self._values)
        self._next += 1

    def _draw(self) -> None:
        words = self._steps * self._bytes // WORD
        for row, generator in enumerate(self._generators):
            if self._thresholds[row, 0]:
                drawn = generator.bit_generator.random_raw(words)
                self._bits[row] = drawn.view(np.uint8).reshape(self._steps, self._bytes)
        self._next = 0
