"""The estimate: what was measured, carried on to the study's budget, and what had to be assumed for it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.execution import Outcome
from hpsearch.execution.cores import available_cores
from hpsearch.judgment.pruning import History, pruned_after, thresholds
from hpsearch.judgment.stopping import Verdict
from hpsearch.preview.calibration import Calibration
from hpsearch.preview.course import Course
from hpsearch.preview.pace import Pace
from hpsearch.search.proposals import startup_trials
from hpsearch.tracking.model_files import described

_ENOUGH: Final = 4
"""Trials by which it is judged how soon the others end."""
_STOPPED_SHARE: Final = 0.7
_PRUNED_SHARE: Final = 0.6
"""Shares of epochs that are trained, where too little could be measured: by patience, and of those by pruning."""

# In starts of a worker process, whose time is measured: of libraries' imports and MLflow's database, mostly.
_DRIVER: Final = 3.2
_END: Final = 0.5
_WRITER: Final = 1.0
_MLFLOW: Final = 9.0
_MLFLOW_MEMORY: Final = 5.0
"""Beside it, where MLflow itself must write the model: its import, mostly."""
_TRIAL: Final = 0.03
"""To propose, judge and store one, and to write it to MLflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a study will take, with so many workers.

    Seconds are by the clock, `processor` seconds of all processes together; `at_most` is without a trial that stops
    early or is pruned. `memory` is in bytes, of all processes. `timed` cohorts and `trained` trials were measured by.
    """

    trials: int
    workers: int
    seconds: float
    at_most: float
    processor: float
    memory: int
    parts: dict[str, float]
    timed: int
    trained: int
    assumed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Shares:
    """Of a trial's epochs, those that are trained: until patience ends, and of these until it is pruned."""

    stopped: float
    pruned: float
    assumed: tuple[str, ...]


def estimate(course: Course, measured: Calibration, *, workers: int, preparing: float) -> Estimate:
    """Carry on from what was measured to the study's whole budget; `preparing` the data took so many seconds."""
    shares, by_mlflow = _shares(course, measured.outcomes), _written_by_mlflow(course)
    parts = {
        "start": (_DRIVER + (workers if workers > 1 else 0)) * measured.start + preparing,
        "training": _training(course, measured.pace, shares),
        "trials": _TRIAL * course.trials * measured.start,
        "refit": _refit(course, measured.pace, shares) + _END * measured.start,
        "MLflow": _WRITER * measured.start,
        "model": _MLFLOW * measured.start if by_mlflow else 0.0,
    }
    most = parts | {"training": _training(course, measured.pace, _Shares(1.0, 1.0, ()))}
    parts, most = (_limited(course, measured, each, workers) for each in (parts, most))
    return Estimate(
        trials=course.trials,
        workers=workers,
        seconds=_by_the_clock(course, measured, parts, workers),
        at_most=_by_the_clock(course, measured, most, workers),
        processor=sum(parts.values()),
        memory=_memory(measured, workers, by_mlflow=by_mlflow),
        parts=parts,
        timed=measured.pace.timed,
        trained=len(measured.outcomes),
        assumed=shares.assumed,
    )


def _limited(
    course: Course, measured: Calibration, parts: dict[str, float], workers: int
) -> dict[str, float]:
    """The parts of a study that ends where its budget in time does."""
    limit = course.spec.budget.time
    search = parts["training"] / _together(course, workers) + parts["trials"]
    if limit is None or search * measured.slowness <= limit:
        return parts
    left = limit / (search * measured.slowness)
    return parts | {name: parts[name] * left for name in ("training", "trials")}


def _together(course: Course, workers: int) -> int:
    """How many workers train at the same time."""
    return max(1, min(workers, available_cores(), course.trials))


def _by_the_clock(course: Course, measured: Calibration, parts: dict[str, float], workers: int) -> float:
    """Workers start and train side by side; MLflow's writer runs beside them if a core is left."""
    beside = (workers - 1) * measured.start + parts["MLflow"]
    training = parts["training"]
    alone = sum(parts.values()) - beside - training + training / _together(course, workers)
    return measured.slowness * max(alone, sum(parts.values()) / available_cores())


def _memory(measured: Calibration, workers: int, *, by_mlflow: bool) -> int:
    """The driver's, the workers' and that of MLflow's writer; files that processes share count once."""
    before = measured.before
    writer = (_MLFLOW_MEMORY if by_mlflow else 1.0) * measured.process
    if workers == 1:
        return int(max(before.peak, before.now + measured.training) + writer)
    return int(before.peak + workers * (measured.process + measured.training) + writer)


def _written_by_mlflow(course: Course) -> bool:
    """Whether MLflow writes the model: inputs are no plain table, or the models are kept elsewhere."""
    example = json.loads(course.data.raw_example().to_json(orient="split", index=False, date_format="iso"))
    plain = described(example, course.data.task.to_json()) is not None
    return not plain or course.spec.tracking.uri is not None


def _training(course: Course, pace: Pace, shares: _Shares) -> float:
    patience = course.spec.early_stopping.patience
    first = max(startup_trials(course.spec), course.spec.pruning.startup_trials)
    total = 0.0
    for cohort in course.cohorts:
        each = pace.epoch(course, cohort) / len(cohort.trials)
        for number in cohort.numbers:
            epochs = course.epochs[number]
            trained = max(epochs * shares.stopped, min(epochs, (patience or 0) + 1))
            total += each * max(1.0, trained * (1.0 if number < first else shares.pruned))
    return total * course.trials / len(course.proposals)


def _refit(course: Course, pace: Pace, shares: _Shares) -> float:
    """One network, on training and validation rows together, for as many epochs as a trial has on average."""
    summary = course.data.summary
    rows = summary.rows - summary.test_rows
    seconds = [
        pace.seconds(Pace.work(course, cohort, networks=1, rows=rows)) * course.epochs[number]
        for cohort in course.cohorts
        for number in cohort.numbers
    ]
    return float(np.mean(seconds)) * shares.stopped


def _shares(course: Course, outcomes: Sequence[Outcome]) -> _Shares:
    spec = course.spec
    finished = [each for each in outcomes if each.verdict is not Verdict.FAILED]
    enough = len(finished) >= min(_ENOUGH, course.trials)
    stopped, pruned, assumed = 1.0, 1.0, []
    if spec.early_stopping.patience is not None:
        stopped = _STOPPED_SHARE
        if enough:
            trained, planned = zip(
                *((_length(each), course.epochs[each.number]) for each in finished), strict=True
            )
            stopped = sum(trained) / sum(planned)
        else:
            assumed.append(f"patience leaves {_STOPPED_SHARE:.0%} of all epochs")
    if spec.pruning.rule != "none" and course.trials > spec.pruning.startup_trials:
        found = _pruned_share(course, finished)
        pruned = _PRUNED_SHARE if found is None else found
        if found is None:
            assumed.append(f"pruning leaves {_PRUNED_SHARE:.0%} of the epochs of trials that it may end")
    return _Shares(stopped, pruned, tuple(assumed))


def _pruned_share(course: Course, outcomes: Sequence[Outcome]) -> float | None:
    """Of the epochs of trials that were trained, those until each is pruned by comparison with the others."""
    rule = course.spec.pruning
    curves = {each.number: _curve(course, each) for each in outcomes}
    if len(curves) <= max(rule.startup_trials, _ENOUGH):
        return None
    trained = kept = 0
    for number, curve in curves.items():
        history = History()
        for other in outcomes:
            if other.number != number:
                finished = other.verdict is not Verdict.DIVERGED
                history.add(curves[other.number], number=other.number, finished=finished)
        limits = thresholds(rule, history, number=number, epochs=course.epochs[number])
        trained += len(curve)
        kept += pruned_after(curve, limits, ended=True) or len(curve)
    return kept / trained


def _curve(course: Course, outcome: Outcome) -> NDArray[np.float64]:
    objective = course.spec.objectives[0]
    return objective.sign * np.array(outcome.curves[objective.metric], dtype=np.float64)


def _length(outcome: Outcome) -> int:
    return max(map(len, outcome.curves.values()))
