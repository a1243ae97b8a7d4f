"""Train one cohort from start to end: the task that workers run, a pure function of its arguments."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import Part, TrainingData
from hpsearch.engine import Cohort, Member, Weights, forward
from hpsearch.engine.losses import evaluate
from hpsearch.execution.cohorts import CohortTask, TrialTask
from hpsearch.judgment.metrics import curve_metric, final_scores, primary_metric
from hpsearch.judgment.stopping import Verdict, Watch
from hpsearch.randomness import Address

_PARTS: Final = ("train", "validation")


class StoppedError(Exception):
    """The driver asked the worker to stop; the cohort's trials count as never begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What training one trial gave.

    Every curve has one number an epoch. `scores` are the validation metrics of the weights kept: those of
    the best epoch, or of the last where `restore_best` is off. `error` names what kept the trial from training at all.
    """

    number: int
    verdict: Verdict
    curves: Mapping[str, tuple[float, ...]]
    best_epoch: int
    scores: Mapping[str, float]
    plateau_factors: tuple[float, ...]
    weights: int
    started: float
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """What every epoch is judged on: a sample of the training part, as large as the validation part, and that part.

    Both are judged in evaluation mode (no dropout, the epoch's final weights), so that their difference is the
    generalization gap and nothing else. One forward pass serves both.
    """

    x: NDArray[Any]
    parts: Mapping[str, tuple[slice, NDArray[np.generic]]]
    lengths: NDArray[np.int32] | None = None

    @classmethod
    def draw(cls, data: TrainingData, seed: int) -> "EvaluationSet":
        """The evaluation set of a study: the same rows for every trial."""
        n = min(len(data.train), len(data.validation))
        stream = Address(seed=seed).stream("evaluation")
        rows = np.sort(stream.choice(len(data.train), size=n, replace=False))
        x = np.concatenate([data.train.x[rows], data.validation.x])
        lengths = None
        if data.train.lengths is not None and data.validation.lengths is not None:
            lengths = np.concatenate([data.train.lengths[rows], data.validation.lengths])
        return cls(
            x,
            {
                "train": (slice(0, n), data.train.y[rows]),
                "validation": (slice(n, len(x)), data.validation.y),
            },
            lengths,
        )


def train_cohort(
    task: CohortTask,
    data: TrainingData,
    *,
    evaluation: EvaluationSet,
    stop: Callable[[], bool] = lambda: False,
) -> list[Outcome]:
    """Train the cohort's trials and say how each went, in the task's order.

    A trial that cannot be trained (out of memory, an impossible combination) fails alone: the others are
    trained again without it, to the same bits.

    Raises:
        StoppedError: `stop` became true; asked once an epoch.
    """
    try:
        return _CohortRun(task, data, evaluation).run(stop)
    except StoppedError:
        raise
    except (ArithmeticError, MemoryError, ValueError, np.linalg.LinAlgError) as error:
        if len(task.trials) == 1:
            return [failed(task.trials[0], _named(error), started=time.time())]
        return [train_cohort(single, data, evaluation=evaluation, stop=stop)[0] for single in task.singles()]


class _CohortRun:
    """The state of one cohort's training: curves so far, verdicts, time shares."""

    def __init__(self, task: CohortTask, data: TrainingData, evaluation: EvaluationSet) -> None:
        self.task, self.data, self.evaluation = task, data, evaluation
        self.loss = task.trials[0].hyperparameters.loss
        self.huber = np.array([trial.hyperparameters.huber_delta for trial in task.trials])
        self.metrics = _metrics_of_curves(task, data)
        self.outputs = data.task.outputs(self.loss)
        self.cohort = Cohort(
            [Member(trial.hyperparameters, trial.address) for trial in task.trials],
            data.train,
            outputs=self.outputs,
        )
        n = len(task.trials)
        self.curves: list[dict[str, list[float]]] = [{} for _ in range(n)]
        self.factors: list[list[float]] = [[] for _ in range(n)]
        self.verdicts = [Verdict.CONTINUE] * n
        self.seconds = np.zeros(n)
        self.started = time.time()
        self.watch = Watch(
            n,
            epochs=np.array([trial.hyperparameters.epochs for trial in task.trials]),
            patience=task.early_stopping.patience,
            min_delta=task.early_stopping.min_delta,
            direction=task.objectives[0].direction,
            thresholds=_padded([trial.thresholds for trial in task.trials]),
        )

    def run(self, stop: Callable[[], bool]) -> list[Outcome]:
        epoch = 0
        while self.cohort.rows:
            if stop():
                raise StoppedError
            epoch += 1
            self._epoch(epoch)
        return [self._outcome(position) for position in range(len(self.task.trials))]

    def _epoch(self, epoch: int) -> None:
        before, rows = time.perf_counter(), self.cohort.rows
        statistics = self.cohort.train_epoch()
        monitored = self._record(rows, statistics)
        verdicts, improved = self.watch.update(rows, epoch, monitored)
        if self.task.early_stopping.restore_best:
            self.cohort.remember([row for row, better in zip(rows, improved, strict=True) if better])
        self.cohort.observe(self._minimized(monitored))
        done = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict is not Verdict.CONTINUE]
        for row, verdict in zip(rows, verdicts, strict=True):
            self.verdicts[row] = verdict
        if not self.task.early_stopping.restore_best:
            self.cohort.remember(done)
        self.cohort.leave(done)
        self.seconds[list(rows)] += (time.perf_counter() - before) / len(rows)

    def _record(self, rows: Sequence[int], statistics: object) -> NDArray[np.float64]:
        """Append the epoch to the rows' curves; the monitored metric of each row."""
        columns = self._evaluate(rows)
        for name in ("learning_rate", "gradient_norm", "weight_norm"):
            columns[name] = getattr(statistics, name)
        for name, values in columns.items():
            for row, value in zip(rows, values.tolist(), strict=True):
                self.curves[row].setdefault(name, []).append(value)
        for row, factor in zip(rows, statistics.plateau_factor.tolist(), strict=True):  # type: ignore[attr-defined]
            self.factors[row].append(factor)
        metric = self.task.objectives[0].metric
        return columns[metric]

    def _evaluate(self, rows: Sequence[int]) -> dict[str, NDArray[np.float64]]:
        outputs = self.cohort.predict(self.evaluation.x, self.evaluation.lengths)
        columns = {}
        for part in _PARTS:
            rows_of_part, y = self.evaluation.parts[part]
            of_part = outputs[:, rows_of_part]
            columns[f"{part}_loss"] = evaluate(self.loss, of_part, y, huber_delta=self.huber[list(rows)])
            for metric in self.metrics:
                columns[f"{part}_{metric}"] = curve_metric(
                    metric, of_part, y, task=self.data.task, loss=self.loss
                )
        return columns

    def _minimized(self, monitored: NDArray[np.float64]) -> NDArray[np.float64]:
        return monitored if self.task.objectives[0].direction == "minimize" else -monitored

    def _outcome(self, position: int) -> Outcome:
        trial, verdict = self.task.trials[position], self.verdicts[position]
        weights = self.cohort.remembered(position)
        kept = verdict in (Verdict.CONVERGED, Verdict.FINISHED)
        return Outcome(
            number=trial.number,
            verdict=verdict,
            curves={name: tuple(curve) for name, curve in self.curves[position].items()},
            best_epoch=int(self.watch.best_epoch[position]),
            scores=self._scores(weights, self.data.validation) if kept else {},
            plateau_factors=tuple(self.factors[position]),
            weights=weights.count,
            started=self.started,
            seconds=float(self.seconds[position]),
        )

    def _scores(self, weights: Weights, part: Part) -> dict[str, float]:
        outputs = forward(weights, part.x, part.lengths)
        return final_scores(outputs, part.y, task=self.data.task, loss=self.loss)


def _metrics_of_curves(task: CohortTask, data: TrainingData) -> tuple[str, ...]:
    """The metrics that are followed by epoch: the task's primary one and whatever the objectives name."""
    named = [
        objective.metric.partition("_")[2]
        for objective in task.objectives
        if objective.metric.startswith(("train_", "validation_"))
    ]
    wanted = [primary_metric(data.task), *(name for name in named if name != "loss")]
    return tuple(dict.fromkeys(wanted))


def _padded(thresholds: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """(n, longest), NaN behind the end of the shorter ones."""
    padded = np.full((len(thresholds), max(map(len, thresholds))), np.nan)
    for row, values in zip(padded, thresholds, strict=True):
        row[: len(values)] = values
    return padded


def failed(trial: TrialTask, reason: str, *, started: float) -> Outcome:
    """The outcome of a trial that could not be trained."""
    return Outcome(
        number=trial.number,
        verdict=Verdict.FAILED,
        curves={},
        best_epoch=0,
        scores={},
        plateau_factors=(),
        weights=0,
        started=started,
        seconds=0.0,
        error=reason,
    )


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
