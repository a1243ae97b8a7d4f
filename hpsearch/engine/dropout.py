"""Inverted dropout (Srivastava et al. 2014): units are switched off at random, the rest scaled up.

A unit is kept when a random byte is not below round(256 rate); the scale is one over the true probability
of that, so the expectation is exact for every rate. The bytes are the raw bits of the member's own stream;
a network's draws follow from its address, its rates, and the shape of a batch, whoever trains beside it and
however draws are gathered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hpsearch.engine.arrays import Array, padded, shared

LEVELS: Final = 256
WORD: Final = 8
"""Bytes in a raw draw: every step takes whole words, so that gathering steps changes no draw."""

DRAWN_AT_ONCE: Final = 1 << 15
"""Bytes of one network's masks that are drawn in one call."""


def threshold(rate: float) -> int:
    """The smallest byte that keeps its unit; at least one level of 256 keeps."""
    return min(round(rate * LEVELS), LEVELS - 1)


def keep_probability(rate: float) -> float:
    """The true probability that a unit stays: the rate's, to the nearest of 256 levels."""
    return 1 - threshold(rate) / LEVELS


@dataclass(slots=True)
class Mask:
    """Of one frame: which units stay in this step, (K, B, width) booleans, and the factor on those that do."""

    stays: Array
    scale: Array
    """(K, 1, 1), or no dimension"""


class Masks:
    """The masks of all frames of K networks, new at every step.

    `rates` has one rate for each frame of each network, (K, frames). Networks without dropout draw nothing; all
    units stay where the rate is 0, and are multiplied by one, which changes no bit.
    """

    def __init__(
        self,
        generators: Sequence[np.random.Generator],
        rates: Sequence[Sequence[float]],
        *,
        batch: int,
        widths: Sequence[int],
        dtype: np.dtype[Any],
    ) -> None:
        self._generators = list(generators)
        self._thresholds = [[threshold(rate) for rate in row] for row in rates]
        self._scales = np.array([[1 / keep_probability(rate) for rate in row] for row in rates], dtype)
        sizes = [padded(batch * width, np.dtype(np.uint8)) for width in widths]
        self._bytes = sum(sizes)
        self._steps = max(1, DRAWN_AT_ONCE // self._bytes)
        self._next = self._steps
        self._batch, self._widths = batch, tuple(widths)
        self._stops = np.cumsum(sizes).tolist()
        self._starts = [0, *self._stops[:-1]]
        self._stays = np.ones((len(rates), self._steps, self._bytes), np.bool_)
        self._make_frames()

    def _make_frames(self) -> None:
        rows = len(self._stays)
        views = [
            self._stays[..., start : start + self._batch * width].reshape(rows, -1, self._batch, width)
            for start, width in zip(self._starts, self._widths, strict=True)
        ]
        scales = [shared(scale.reshape(-1, 1, 1)) for scale in self._scales.T]
        self._by_step = [[view[:, step] for step in range(self._steps)] for view in views]
        self.frames = [Mask(steps[0], scale) for steps, scale in zip(self._by_step, scales, strict=True)]

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only, each where it stands in its stream; `frames` are made anew."""
        self._generators = [self._generators[row] for row in rows]
        self._thresholds = [self._thresholds[row] for row in rows]
        self._scales = self._scales[rows, :]
        self._stays = self._stays[rows, :]
        self._make_frames()

    def refill(self, batch: int) -> None:
        """Show the masks of the next step, for its first `batch` samples."""
        if self._next == self._steps:
            self._draw()
        for frame, steps in zip(self.frames, self._by_step, strict=True):
            stays = steps[self._next]
            frame.stays = stays if batch == self._batch else stays[:, :batch]
        self._next += 1

    def _draw(self) -> None:
        for stays, generator, levels in zip(self._stays, self._generators, self._thresholds, strict=True):
            if any(levels):
                draw, words = generator.bit_generator.random_raw, self._steps * self._bytes // WORD
                self._compare(draw(words).view(np.uint8), levels, stays)
        self._next = 0

    def _compare(self, drawn: Array, levels: Sequence[int], stays: Array) -> None:
        """Write which units of one network stay, (steps, bytes): those whose byte is not below their frame's level."""
        if len(set(levels)) == 1:
            np.greater_equal(drawn, np.uint8(levels[0]), stays.reshape(-1))
            return
        drawn = drawn.reshape(stays.shape)
        for level, start, stop in zip(levels, self._starts, self._stops, strict=True):
            np.greater_equal(drawn[:, start:stop], np.uint8(level), stays[:, start:stop])
