"""The places of all that a network learns in one flat buffer."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any, Self

import numpy as np

from hpsearch.engine.arrays import Array, padded
from hpsearch.engine.layers.kind import Trained


@dataclass(frozen=True, slots=True)
class Block:
    """One trained array's place in a flat buffer: its weights from `start`, and its biases behind them."""

    start: int
    trained: Trained

    @property
    def weights(self) -> slice:
        """The weights without the bias, in the flat buffer."""
        return slice(self.start, self.start + prod(self.trained.weights))

    @property
    def biases(self) -> slice:
        """The biases, in the flat buffer."""
        return slice(self.weights.stop, self.weights.stop + len(self.trained.bias))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of `view`: (I + 1, O) with a row of biases, else that of the weights."""
        inputs, *_, units = shape = self.trained.weights
        return (inputs + 1, units) if self.trained.bias else shape

    def view(self, flat: Array) -> Array:
        """(..., P) -> (..., I + 1, O), or without biases (..., I, O), in the same memory."""
        return flat[..., self.start : self.biases.stop].reshape(*flat.shape[:-1], *self.shape)

    def weights_of(self, flat: Array) -> Array:
        """(..., P) -> (..., I, O), the weights alone, in the same memory."""
        return flat[..., self.weights].reshape(*flat.shape[:-1], *self.trained.weights)


@dataclass(frozen=True, slots=True)
class Layout:
    """The blocks of a network; each starts on a cache line, and so does each row of P."""

    blocks: tuple[Block, ...]
    size: int

    @classmethod
    def of(cls, arrays: Iterable[Trained], dtype: np.dtype[Any]) -> Self:
        """For all that is trained, from the inputs to the outputs."""
        blocks, start = [], 0
        for trained in arrays:
            block = Block(start, trained)
            blocks.append(block)
            start += padded(block.biases.stop - start, dtype)
        return cls(tuple(blocks), start)

    @property
    def count(self) -> int:
        """How many numbers are trained."""
        return sum(block.biases.stop - block.start for block in self.blocks)
