"""Train one cohort from start to end: the task that workers run, a pure function of its arguments."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import TrainingData
from hpsearch.engine import Cohort, EpochStatistics, Member, Weights, forward
from hpsearch.engine.losses import evaluate
from hpsearch.execution.cohorts import CohortTask, TrialTask
from hpsearch.execution.evaluation import EvaluationSet, FoldEvaluation
from hpsearch.execution.outcome import ROWS_KEPT, Outcome, StoppedError, failed
from hpsearch.execution.samples import Samples, mean_of_members
from hpsearch.judgment.metrics import curve_metric, final_scores, largest_share, metrics_of, primary_metric
from hpsearch.judgment.own_metrics import scores_by
from hpsearch.judgment.sample_losses import sample_losses, wrong
from hpsearch.judgment.stopping import Verdict, Watch

_PARTS: Final = ("train", "validation")
_PREFIXES: Final = ("train_", "validation_")


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
    if task.trainer is not None:
        from hpsearch.execution.trainers import train_own  # noqa: PLC0415 - what finds code loads the study file's model

        return train_own(task, task.trainer, data, stop)
    try:
        return _CohortRun(task, data, evaluation).run(stop)
    except StoppedError:
        raise
    except (ArithmeticError, MemoryError, ValueError, np.linalg.LinAlgError) as error:
        if len(task.trials) == 1:
            return [failed(task.trials[0], _named(error), started=time.time())]
        return [train_cohort(single, data, evaluation=evaluation, stop=stop)[0] for single in task.singles()]


class _CohortRun:
    """The state of one cohort's training: curves so far, verdicts, time shares.

    A trial's members (a network for each fold and seed) stand one behind the other in the cohort; they are judged by
    their mean, and stop together.
    """

    def __init__(self, task: CohortTask, data: TrainingData, evaluation: EvaluationSet) -> None:
        self.task, self.data, self.evaluation = task, data, evaluation
        self.loss = task.trials[0].hyperparameters.loss
        self.members = data.members
        self.huber = np.array([trial.hyperparameters.huber_delta for trial in self._by_member(task.trials)])
        self.metrics = _metrics_of_curves(task, data)
        numbers = range(self.members)
        self.cohort = Cohort(
            [
                Member(trial.hyperparameters, replace(trial.address, fold=number))
                for trial in task.trials
                for number in numbers
            ],
            [data.folds[data.fold_of(number)].train for _ in task.trials for number in numbers],
            outputs=data.task.outputs(self.loss),
            tokens=data.tokens,
            embedded=data.embedded,
            start=data.start,
        )
        n = len(task.trials)
        self.curves: list[dict[str, list[float]]] = [{} for _ in range(n)]
        self.at_best: list[list[dict[str, float]]] = [[] for _ in range(n)]
        self.factors: list[list[float]] = [[] for _ in range(n)]
        self.samples = Samples(self.cohort.layer_names, n)
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
        trials = tuple(dict.fromkeys(row // self.members for row in rows))
        statistics = self.cohort.train_epoch()
        if sampled := statistics.layers is not None:
            self.samples.begin(len(rows))
        columns = self._columns(rows, statistics, sampled=sampled)
        ordered = self._ordered(rows, trials)
        if statistics.layers is not None:
            self.samples.end(statistics.layers, trials, ordered)
        means = {name: mean_of_members(values[ordered]) for name, values in columns.items()}
        self._record(trials, means)
        monitored = means[self.task.objectives[0].metric]
        verdicts, improved = self.watch.update(trials, epoch, monitored)
        better = [trial for trial, is_better in zip(trials, improved, strict=True) if is_better]
        self._keep_members(better, {name: values[ordered] for name, values in columns.items()}, trials)
        if self.task.early_stopping.restore_best:
            self.cohort.remember(self._members_of(better))
        self._observe(rows, trials, monitored)
        for trial, verdict in zip(trials, verdicts, strict=True):
            self.verdicts[trial] = verdict
        done = [trial for trial in trials if self.verdicts[trial] is not Verdict.CONTINUE]
        if not self.task.early_stopping.restore_best:
            self.cohort.remember(self._members_of(done))
        self.cohort.leave(self._members_of(done))
        self.seconds[list(trials)] += (time.perf_counter() - before) / len(trials)

    def _by_member(self, trials: Sequence[TrialTask]) -> list[TrialTask]:
        return [trial for trial in trials for _ in range(self.members)]

    def _members_of(self, trials: Sequence[int]) -> list[int]:
        return [trial * self.members + number for trial in trials for number in range(self.members)]

    def _ordered(self, rows: Sequence[int], trials: Sequence[int]) -> NDArray[np.intp]:
        """(T, M): in which row of the cohort each member of each trial stands."""
        row_of = {position: row for row, position in enumerate(rows)}
        places = [row_of[position] for position in self._members_of(trials)]
        return np.array(places, dtype=np.intp).reshape(len(trials), self.members)

    def _columns(
        self, rows: Sequence[int], statistics: EpochStatistics, *, sampled: bool
    ) -> dict[str, NDArray[np.float64]]:
        """What the epoch gave: for each curve (K,), in the order of the cohort's rows."""
        columns = self._evaluate(rows, sampled=sampled)
        for name in ("learning_rate", "gradient_norm", "weight_norm", "plateau_factor"):
            columns[name] = getattr(statistics, name)
        return columns

    def _record(self, trials: Sequence[int], means: Mapping[str, NDArray[np.float64]]) -> None:
        """Append the epoch to the trials' curves."""
        for name, values in means.items():
            for trial, value in zip(trials, values.tolist(), strict=True):
                if name == "plateau_factor":
                    self.factors[trial].append(value)
                else:
                    self.curves[trial].setdefault(name, []).append(value)

    def _keep_members(
        self, better: Sequence[int], columns: Mapping[str, NDArray[np.float64]], trials: Sequence[int]
    ) -> None:
        """Note each member's losses and metrics of the trials that are at their best."""
        if self.members == 1:
            return
        followed = {name: values for name, values in columns.items() if name.startswith(_PREFIXES)}
        for trial in better:
            at = trials.index(trial)
            self.at_best[trial] = [
                {name: float(values[at, number]) for name, values in followed.items()}
                for number in range(self.members)
            ]

    def _evaluate(self, rows: Sequence[int], *, sampled: bool) -> dict[str, NDArray[np.float64]]:
        followed = ("loss", *self.metrics, *(own.name for own in self.task.metrics))
        names = [f"{part}_{metric}" for part in _PARTS for metric in followed]
        columns = {name: np.empty(len(rows)) for name in names}
        folds = np.array([self.data.fold_of(position % self.members) for position in rows])
        for number, fold in enumerate(self.evaluation.folds):
            chosen = np.flatnonzero(folds == number)
            if len(chosen):
                for name, values in self._evaluate_fold(rows, chosen, fold, sampled=sampled).items():
                    columns[name][chosen] = values
        return columns

    def _evaluate_fold(
        self, rows: Sequence[int], chosen: NDArray[np.intp], fold: FoldEvaluation, *, sampled: bool
    ) -> dict[str, NDArray[np.float64]]:
        """The columns of the rows of the cohort that learn from one fold."""
        idle = self.samples.idle[chosen] if sampled else None
        outputs = self.cohort.predict(fold.x, fold.lengths, rows=chosen, idle=idle)
        if idle is not None:
            self.samples.idle[chosen] = idle
            if fold.task.is_classification:
                validation = outputs[:, fold.parts["validation"][0]]
                self.samples.largest_share[chosen] = largest_share(validation, loss=self.loss)
        huber, columns = self.huber[[rows[row] for row in chosen]], {}
        for part in _PARTS:
            rows_of_part, y = fold.parts[part]
            of_part = outputs[:, rows_of_part]
            columns[f"{part}_loss"] = evaluate(self.loss, of_part, y, huber_delta=huber)
            for metric in self.metrics:
                columns[f"{part}_{metric}"] = curve_metric(metric, of_part, y, task=fold.task, loss=self.loss)
            for own in self.task.metrics:
                columns[f"{part}_{own.name}"] = own.curve(of_part, y, task=fold.task, loss=self.loss)
        return columns

    def _observe(self, rows: Sequence[int], trials: Sequence[int], monitored: NDArray[np.float64]) -> None:
        """Let the members' schedules see the mean of their trial, smaller being better."""
        sign = self.task.objectives[0].sign
        of_trial = dict(zip(trials, (sign * monitored).tolist(), strict=True))
        self.cohort.observe(np.array([of_trial[row // self.members] for row in rows]))

    def _outcome(self, position: int) -> Outcome:
        trial, verdict = self.task.trials[position], self.verdicts[position]
        weights = [self.cohort.remembered(member) for member in self._members_of([position])]
        kept = verdict in (Verdict.CONVERGED, Verdict.FINISHED)
        outputs = self._final_outputs(weights) if kept else []
        return Outcome(
            number=trial.number,
            verdict=verdict,
            curves={name: tuple(curve) for name, curve in self.curves[position].items()},
            best_epoch=int(self.watch.best_epoch[position]),
            scores=self._scores(outputs) if kept else {},
            plateau_factors=tuple(self.factors[position]),
            weights=weights[0].count,
            started=self.started,
            seconds=float(self.seconds[position]),
            members=tuple(self.at_best[position]) if kept else (),
            samples=self.samples.of(position),
            sample_losses=self._sample_losses(outputs, trial) if kept else (),
        )

    def _final_outputs(self, weights: Sequence[Weights]) -> list[NDArray[np.floating]]:
        """What each member says of its validation part."""
        folds = [self.data.folds[self.data.fold_of(number)] for number in range(self.members)]
        return [
            forward(of_member, fold.validation.x, fold.validation.lengths)
            for of_member, fold in zip(weights, folds, strict=True)
        ]

    def _scores(self, outputs: Sequence[NDArray[np.floating]]) -> dict[str, float]:
        """Each metric of the validation part, the mean over the members; without those that one of them lacks."""
        scores = []
        for number, of_member in enumerate(outputs):
            fold = self.data.folds[self.data.fold_of(number)]
            y, task = fold.validation.y, fold.task
            own = scores_by(self.task.metrics, of_member, y, task=task, loss=self.loss)
            scores.append(final_scores(of_member, y, task=task, loss=self.loss) | own)
        return {
            name: sum(of_member[name] for of_member in scores) / len(scores)
            for name in scores[0]
            if all(name in of_member for of_member in scores)
        }

    def _sample_losses(self, outputs: Sequence[NDArray[np.floating]], trial: TrialTask) -> tuple[float, ...]:
        """The mean over the members (seeds) of each row's loss; of its errors, where accuracy is the objective."""
        if len(self.data.folds) > 1:
            return ()
        y = self.data.validation.y
        rows = np.linspace(0, len(y) - 1, min(len(y), ROWS_KEPT)).astype(np.intp)
        by_error = self.task.objectives[0].metric.endswith("_accuracy")
        losses = [
            wrong(of_member[rows], y[rows], loss=self.loss)
            if by_error
            else sample_losses(
                of_member[rows], y[rows], loss=self.loss, huber_delta=trial.hyperparameters.huber_delta
            )
            for of_member in outputs
        ]
        return tuple(np.mean(losses, axis=0).tolist())


def _metrics_of_curves(task: CohortTask, data: TrainingData) -> tuple[str, ...]:
    """The metrics that are followed by epoch: the task's primary one and whatever the objectives name."""
    named = [
        objective.metric.partition("_")[2]
        for objective in task.objectives
        if objective.metric.startswith(("train_", "validation_"))
    ]
    wanted = [primary_metric(data.task), *(name for name in named if name != "loss")]
    return tuple(name for name in dict.fromkeys(wanted) if name in metrics_of(data.task))


def _padded(thresholds: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """(n, longest), NaN behind the end of the shorter ones."""
    padded = np.full((len(thresholds), max(map(len, thresholds))), np.nan)
    for row, values in zip(padded, thresholds, strict=True):
        row[: len(values)] = values
    return padded


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
