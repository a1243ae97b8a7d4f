"""Batch and layer normalization, each with a learned gain and shift for every channel."""

from math import prod
from typing import Any, Final

import numpy as np

from hpsearch.engine.arrays import Array, aligned, constant
from hpsearch.engine.layers.kind import Kind, Remembered, Site, Trained, valid_steps
from hpsearch.engine.layers.ports import Layer, Port, Shape, open_port
from hpsearch.spec.layers import LayerSettings


class BatchNormalization:
    """y = gain (x - mean) / sqrt(variance + epsilon) + shift, by the mean and variance of a batch's channels.

    (K, B, ..., C); Ioffe and Szegedy (2015). Prediction goes by running statistics, of which a step keeps the share
    `momentum`; the variance that goes into them is the unbiased one, as in PyTorch. Steps behind the end of a
    sequence, and places of a batch that hold no sample, count for nothing.
    """

    def __init__(self, before: Port, site: Site) -> None:
        self._site, self._epsilon, self._momentum = site, site.layer["epsilon"], site.layer["momentum"]
        self._gain, self._shift = site.parameters
        self._gain_gradient, self._shift_gradient = site.gradients
        self._mean, self._variance = (each[:, None] for each in site.state)
        self._x, self._dx = before.values.inner, before.gradient.inner
        self._y, self._dy = site.behind.values.inner, site.behind.gradient.inner
        rows, batch, *places, channels = self._x.shape
        self._places = (rows, batch, *places, channels)
        self._rows: tuple[int, int, int] = (rows, batch * prod(places), channels)
        dtype = self._x.dtype
        self._normal, self._work = aligned(self._rows, dtype), aligned(self._rows, dtype)
        self._factor = np.empty((rows, 1, channels), dtype)
        self._share = self._equal_share = np.full((1, 1, self._rows[1]), 1 / self._rows[1], dtype)
        self._count = self._every = np.full((1, 1, 1), self._rows[1], dtype)
        self._there: Array | None = None

    def forward(self) -> None:
        """Normalize by this batch, and let it into the running statistics."""
        normal, work, unbiased = self._normal, self._work, self._weigh()
        np.copyto(self._as_places(normal), self._x)
        mean = np.matmul(self._share, normal)
        np.subtract(normal, mean, normal)
        if self._there is not None:
            np.multiply(normal, self._there, normal)
        np.multiply(normal, normal, work)
        variance = np.matmul(self._share, work)
        self._remember(self._mean, mean)
        self._remember(self._variance, variance * unbiased)
        self._inverse(variance)
        np.multiply(normal, self._factor, normal)
        np.multiply(normal, self._gain, work)
        np.add(work, self._shift, work)
        np.copyto(self._y, self._as_places(work))

    def backward(self) -> None:
        """Compute the gradients; dx = gain / deviation (dy - mean(dy) - normal mean(dy normal))."""
        normal, work, share = self._normal, self._work, self._share
        np.copyto(self._as_places(work), self._dy)
        if self._there is not None:
            np.multiply(work, self._there, work)
        mean = np.matmul(share, work)
        products = work * normal
        slope = np.matmul(share, products)
        np.multiply(mean, self._count, self._shift_gradient)
        np.multiply(slope, self._count, self._gain_gradient)
        np.multiply(normal, slope, products)
        np.subtract(work, products, work)
        np.subtract(work, mean, work)
        np.multiply(work, self._factor * self._gain, work)
        if self._there is not None:
            np.multiply(work, self._there, work)
        np.copyto(self._dx, self._as_places(work))

    def evaluate(self) -> None:
        """Normalize by the running statistics."""
        self._inverse(self._variance)
        scale = self._factor * self._gain
        work = self._work
        np.copyto(self._as_places(work), self._x)
        np.subtract(work, self._mean, work)
        np.multiply(work, scale, work)
        np.add(work, self._shift, work)
        np.copyto(self._y, self._as_places(work))

    def _as_places(self, rows: Array) -> Array:
        return rows.reshape(self._places)

    def _weigh(self) -> Array | float:
        """Set each place's share of the mean; what makes the variance unbiased."""
        there = self._places_there()
        if there is None:
            self._there, self._share, self._count = None, self._equal_share, self._every
            return self._rows[1] / max(self._rows[1] - 1, 1)
        counts = np.maximum(np.count_nonzero(there, axis=2, keepdims=True), 1)
        self._there = there.reshape(self._rows[0], self._rows[1], 1).astype(self._x.dtype)
        self._share = (there / counts).astype(self._x.dtype)
        self._count = counts.astype(self._x.dtype)
        unbiased: Array = (counts / np.maximum(counts - 1, 1)).astype(self._x.dtype)
        return unbiased

    def _places_there(self) -> Array | None:
        """(K, 1, places) of samples that are there, at steps that they have; None where that is all."""
        samples, lengths, axes = self._site.presence.samples, self._site.lengths, len(self._places) - 1
        masks = [] if samples is None else [samples]
        masks += [] if lengths is None else [valid_steps(lengths, self._places[2])]
        if not masks:
            return None
        there = np.ones(self._places[:-1], np.bool_)
        for mask in masks:
            there &= mask.reshape(*mask.shape, *(1 for _ in range(axes - mask.ndim)))
        return there.reshape(self._rows[0], 1, self._rows[1])

    def _remember(self, running: Array, seen: Array) -> None:
        number = running.dtype.type
        np.multiply(running, number(self._momentum), running)
        np.add(running, seen * number(1 - self._momentum), running)

    def _inverse(self, variance: Array) -> None:
        np.add(variance, constant(self._epsilon, variance.dtype), self._factor)
        np.sqrt(self._factor, self._factor)
        np.divide(constant(1, variance.dtype), self._factor, self._factor)


class LayerNormalization:
    """y = gain (x - mean) / sqrt(variance + epsilon) + shift, by the mean and variance of each place's channels.

    (K, B, ..., C); Ba et al. (2016).
    """

    def __init__(self, before: Port, site: Site) -> None:
        self._epsilon = site.layer["epsilon"]
        self._gain, self._shift = site.parameters
        self._gain_gradient, self._shift_gradient = site.gradients
        self._x, self._dx = before.values.inner, before.gradient.inner
        self._y, self._dy = site.behind.values.inner, site.behind.gradient.inner
        rows, *places, channels = self._places = self._x.shape
        shape, dtype = (rows, prod(places), channels), self._x.dtype
        self._normal, self._work, self._products = (aligned(shape, dtype) for _ in range(3))
        self._factor = aligned((rows, shape[1], 1), dtype)
        self._share = np.full((channels, 1), 1 / channels, dtype)
        self._ones = np.ones((1, shape[1]), dtype)

    def forward(self) -> None:
        """Normalize each place."""
        normal, work, factor = self._normal, self._work, self._factor
        np.copyto(normal.reshape(self._places), self._x)
        np.subtract(normal, np.matmul(normal, self._share), normal)
        np.multiply(normal, normal, work)
        np.matmul(work, self._share, out=factor)
        np.add(factor, constant(self._epsilon, factor.dtype), factor)
        np.sqrt(factor, factor)
        np.divide(constant(1, factor.dtype), factor, factor)
        np.multiply(normal, factor, normal)
        np.multiply(normal, self._gain, work)
        np.add(work, self._shift, work)
        np.copyto(self._y, work.reshape(self._places))

    def backward(self) -> None:
        """Compute the gradients; dx = (g - mean(g) - normal mean(g normal)) / deviation, with g = gain dy."""
        normal, work, products = self._normal, self._work, self._products
        np.copyto(work.reshape(self._places), self._dy)
        np.matmul(self._ones, work, out=self._shift_gradient)
        np.multiply(work, normal, products)
        np.matmul(self._ones, products, out=self._gain_gradient)
        np.multiply(work, self._gain, work)
        np.multiply(work, normal, products)
        np.multiply(normal, np.matmul(products, self._share), products)
        np.subtract(work, np.matmul(work, self._share), work)
        np.subtract(work, products, work)
        np.multiply(work, self._factor, work)
        np.copyto(self._dx, work.reshape(self._places))

    evaluate = forward


def _gain_and_shift(_layer: LayerSettings, shape: Shape) -> tuple[Trained, ...]:
    channels = shape[-1]
    gain = Trained(name="gain", weights=(0, channels), bias=(1.0,) * channels)
    return gain, Trained(name="shift", weights=(0, channels), bias=(0.0,) * channels)


def _statistics(_layer: LayerSettings, shape: Shape) -> tuple[Remembered, ...]:
    channels = shape[-1]
    mean = Remembered(name="mean", initial=(0.0,) * channels)
    return mean, Remembered(name="variance", initial=(1.0,) * channels)


def _built(normalization: Any) -> Any:
    def build(site: Site) -> tuple[Port, Layer]:
        before = open_port(site.rows, site.batch, site.before, site.behind.values.inner)
        return before, normalization(before, site)

    return build


BATCH_NORMALIZATION: Final = Kind(arrays=_gain_and_shift, state=_statistics, build=_built(BatchNormalization))
LAYER_NORMALIZATION: Final = Kind(arrays=_gain_and_shift, build=_built(LayerNormalization))
