"""What the networks minimize: each loss beside its gradient with respect to the outputs.

Outputs are raw: softmax and sigmoid belong to the loss, where they are stable. `y` holds class ids (N,) for
the classification losses and values (N, T) for the others. A loss is the mean over samples, and over
targets; so its strength does not depend on the batch size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hpsearch.engine.arrays import Array, constant, quiet, total

CERTAIN: Final = 40.0
"""A class whose output is this far below the largest counts as this far below: its probability, 4e-18, is lost
beside any other number, but a smaller one would lead to subnormal gradients, which take a hundred times as long."""

SPREAD: Final = 32
"""Outputs up to which a sum over them is computed once for each: dividing by it then needs no broadcast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One loss with its gradient.

    `table(y, outputs, dtype)` gives the targets as the gradient wants them, (N, O). `gradient(outputs,
    targets, work, delta)` writes d(mean loss)/d(outputs) for one batch, all (K, B, O). `samples(outputs, y,
    huber_delta)` gives the loss of every sample, (K, N) float64. `classifies`: targets are probabilities,
    which label smoothing moves, and the gradient wants them divided by B.
    """

    table: Callable[[Array, int, np.dtype[Any]], Array]
    gradient: Callable[[Array, Array, "Work", Array], None]
    samples: Callable[[Array, Array, Array], Array]
    classifies: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """Scratch for a batch's gradient, and what stays constant from step to step; allocated once."""

    turned: Array
    """(O, K, B)"""
    columns: Array
    """(K, B, 1)"""
    counts: Array
    """(O, O) if that is small, else (O, 1), all equal to B"""
    sums: Array
    """(K, B, O) or (K, B, 1)"""
    floor: Array
    """minus `CERTAIN`, of no dimension"""
    flags: Array
    """(K, B, O) booleans"""
    huber_delta: Array
    """(K, 1, 1)"""

    @classmethod
    def allocate(cls, outputs: Array, huber_delta: Array) -> "Work":
        """Scratch for outputs of shape (K, B, O)."""
        rows, batch, width = outputs.shape
        copies = width if width <= SPREAD else 1
        return cls(
            np.empty((width, rows, batch), outputs.dtype),
            np.empty((rows, batch, 1), outputs.dtype),
            np.full((width, copies), batch, outputs.dtype),
            np.empty((rows, batch, copies), outputs.dtype),
            np.array(-CERTAIN, outputs.dtype),
            np.empty(outputs.shape, np.bool_),
            huber_delta.astype(outputs.dtype).reshape(-1, 1, 1),
        )


def one_hot(y: Array, outputs: int, dtype: np.dtype[Any]) -> Array:
    """(N,) class ids -> (N, O), 1 in the class's column."""
    result = np.zeros((len(y), outputs), dtype)
    result[np.arange(len(y)), y] = 1
    return result


def values(y: Array, outputs: int, dtype: np.dtype[Any]) -> Array:
    """(N,) or (N, T) numbers -> (N, O)."""
    return np.ascontiguousarray(y, dtype).reshape(len(y), outputs)


def mse_samples(outputs: Array, y: Array, _delta: Array) -> Array:
    """(o - y)^2, averaged over targets."""
    return _mean(np.square(_error(outputs, y)))


def mse_gradient(outputs: Array, targets: Array, _work: Work, delta: Array) -> None:
    """2 (o - y) / (B T)."""
    np.subtract(outputs, targets, delta)
    np.multiply(delta, constant(2 / (delta.shape[1] * delta.shape[2]), delta.dtype), out=delta)


def mae_samples(outputs: Array, y: Array, _delta: Array) -> Array:
    """|o - y|, averaged over targets."""
    return _mean(np.abs(_error(outputs, y)))


def mae_gradient(outputs: Array, targets: Array, _work: Work, delta: Array) -> None:
    """sign(o - y) / (B T)."""
    np.subtract(outputs, targets, delta)
    np.sign(delta, delta)
    np.multiply(delta, constant(1 / (delta.shape[1] * delta.shape[2]), delta.dtype), out=delta)


def huber_samples(outputs: Array, y: Array, delta: Array) -> Array:
    """For errors e: e^2 / 2 where |e| <= d, else d (|e| - d / 2), averaged over targets (Huber 1964)."""
    size = np.abs(_error(outputs, y))
    bound = delta.reshape(-1, 1, 1)
    inside = np.minimum(size, bound)
    return _mean(inside * (size - inside / 2))


def huber_gradient(outputs: Array, targets: Array, work: Work, delta: Array) -> None:
    """The error bounded to [-d, d], over B T."""
    np.subtract(outputs, targets, delta)
    np.minimum(delta, work.huber_delta, out=delta)
    np.maximum(delta, -work.huber_delta, out=delta)
    np.multiply(delta, constant(1 / (delta.shape[1] * delta.shape[2]), delta.dtype), out=delta)


def cross_entropy_samples(outputs: Array, y: Array, _delta: Array) -> Array:
    """log(sum_j exp(o_j)) - o_y."""
    shifted = outputs.astype(np.float64)
    shifted -= largest(shifted)[..., None]
    chosen = shifted[:, np.arange(len(y)), y]
    return np.log(total(np.exp(shifted, shifted))) - chosen


def cross_entropy_gradient(outputs: Array, targets: Array, work: Work, delta: Array) -> None:
    """(softmax(o) - q) / B; the targets arrive as q / B, and the sums are taken B-fold."""
    np.copyto(work.turned, outputs.transpose(2, 0, 1))
    np.maximum.reduce(work.turned, axis=0, out=work.columns[..., 0])
    np.subtract(outputs, work.columns, delta)
    np.maximum(delta, work.floor, out=delta)
    np.exp(delta, delta)
    np.matmul(delta, work.counts, out=work.sums)
    np.divide(delta, work.sums, delta)
    np.subtract(delta, targets, delta)


def binary_cross_entropy_samples(outputs: Array, y: Array, _delta: Array) -> Array:
    """log(1 + exp(o)) - y o, as max(o, 0) - y o + log(1 + exp(-|o|)), which cannot overflow."""
    o = outputs[..., 0].astype(np.float64)
    result: Array = np.maximum(o, 0) - y * o + np.log1p(np.exp(-np.abs(o)))
    return result


def binary_cross_entropy_gradient(outputs: Array, targets: Array, _work: Work, delta: Array) -> None:
    """(sigmoid(o) - q) / B; the targets arrive as q / B."""
    half = constant(0.5, delta.dtype)
    share = constant(0.5 / delta.shape[1], delta.dtype)
    np.multiply(outputs, half, delta)
    np.tanh(delta, delta)
    np.multiply(delta, share, delta)
    np.add(delta, share, delta)
    np.subtract(delta, targets, delta)


LOSSES: Final[dict[str, Loss]] = {
    "mse": Loss(table=values, gradient=mse_gradient, samples=mse_samples),
    "mae": Loss(table=values, gradient=mae_gradient, samples=mae_samples),
    "huber": Loss(table=values, gradient=huber_gradient, samples=huber_samples),
    "cross_entropy": Loss(
        table=one_hot, gradient=cross_entropy_gradient, samples=cross_entropy_samples, classifies=True
    ),
    "binary_cross_entropy": Loss(
        table=values,
        gradient=binary_cross_entropy_gradient,
        samples=binary_cross_entropy_samples,
        classifies=True,
    ),
}


def evaluate(loss: str, outputs: Array, y: Array, *, huber_delta: Array | None = None) -> Array:
    """The data loss of K networks: (K, N, O) outputs and N targets -> (K,) float64.

    Without penalties and label smoothing, so that trials of different strength compare. Each row's value
    has the same bits whatever K is; a network whose outputs are not finite has a loss that is not finite,
    without a warning.
    """
    bound = np.ones(len(outputs)) if huber_delta is None else np.asarray(huber_delta, np.float64)
    with quiet():
        mean: Array = total(LOSSES[loss].samples(outputs, y, bound)) / len(y)
    return mean


def probabilities(outputs: Array, loss: str) -> Array:
    """Class probabilities, (..., O) -> (..., C): softmax, or [1 - p, p] from one binary output."""
    with quiet():
        if loss == "binary_cross_entropy":
            p = (np.tanh(outputs * outputs.dtype.type(0.5)) + 1) * outputs.dtype.type(0.5)
            return np.concatenate([1 - p, p], axis=-1)
        shifted = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
        result: Array = shifted / np.matmul(shifted, np.ones((shifted.shape[-1], 1), shifted.dtype))
        return result


def largest(outputs: Array) -> Array:
    """The maximum over the last axis, (..., O) -> (...); faster than NumPy's own when the axis is short."""
    turned = np.ascontiguousarray(np.moveaxis(outputs, -1, 0))
    result: Array = turned.max(axis=0)
    return result


def _error(outputs: Array, y: Array) -> Array:
    result: Array = outputs.astype(np.float64) - y.reshape(len(y), -1)
    return result


def _mean(samples: Array) -> Array:
    result: Array = total(samples) / samples.shape[-1]
    return result
