"""The layers of K networks at once, and the ports where they meet.

A layer reads the frame in front of it and writes the frame behind it; going back it reads the gradient
behind and writes the gradient in front. A frame is one contiguous buffer whose inner part is what the
layers exchange; around it the reading layer may keep what it needs: a dense layer a column of ones, a
convolution a margin. Elementwise layers work on whole frames (contiguous memory, one pass), and the reading
layer sets its surroundings right again.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from hpsearch.engine.activations import Activation, Gate, Work
from hpsearch.engine.arrays import Array, aligned
from hpsearch.engine.dropout import Mask
from hpsearch.engine.products import TURNED_WORTHWHILE, piece_width, pieces, turned_piece_width

TURN_LIMIT: Final = 96 * 96
"""Numbers in a weight matrix up to which it is faster to transpose it first than to let BLAS read it
transposed, unless that goes by its small kernels."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A buffer (K, B, ...) and the part of it that layers exchange."""

    whole: Array
    inner: Array


@dataclass(frozen=True, slots=True)
class Port:
    """Where two layers meet: what passes forward, and the loss's gradient with respect to it coming back."""

    values: Frame
    gradient: Frame


class Layer(Protocol):
    """One step on the way from inputs to outputs."""

    def forward(self) -> None:
        """Write the port behind from the port in front."""

    def backward(self) -> None:
        """From the gradient behind: the gradients of the layer's own parameters, and the one in front."""


def dense_port(rows: int, batch: int, width: int, like: Array) -> Port:
    """What a dense layer reads: (K, B, D) values with a column of ones after them, for the bias."""
    values, gradient = (aligned((rows, batch, width + 1), like.dtype) for _ in range(2))
    return Port(Frame(values, values[..., :width]), Frame(gradient, gradient[..., :width]))


def open_port(rows: int, batch: int, width: int, like: Array) -> Port:
    """Plain (K, B, O) values, with nothing around them."""
    values, gradient = (aligned((rows, batch, width), like.dtype) for _ in range(2))
    return Port(Frame(values, values), Frame(gradient, gradient))


class Dense:
    """z = [x, 1] W, (K, B, D) -> (K, B, H): W is (K, D + 1, H), its last row the bias.

    Of the first layer nobody needs the gradient in front: `deepest` leaves it out.
    """

    def __init__(
        self, before: Port, behind: Port, *, weight: Array, gradient: Array, deepest: bool = False
    ) -> None:
        self._weight, self._gradient, self._deepest = weight, gradient, deepest
        self._out, self._delta = behind.values.inner, behind.gradient.inner
        _, batch, width = before.values.whole.shape
        outputs = weight.shape[2]
        self._widths = piece_width(batch, width, outputs), piece_width(width, batch, outputs)
        self._turned: tuple[Array, Array] | None = None
        self._inward = [] if deepest else self._towards(before.gradient.inner)
        self._ones = before.values.whole[..., -1]
        self.read(before.values.whole)

    def _towards(self, front: Array) -> list[tuple[Array, Array, Array]]:
        """How dx = dz W' is computed, with W turned first where that is faster."""
        turned = self._weight[:, :-1].transpose(0, 2, 1)
        _, outputs, inputs = turned.shape
        width = turned_piece_width(front.shape[1], outputs, inputs)
        if inputs * outputs <= TURN_LIMIT and width < min(inputs, TURNED_WORTHWHILE):
            self._turned = aligned(turned.shape, turned.dtype), turned
            return [(self._delta, self._turned[0], front)]
        return pieces(self._delta, turned, front, width or inputs)

    def read(self, frame: Array) -> None:
        """Read from another (K, B, D + 1) frame from now on; its last column must be one in the first layer."""
        forward, backward = self._widths
        self._forward = pieces(frame, self._weight, self._out, forward)
        self._backward = pieces(frame.transpose(0, 2, 1), self._delta, self._gradient, backward)

    def forward(self) -> None:
        """Compute z = [x, 1] W."""
        if not self._deepest:
            self._ones.fill(1)
        for factors in self._forward:
            np.matmul(*factors)

    def backward(self) -> None:
        """Compute dW = [x, 1]' dz and dx = dz W'."""
        for factors in self._backward:
            np.matmul(*factors)
        if self._deepest:
            return
        if self._turned is not None:
            np.copyto(*self._turned)
        for factors in self._inward:
            np.matmul(*factors)


class Nonlinear:
    """h = f(z), and dropout on it: h = f(z) mask, with the mask's scaling included.

    f'(z) mask is computed on the way forward, so that one product leads back. The gradient in front takes
    the place of the gradient behind.
    """

    def __init__(self, before: Port, behind: Port, *, activation: Activation, mask: Mask | None) -> None:
        self._activation, self._mask = activation, mask
        self._z, self._h = before.values.whole, behind.values.whole
        self._delta = behind.gradient.whole
        self._slope = aligned(self._z.shape, self._z.dtype)
        self._work = Work.like(self._z)

    def forward(self) -> None:
        """Compute h = f(z) mask."""
        z, h, slope, work = self._z, self._h, self._slope, self._work
        if not self._activation.piecewise_linear:
            self._activation.value(z, h, work)
        self._activation.slope(z, h, slope, work)
        if self._mask is not None:
            np.copyto(work.floats, self._mask.stays)
            np.multiply(work.floats, self._mask.scale, work.floats)
            np.multiply(slope, work.floats, slope)
        if self._activation.piecewise_linear:
            np.multiply(z, slope, h)
        elif self._mask is not None:
            np.multiply(h, work.floats, h)

    def backward(self) -> None:
        """Compute dz = dh f'(z) mask."""
        np.multiply(self._delta, self._slope, self._delta)


class Gated(Nonlinear):
    """The same for an activation with a gate: a unit passes where the gate is open and the unit stays.

    h may take the place of z.
    """

    def __init__(
        self, before: Port, behind: Port, *, activation: Activation, gate: Gate, mask: Mask | None
    ) -> None:
        super().__init__(before, behind, activation=activation, mask=mask)
        self._gate = gate

    def forward(self) -> None:
        """Compute h = f(z) mask."""
        flags, slope, mask = self._work.flags, self._slope, self._mask
        self._gate(self._z, flags)
        if mask is not None:
            np.logical_and(flags, mask.stays, flags)
        np.copyto(slope, flags)
        if mask is not None:
            np.multiply(slope, mask.scale, slope)
        np.multiply(self._z, slope, self._h)


def nonlinear(behind: Port, *, activation: Activation, mask: Mask | None) -> tuple[Port, Layer]:
    """The layer of an activation, and the port in front of it: as far as may be, in the memory of the one behind."""
    if activation.gate is not None:
        return behind, Gated(behind, behind, activation=activation, gate=activation.gate, mask=mask)
    rows, batch, width = behind.values.inner.shape
    before = Port(dense_port(rows, batch, width, behind.values.whole).values, behind.gradient)
    return before, Nonlinear(before, behind, activation=activation, mask=mask)
