"""Scores of predictions: what every epoch, every trial and the sealed test part are judged by.

Every metric but ROC AUC is a function of means over samples, so it is stated as two steps: per-sample
statistics (K, S, N), and what to make of their means (K, S). The same statement serves K networks at once,
one network, and a thousand bootstrap resamples of one. Arithmetic is float64, and every sum runs along a
contiguous sample axis, so a network's score does not depend on which others are scored with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import Task, TrainingData

Direction = Literal["minimize", "maximize"]
Array = NDArray[np.float64]
Outputs = NDArray[np.floating]
Targets = NDArray[np.generic]

_DIRECTIONS: Final[Mapping[str, Direction]] = {
    "loss": "minimize",
    "accuracy": "maximize",
    "macro_f1": "maximize",
    "log_loss": "minimize",
    "roc_auc": "maximize",
    "rmse": "minimize",
    "mae": "minimize",
    "r2": "maximize",
}

UPTO_ONE: Final = tuple(name for name, way in _DIRECTIONS.items() if way == "maximize")
"""The metrics that are 1 at best."""


def metrics_of(task: Task) -> tuple[str, ...]:
    """The metrics that a task is scored with, the primary one first."""
    return (
        ("accuracy", "macro_f1", "log_loss", "roc_auc") if task.is_classification else ("rmse", "mae", "r2")
    )


def primary_metric(task: Task) -> str:
    """The metric that every epoch is followed by: accuracy for classes, RMSE for numbers."""
    return metrics_of(task)[0]


def direction(name: str) -> Direction:
    """Which way a known metric or curve is better, for display only: an objective declares its own direction.

    `name` may carry a part's prefix, such as `validation_` or `best_train_`.

    Raises:
        KeyError: the metric is none of ours.
    """
    for prefix in ("best_", "last_", "train_", "validation_", "test_"):
        name = name.removeprefix(prefix)
    return _DIRECTIONS[name]


def curve_metric(name: str, outputs: Outputs, y: Targets, *, task: Task, loss: str) -> Array:
    """One metric of K networks at once.

    Args:
        name: one of `metrics_of(task)`.
        outputs: (K, N, O), before softmax or sigmoid.
        y: (N,) class ids, or (N, T) scaled targets.
        task: gives the classes, or the targets' scales: RMSE and MAE are in the targets' own units.
        loss: tells what the outputs mean; binary cross entropy has one output, whose sigmoid is P(class 1).

    Returns:
        (K,): NaN for a network with an output that is not finite, and where the metric is undefined (ROC AUC
        when a class is absent from `y`, R2 when a target is constant). Several targets or classes are
        averaged uniformly.
    """
    scores = np.full(len(outputs), np.nan)
    finite = np.isfinite(outputs).all(axis=(1, 2))
    if finite.all():
        scores[:] = _score(name, outputs, y, task, loss)
    elif finite.any():
        scores[finite] = _score(name, outputs[finite], y, task, loss)
    return scores


def final_scores(outputs: Outputs, y: Targets, *, task: Task, loss: str) -> dict[str, float]:
    """Every metric of the task for one network's outputs (N, O); without those undefined on these rows."""
    scores = {
        name: float(curve_metric(name, outputs[None], y, task=task, loss=loss)[0])
        for name in metrics_of(task)
    }
    return {name: score for name, score in scores.items() if not np.isnan(score)}


def resampled_metric(
    name: str, outputs: Outputs, y: Targets, counts: Array, *, task: Task, loss: str
) -> Array:
    """A metric on R resamples of one network's outputs (N, O); `counts` (R, N): how often each row was drawn.

    Returns:
        (R,): what `curve_metric` gives on the drawn rows, up to rounding.
    """
    if name == "roc_auc":
        return _roc_auc(outputs, y, counts, task)
    metric = _METRICS[name]
    statistics = metric.statistics(outputs[None], y, task, loss)[0]
    return metric.finish(counts @ statistics.T.astype(np.float64) / counts.sum(axis=1, keepdims=True))


def baseline_loss(y: Targets, *, task: Task, loss: str, huber_delta: float = 1.0) -> float:
    """The loss of the best constant guess: what a network that has learned nothing reaches.

    The entropy of the class frequencies (ln C when balanced) for cross entropies; the variance for the
    squared error, the mean absolute deviation from the median for the absolute one; in scaled units, averaged
    over targets.
    """
    if task.is_classification:
        share = np.bincount(y.astype(np.intp), minlength=len(task.classes)) / len(y)
        present = share[share > 0]
        return float(-(present * np.log(present)).sum())
    targets = y.astype(np.float64)
    if loss == "mse":
        return float(targets.var(axis=0).mean())
    if loss == "mae":
        return float(np.abs(targets - np.median(targets, axis=0)).mean())
    error = np.abs(targets - _huber_location(targets, huber_delta))
    quadratic = np.minimum(error, huber_delta)
    return float((quadratic * (error - 0.5 * quadratic)).mean())


def mean_baseline_loss(data: TrainingData, *, loss: str, huber_delta: float = 1.0) -> float:
    """The same on the validation parts of all folds, their mean."""
    losses = [
        baseline_loss(fold.validation.y, task=fold.task, loss=loss, huber_delta=huber_delta)
        for fold in data.folds
    ]
    return sum(losses) / len(losses)


def largest_class(data: TrainingData) -> float | None:
    """The share of the most frequent class in the validation part; None of numbers."""
    if not data.task.is_classification:
        return None
    y = data.validation.y
    return float(np.bincount(y.astype(np.intp)).max() / len(y))


def largest_share(outputs: Outputs, *, loss: str) -> Array:
    """(K, N, O) outputs of classifiers -> (K,): the share of the class that each predicts most often."""
    predicted = predicted_classes(outputs, loss)
    counts = [int(np.bincount(of_network).max()) for of_network in predicted]
    shares: Array = np.array(counts) / predicted.shape[1]
    return shares


@dataclass(frozen=True, slots=True)
class _Metric:
    """A metric as a function of means over samples.

    `statistics`: outputs (K, N, O) -> (K, S, N), contiguous; `finish`: means (..., S) -> (...).
    """

    statistics: Callable[[Outputs, Targets, Task, str], NDArray[np.generic]]
    finish: Callable[[Array], Array]


def _score(name: str, outputs: Outputs, y: Targets, task: Task, loss: str) -> Array:
    if name == "roc_auc":
        once = np.ones((1, len(y)))
        return np.concatenate([_roc_auc(one, y, once, task) for one in outputs])
    metric = _METRICS[name]
    return metric.finish(metric.statistics(outputs, y, task, loss).mean(axis=-1, dtype=np.float64))


def predicted_classes(outputs: Outputs, loss: str) -> NDArray[np.intp]:
    """(K, N, O) -> (K, N) class ids."""
    if loss == "binary_cross_entropy":
        return (outputs[..., 0] > 0).astype(np.intp)
    ids: NDArray[np.intp] = outputs.argmax(axis=-1)
    return ids


def log_probabilities(outputs: Outputs) -> Array:
    """(..., C) -> (..., C): log softmax, or log of (1 - sigmoid, sigmoid) for a single output."""
    wide = outputs.astype(np.float64)
    if wide.shape[-1] == 1:
        both = np.concatenate([wide, -wide], axis=-1)
        logs: Array = -np.logaddexp(0.0, both)
        return logs
    shifted: Array = wide - wide.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def _correct(outputs: Outputs, y: Targets, _task: Task, loss: str) -> NDArray[np.bool_]:
    correct: NDArray[np.bool_] = predicted_classes(outputs, loss) == y
    return correct[:, None]


def _hits(outputs: Outputs, y: Targets, task: Task, loss: str) -> NDArray[np.bool_]:
    """(K, 3C, N): predicted and true, predicted, true; for each class."""
    classes = np.arange(len(task.classes))[:, None]
    predicted = predicted_classes(outputs, loss)[:, None] == classes
    true = np.broadcast_to(y == classes, predicted.shape)
    return np.concatenate([predicted & true, predicted, true], axis=1)


def _macro_f1(means: Array) -> Array:
    """Mean F1 over the classes that are predicted or true at least once (scikit-learn's convention)."""
    both, predicted, true = np.split(means, 3, axis=-1)
    total = predicted + true
    f1 = 2 * both / np.where(total > 0, total, 1.0)
    mean: Array = f1.sum(axis=-1) / (total > 0).sum(axis=-1)
    return mean


def _surprise(outputs: Outputs, y: Targets, _task: Task, _loss: str) -> Array:
    """(K, 1, N): -ln P(true class), unclipped."""
    true = y.astype(np.intp)[None, :, None]
    return -np.take_along_axis(log_probabilities(outputs), true, axis=-1).swapaxes(1, 2)


def _errors(outputs: Outputs, y: Targets, task: Task, _loss: str) -> Array:
    """(K, N, T) -> (K, T, N) errors in the targets' own units."""
    if not task.target_curves:
        errors = (outputs.astype(np.float64) - y.astype(np.float64)) * np.array(task.target_scale)
    else:
        errors = task.unscale(outputs) - task.unscale(y)
    return np.ascontiguousarray(errors.swapaxes(1, 2))


def _explained(outputs: Outputs, y: Targets, task: Task, loss: str) -> Array:
    """(K, 3T, N): squared errors, centred targets, squared centred targets."""
    squares = _errors(outputs, y, task, loss) ** 2
    if not task.target_curves:
        centred = ((y - y.astype(np.float64).mean(axis=0)) * np.array(task.target_scale)).T
    else:
        own = task.unscale(y)
        centred = (own - own.mean(axis=0)).T
    parts = (squares, *(np.broadcast_to(part, squares.shape) for part in (centred, centred**2)))
    return np.concatenate(parts, axis=1)


def _r2(means: Array) -> Array:
    squares, mean, second = np.split(means, 3, axis=-1)
    variance = second - mean**2
    constant = variance <= np.finfo(np.float64).eps * second
    scores: Array = (1 - squares / np.where(constant, np.nan, variance)).mean(axis=-1)
    return scores


_METRICS: Final[Mapping[str, _Metric]] = {
    "accuracy": _Metric(_correct, lambda means: means[..., 0]),
    "macro_f1": _Metric(_hits, _macro_f1),
    "log_loss": _Metric(_surprise, lambda means: means[..., 0]),
    "rmse": _Metric(lambda *given: _errors(*given) ** 2, lambda means: np.sqrt(means).mean(axis=-1)),
    "mae": _Metric(lambda *given: np.abs(_errors(*given)), lambda means: means.mean(axis=-1)),
    "r2": _Metric(_explained, _r2),
}


def _roc_auc(outputs: Outputs, y: Targets, counts: Array, task: Task) -> Array:
    """(N, O), (R, N) -> (R,): P(a positive ranks above a negative); one class against the rest, averaged."""
    logs, drawn = log_probabilities(outputs), np.ascontiguousarray(counts.T)
    if task.kind == "binary":
        return _area(logs[:, 1] - logs[:, 0], y == 1, drawn)
    areas = [_area(logs[:, i], y == i, drawn) for i in range(len(task.classes))]
    mean: Array = np.stack(areas, axis=-1).mean(axis=-1)
    return mean


def _area(scores: Array, positive: NDArray[np.bool_], drawn: Array) -> Array:
    """The Mann-Whitney statistic with ties counted half, (N,) scores, (N, R) -> (R,); NaN where one side is empty.

    All sums are of whole numbers, and exact.
    """
    order = np.argsort(scores, kind="stable")
    ordered, ranks = scores[order], np.flatnonzero(positive[order])
    below = np.zeros((len(order) + 1, drawn.shape[1]))  # row i: of the negatives, those among the first i
    np.take(drawn, order, axis=0, out=below[1:], mode="clip")
    above = below[ranks + 1]
    below[ranks + 1] = 0
    np.cumsum(below, axis=0, out=below)
    first, behind = (np.searchsorted(ordered, ordered[ranks], side=side) for side in ("left", "right"))
    wins = np.einsum("pr,pr->r", above, below[first] + below[behind]) / 2
    pairs = above.sum(axis=0) * below[-1]
    area: Array = wins / np.where(pairs > 0, pairs, np.nan)
    return area


def _huber_location(targets: Array, delta: float) -> Array:
    """(N, T) -> (T,): the constant whose clipped residuals sum to zero, by bisection."""
    low, high = targets.min(axis=0), targets.max(axis=0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        rising = np.clip(targets - middle, -delta, delta).sum(axis=0) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    location: Array = 0.5 * (low + high)
    return location
