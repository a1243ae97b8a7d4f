"""What stands behind a score: which classes are confused, whether confidence is deserved, which rows are missed.

Everything here is read off the outputs for rows that the network has not learned from, and is JSON.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import Task
from hpsearch.data.rows import rows_of
from hpsearch.judgment.metrics import (
    Outputs,
    Targets,
    curve_metric,
    direction,
    log_probabilities,
    predicted_classes,
    primary_metric,
)

BINS: Final = 10
"""Bins of equal width between confidence 0 and 1."""

MOST_CLASSES: Final = 100
"""Classes up to which a table of confusions can be read."""

MOST_POINTS: Final = 500
"""Predictions of numbers that are kept one by one, evenly over the rows."""

WORST: Final = 10
"""Rows that are shown for being predicted worst."""

REPEATS: Final = 3
"""Permutations of each input."""

MOST_INPUTS: Final = 100
"""Inputs that are permuted at most; of more the importance is not taken."""

MOST_ROWS: Final = 2000
"""Rows that inputs are permuted in, at most."""


def inspect(outputs: Outputs, y: Targets, *, task: Task, loss: str) -> dict[str, Any]:
    """All that can be said of (N, O) outputs before softmax or sigmoid, for (N,) class ids or (N, T) scaled targets.

    For classes `confusion` (true by row, predicted by column), `per_class`, `calibration`; for numbers `residuals`. And
    `worst`: the rows that were predicted worst, by their number within the part.
    """
    if not task.is_classification:
        return {"residuals": residuals(outputs, y, task=task), "worst": _worst_numbers(outputs, y, task)}
    table = confusion(outputs, y, task=task, loss=loss)
    found = {"per_class": per_class(table, task), "calibration": calibration(outputs, y, loss=loss)}
    if len(task.classes) <= MOST_CLASSES:
        found["confusion"] = table.tolist()
    return {**found, "worst": _worst_classes(outputs, y, task, loss)}


def confusion(outputs: Outputs, y: Targets, *, task: Task, loss: str) -> NDArray[np.int64]:
    """(C, C): how many rows of each true class were taken for each class."""
    classes = len(task.classes)
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (y.astype(np.intp), predicted_classes(outputs, loss)), 1)
    return table


def per_class(table: NDArray[np.int64], task: Task) -> list[dict[str, Any]]:
    """Precision, recall and F1 of each class by its confusions; None where nothing was predicted, or is there."""
    hits, predicted, true = np.diag(table), table.sum(axis=0), table.sum(axis=1)
    return [
        {
            "class": label,
            "precision": _ratio(hit, said),
            "recall": _ratio(hit, there),
            "f1": _ratio(2 * hit, said + there),
            "rows": int(there),
        }
        for label, hit, said, there in zip(task.classes, hits, predicted, true, strict=True)
    ]


def calibration(outputs: Outputs, y: Targets, *, loss: str) -> dict[str, Any]:
    """Whether the network is right as often as it is sure: by bins of confidence, and in one number.

    The confidence is the probability of the predicted class. `error` is the expected calibration error (Guo et al.
    2017): the mean over rows of the difference between confidence and accuracy within their bin.
    """
    confidence = np.exp(log_probabilities(outputs)).max(axis=-1)
    correct = predicted_classes(outputs, loss) == y
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    found = [
        {
            "confidence": float(confidence[inside].mean()),
            "accuracy": float(correct[inside].mean()),
            "rows": int(inside.sum()),
        }
        for inside in (bins == number for number in range(BINS))
        if inside.any()
    ]
    error = sum(each["rows"] * abs(each["confidence"] - each["accuracy"]) for each in found) / len(y)
    return {"bins": found, "error": float(error)}


def residuals(outputs: Outputs, y: Targets, *, task: Task) -> list[dict[str, Any]]:
    """For each target, in its own unit: predictions beside true values, and how they differ (predicted - true)."""
    predicted, true = task.unscale(outputs), task.unscale(y)
    shown = np.unique(np.linspace(0, len(true) - 1, min(len(true), MOST_POINTS)).round().astype(int))
    return [
        {
            "target": name,
            "true": true[shown, number].tolist(),
            "predicted": predicted[shown, number].tolist(),
            "bias": float(np.mean(predicted[:, number] - true[:, number])),
            "quantiles": dict(
                zip(
                    ("5%", "25%", "50%", "75%", "95%"),
                    np.quantile(
                        predicted[:, number] - true[:, number], (0.05, 0.25, 0.5, 0.75, 0.95)
                    ).tolist(),
                    strict=True,
                )
            ),
        }
        for number, name in enumerate(task.target_names)
    ]


def permutation_importance(
    predict: Callable[[NDArray[Any]], Outputs],
    x: NDArray[Any],
    y: Targets,
    inputs: Mapping[str, slice],
    *,
    task: Task,
    loss: str,
    stream: np.random.Generator,
) -> dict[str, float]:
    """How much worse the primary metric gets when one input is shuffled among the rows (Breiman 2001).

    Args:
        predict: outputs of (N, D) features.
        x: (N, D) features.
        y: (N,) class ids, or (N, T) scaled targets.
        inputs: which features come from each input, and are shuffled together.
        task: as for `curve_metric`.
        loss: as for `curve_metric`.
        stream: where the permutations come from.

    Returns:
        The mean over the permutations by input, the most important first; positive where the input helps. Empty
        where there are too many inputs.
    """
    if len(inputs) > MOST_INPUTS:
        return {}
    rows = stream.permutation(len(x))[:MOST_ROWS]
    x, y = rows_of(x, rows), y[rows]
    metric = primary_metric(task)
    sign = 1.0 if direction(metric) == "maximize" else -1.0

    def score(features: NDArray[Any]) -> float:
        return sign * float(curve_metric(metric, predict(features)[None], y, task=task, loss=loss)[0])

    whole, drops = score(x), {}
    for name, columns in inputs.items():
        shuffled, losses = x.copy(), []
        for _ in range(REPEATS):
            shuffled[:, columns] = x[stream.permutation(len(x)), columns]
            losses.append(whole - score(shuffled))
        drops[name] = float(np.mean(losses))
    return dict(sorted(drops.items(), key=lambda item: -item[1]))


def _worst_classes(outputs: Outputs, y: Targets, task: Task, loss: str) -> list[dict[str, Any]]:
    """The rows whose true class was given the smallest probability, among those that were missed."""
    logs, predicted = log_probabilities(outputs), predicted_classes(outputs, loss)
    of_truth = np.take_along_axis(logs, y.astype(np.intp)[:, None], axis=-1)[:, 0]
    order = [row for row in np.argsort(of_truth, kind="stable") if predicted[row] != y[row]]
    return [
        {
            "row": int(row),
            "true": task.classes[int(y[row])],
            "predicted": task.classes[int(predicted[row])],
            "probability_of_true": float(np.exp(of_truth[row])),
        }
        for row in order[:WORST]
    ]


def _worst_numbers(outputs: Outputs, y: Targets, task: Task) -> list[dict[str, Any]]:
    """The rows with the largest errors, in units of each target's scale."""
    far = np.abs(outputs.astype(np.float64) - y.astype(np.float64)).max(axis=-1)
    predicted, true = task.unscale(outputs), task.unscale(y)
    return [
        {"row": int(row), "true": true[row].tolist(), "predicted": predicted[row].tolist()}
        for row in np.argsort(-far, kind="stable")[:WORST]
    ]


def _ratio(part: Any, whole: Any) -> float | None:
    return float(part / whole) if whole else None
