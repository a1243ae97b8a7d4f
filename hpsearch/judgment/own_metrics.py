"""Metrics of one's own: functions of targets and predictions, in the words of the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import Task
from hpsearch.errors import TrainingError
from hpsearch.judgment.metrics import Array, Outputs, Targets, log_probabilities, predicted_classes
from hpsearch.judgment.scores import Interval, bootstrap_interval

if TYPE_CHECKING:
    from hpsearch.extensions import Extension
    from hpsearch.spec import StudySpec

REPEATS: Final = 200
"""Resamples of the test rows: a function of one's own may take its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMetric:
    """A function `(targets, predictions) -> number` under a name; of classes, of labels or of `probabilities`."""

    name: str
    extension: "Extension"
    probabilities: bool = False

    def curve(self, outputs: Outputs, y: Targets, *, task: Task, loss: str) -> Array:
        """(K, N, O) outputs -> (K,): as `curve_metric`; NaN for a network with an output that is not finite.

        Raises:
            ValueError: the function failed, or gave no number.
        """
        targets = self._targets(y, task)
        scores = [
            self._score(targets, self._predictions(each, task, loss)) if np.isfinite(each).all() else np.nan
            for each in outputs
        ]
        return np.array(scores, dtype=np.float64)

    def interval(
        self, outputs: Outputs, y: Targets, *, task: Task, loss: str, stream: np.random.Generator
    ) -> Interval:
        """The 95% bootstrap interval of its score of (N, O) outputs; rows that it cannot score are left out of it."""
        targets, predictions = self._targets(y, task), self._predictions(outputs, task, loss)

        def score(rows: NDArray[np.intp]) -> float:
            try:
                return self._score(targets[rows], predictions[rows])
            except ValueError:
                return np.nan

        return bootstrap_interval(score, len(y), stream, repeats=REPEATS)

    def _score(self, targets: NDArray[Any], predictions: NDArray[Any]) -> float:
        try:
            return float(self.extension.function(targets, predictions))
        except Exception as error:  # it is somebody else's code
            raise ValueError(f"metric {self.name} failed: {type(error).__name__}: {error}") from error

    def _targets(self, y: Targets, task: Task) -> NDArray[Any]:
        return task.decode(y) if task.is_classification else _plain(task.unscale(y))

    def _predictions(self, outputs: Outputs, task: Task, loss: str) -> NDArray[Any]:
        if not task.is_classification:
            return _plain(task.unscale(outputs))
        if self.probabilities:
            return np.exp(log_probabilities(outputs))
        return task.decode(predicted_classes(outputs, loss))


def own_metrics(spec: "StudySpec", functions: "Mapping[str, Extension]") -> tuple[OwnMetric, ...]:
    """The metrics of a study that are its own, with their functions by name."""
    return tuple(
        OwnMetric(name=name, extension=functions[name], probabilities=metric.predictions == "probabilities")
        for name, metric in spec.metrics.items()
    )


def scores_by(
    metrics: Sequence[OwnMetric], outputs: Outputs, y: Targets, *, task: Task, loss: str
) -> dict[str, float]:
    """Each metric of one network's outputs (N, O); without those undefined on these rows.

    Raises:
        ValueError: a function failed.
    """
    scores = {
        metric.name: float(metric.curve(outputs[None], y, task=task, loss=loss)[0]) for metric in metrics
    }
    return {name: score for name, score in scores.items() if not np.isnan(score)}


def tested_by(
    metrics: Sequence[OwnMetric], outputs: Outputs, y: Targets, *, task: Task, loss: str
) -> dict[str, float]:
    """`scores_by` on the test part.

    Raises:
        TrainingError: a function failed.
    """
    try:
        return scores_by(metrics, outputs, y, task=task, loss=loss)
    except ValueError as error:
        raise TrainingError(f"{error} (on the test part)") from error


def _plain(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, T), of one target (N,)."""
    return values[:, 0] if values.shape[1] == 1 else values
