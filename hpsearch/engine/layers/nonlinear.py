"""Activations, and dropout on them or on its own."""

from dataclasses import replace
from math import prod
from typing import Final

import numpy as np

from hpsearch.engine.activations import ACTIVATIONS, Activation, Gate, Work
from hpsearch.engine.arrays import aligned
from hpsearch.engine.dropout import Mask
from hpsearch.engine.layers.kind import Kind, Site
from hpsearch.engine.layers.ports import Layer, Port, Shape


class Nonlinear:
    """h = f(z), and dropout on it: h = f(z) mask, with the mask's scaling included.

    f'(z) mask is computed on the way forward, so that one product leads back. The gradient in front takes
    the place of the gradient behind.
    """

    def __init__(self, before: Port, behind: Port, *, activation: Activation, mask: Mask | None) -> None:
        self._activation, self._mask = activation, mask
        self._z, self._h = before.values.flat, behind.values.flat
        self._delta = behind.gradient.flat
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

    def evaluate(self) -> None:
        """Compute h = f(z)."""
        self._activation.value(self._z, self._h, self._work)


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


class Dropout:
    """h = x mask, in place: units are silenced, the rest scaled up. In prediction all stay."""

    def __init__(self, port: Port, mask: Mask) -> None:
        self._values, self._delta, self._mask = port.values.inner, port.gradient.inner, mask
        self._spread = np.empty(self._shape(self._values.shape), self._values.dtype)
        self._factor = self._spread.reshape(*self._spread.shape[:2], -1)

    def _shape(self, shape: Shape) -> Shape:
        """Of the mask, for values (K, B, ...)."""
        return shape

    def forward(self) -> None:
        """Compute h = x mask."""
        np.copyto(self._factor, self._mask.stays)
        np.multiply(self._factor, self._mask.scale, self._factor)
        np.multiply(self._values, self._spread, self._values)

    def backward(self) -> None:
        """Compute dx = dh mask."""
        np.multiply(self._delta, self._spread, self._delta)

    def evaluate(self) -> None:
        """Leave the values as they are."""


class SpatialDropout(Dropout):
    """The same with one draw for all places of a channel, (K, B, C) (Tompson et al. 2015)."""

    def _shape(self, shape: Shape) -> Shape:
        return (*shape[:2], *(1 for _ in shape[3:]), shape[-1])


class Both:
    """Two layers as one."""

    def __init__(self, first: Layer, second: Layer) -> None:
        self._first, self._second = first, second

    def forward(self) -> None:
        """One after the other."""
        self._first.forward()
        self._second.forward()

    def backward(self) -> None:
        """The second first."""
        self._second.backward()
        self._first.backward()

    def evaluate(self) -> None:
        """One after the other."""
        self._first.evaluate()
        self._second.evaluate()


class Nothing:
    """Passes values and gradients on in the same memory."""

    def forward(self) -> None:
        """Do nothing."""

    backward = evaluate = forward


def _nonlinear(site: Site) -> tuple[Port, Layer]:
    """The layer of an activation, as far as may be in the memory of the port behind."""
    behind, mask, name = site.behind, site.mask, site.layer["function"]
    if name == "identity" and mask is None:
        return behind, Nothing()
    if mask is not None and not behind.values.by_sample:
        before, layer = _nonlinear(replace(site, mask=None))
        return before, Both(layer, Dropout(behind, mask))
    activation = ACTIVATIONS[name]
    if activation.gate is not None:
        return behind, Gated(behind, behind, activation=activation, gate=activation.gate, mask=mask)
    before = Port(behind.values.twin(), behind.gradient)
    return before, Nonlinear(before, behind, activation=activation, mask=mask)


def _dropout(site: Site) -> tuple[Port, Layer]:
    port, mask = site.behind, site.mask
    if mask is None:
        return port, Nothing()
    return port, (SpatialDropout if site.layer["spatial"] else Dropout)(port, mask)


def mask_width(site: Site) -> int:
    """Random bytes that dropout takes for one sample on the output of a layer."""
    if site.layer.get("spatial"):
        return site.before[-1]
    frame = site.behind.values
    joined = site.layer.kind == "activation" and frame.by_sample
    return prod((frame.whole if joined else frame.inner).shape[2:])


ACTIVATION: Final = Kind(build=_nonlinear)
DROPOUT: Final = Kind(build=_dropout)
