"""The ports where layers meet.

A layer reads the frame in front of it and writes the frame behind it; going back it reads the gradient
behind and writes the gradient in front. A frame is one contiguous buffer whose inner part is what the
layers exchange; around it the reading layer may keep what it needs: a dense layer a column of ones, a
convolution a margin. Elementwise layers work on whole frames (contiguous memory, one pass), and the reading
layer sets its surroundings right again.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided

from hpsearch.engine.arrays import Array, aligned

Shape = tuple[int, ...]
"""Of what one sample is at some place of a network: (D,), (T, D) or (H, W, C)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A contiguous buffer and the part of it that layers exchange, (K, B, ...).

    `by_sample`: the buffer holds one sample after the other, as (K, B, ...), and not, for instance, one channel
    after the other.
    """

    whole: Array
    inner: Array
    by_sample: bool = True

    @property
    def flat(self) -> Array:
        """The whole buffer: one sample after the other as (K, B, numbers a sample), else (K, numbers)."""
        shape = self.whole.shape[: 1 + self.by_sample]
        return self.whole.reshape(*shape, -1)

    def twin(self) -> "Frame":
        """New memory of the same form."""
        whole = aligned(self.whole.shape, self.whole.dtype)
        offset = (self.inner.ctypes.data - self.whole.ctypes.data) // whole.itemsize
        inner = as_strided(whole.reshape(-1)[offset:], self.inner.shape, self.inner.strides)
        return Frame(whole, inner, self.by_sample)

    def seen_as(self, shape: Shape) -> "Frame":
        """The same memory, with samples of another shape and as many numbers.

        Raises:
            ValueError: the inner part lies in memory in such a way that this would need a copy.
        """
        inner = np.reshape(self.inner, (*self.inner.shape[:2], *shape), copy=False)
        return Frame(self.whole, inner, self.by_sample)


@dataclass(frozen=True, slots=True)
class Port:
    """Where two layers meet: what passes forward, and the loss's gradient with respect to it coming back."""

    values: Frame
    gradient: Frame

    def seen_as(self, shape: Shape) -> "Port":
        """The same memory, with samples of another shape; see `Frame.seen_as`."""
        return Port(self.values.seen_as(shape), self.gradient.seen_as(shape))


class Layer(Protocol):
    """One step on the way from inputs to outputs."""

    def forward(self) -> None:
        """Write the port behind from the port in front."""

    def backward(self) -> None:
        """From the gradient behind: the gradients of the layer's own parameters, and the one in front."""

    def evaluate(self) -> None:
        """As `forward`, in prediction: without what only training does, and what only `backward` needs."""


def dense_port(rows: int, batch: int, width: int, like: Array) -> Port:
    """What a dense layer reads: (K, B, D) values with a column of ones after them, for the bias."""
    values, gradient = (aligned((rows, batch, width + 1), like.dtype) for _ in range(2))
    return Port(Frame(values, values[..., :width]), Frame(gradient, gradient[..., :width]))


def open_port(rows: int, batch: int, shape: Shape, like: Array) -> Port:
    """Plain (K, B, *shape) values, with nothing around them."""
    values, gradient = (aligned((rows, batch, *shape), like.dtype) for _ in range(2))
    return Port(Frame(values, values), Frame(gradient, gradient))
