"""What is measured for an estimate: how long epochs take here, how soon trials end, and what a process costs.

It takes two to three seconds of a processor. Cohorts of the study's own course are trained by the code that will train
them, on its own data; where an epoch would take too long, on some of the rows.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from hpsearch.data.prepared import Part, TrainingData, frozen
from hpsearch.data.rows import rows_of
from hpsearch.engine.prediction import PREDICTED_AT_ONCE
from hpsearch.execution import CohortTask, Outcome, train_cohort
from hpsearch.execution.blas import one_blas_thread
from hpsearch.execution.evaluation import EvaluationSet
from hpsearch.execution.memory import Used, forget_peak, used
from hpsearch.execution.outcome import StoppedError
from hpsearch.preview.course import Course
from hpsearch.preview.pace import Pace

_TIMED: Final = 6
"""Cohorts whose epochs are timed, from the least to the greatest."""
_TIMING_SECONDS: Final = 1.0
_TRAINING_SECONDS: Final = 1.0
_FEW_STEPS: Final = 4
_TICKS: Final = 12
_START: Final = (
    "import sys; sys.path[:] = sys.argv[1:]; import hpsearch.execution.worker; "
    "from hpsearch.execution.memory import used; print(used().own)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was measured.

    `pace` foretells the seconds of an epoch; `outcomes` are those of trials trained to their end; `start` is what a
    worker process takes of a processor until it can train, in seconds. `process` and `training` are bytes: of a
    worker that has done nothing, without libraries' files, and what training adds; `before` is what this process used
    before it trained. `slowness`: seconds by the clock for one of the processor.
    """

    pace: Pace
    outcomes: Sequence[Outcome]
    start: float
    process: int
    before: Used
    training: int
    slowness: float


def calibrate(course: Course) -> Calibration:
    """Measure, in two to three seconds of a processor."""
    clock = time.perf_counter(), time.thread_time()
    before = used()
    forget_peak()
    with one_blas_thread():
        pace = _timed(course)
        outcomes = _trained(course, pace)
    training = max(0, used().peak - before.now)
    slowness = (time.perf_counter() - clock[0]) / max(time.thread_time() - clock[1], 1e-6)
    start, process = _start_of_a_worker()
    return Calibration(
        pace=pace,
        outcomes=outcomes,
        start=start,
        process=process,
        before=before,
        training=training,
        slowness=max(1.0, slowness),
    )


def _timed(course: Course) -> Pace:
    """Epochs of some cohorts, evenly from the least to the greatest, the two ends first."""
    by_size = sorted(course.cohorts, key=lambda cohort: Pace.work(course, cohort).products)
    places = np.linspace(0, len(by_size) - 1, min(_TIMED, len(by_size))).round().astype(int)
    chosen = [by_size[place] for place in dict.fromkeys(places[[0, -1, *range(1, len(places) - 1)]].tolist())]
    _take_memory(by_size[-1], course.data.training)
    end = time.thread_time() + _TIMING_SECONDS
    seconds: list[float] = []
    for cohort in chosen:
        if seconds and time.thread_time() > end:
            break
        seconds.append(_epoch(cohort, course, _TIMING_SECONDS / _TIMED))
    return Pace.fitted([Pace.work(course, cohort) for cohort in chosen[: len(seconds)]], seconds)


def _take_memory(cohort: CohortTask, data: TrainingData) -> None:
    """Take the memory that a cohort takes: a few steps, and as many rows evaluated as pass through at once."""
    once = [
        replace(trial, hyperparameters=replace(trial.hyperparameters, epochs=1)) for trial in cohort.trials
    ]
    evaluation = EvaluationSet.draw(thinned(data, PREDICTED_AT_ONCE, validation=PREDICTED_AT_ONCE), 0)
    rows = _FEW_STEPS * cohort.trials[0].hyperparameters.batch_size
    train_cohort(replace(cohort, trials=tuple(once)), thinned(data, rows), evaluation=evaluation)


def _epoch(cohort: CohortTask, course: Course, seconds: float) -> float:
    """Seconds that an epoch of a cohort takes: first by a few steps, then by as many as there is time for."""
    training, batch = course.data.training, cohort.trials[0].hyperparameters.batch_size
    rows = _FEW_STEPS * batch
    each = _each(cohort, thinned(training, rows), seconds / 4)
    affordable = int(rows * seconds / 4 / each)
    if rows < course.rows and affordable > 2 * rows:
        rows = affordable
        each = _each(cohort, thinned(training, rows), seconds / 2)
    return each * max(1.0, course.rows / rows)


def _each(cohort: CohortTask, data: TrainingData, seconds: float) -> float:
    """Seconds of one epoch on these data; the first is not counted where there are others."""
    evaluation, ticks = EvaluationSet.draw(data, 0), [time.thread_time()]

    def stop() -> bool:
        ticks.append(time.thread_time())
        return len(ticks) > 3 and (len(ticks) > _TICKS or ticks[-1] - ticks[0] > seconds)

    try:
        train_cohort(cohort, data, evaluation=evaluation, stop=stop)
    except StoppedError:
        pass
    else:
        ticks.append(time.thread_time())
    spans = np.diff(ticks)  # the first is what it takes to make the networks
    return float(np.median(spans[2:] if len(spans) > 2 else spans[-1:]))


def thinned(data: TrainingData, rows: int, *, validation: int = 0) -> TrainingData:
    """The data with about so many rows to train, and as many in proportion, or `validation`, to validate."""
    share = min(1.0, rows / len(data.train))
    folds = tuple(
        replace(
            fold,
            train=_some(fold.train, round(share * len(fold.train))),
            validation=_some(fold.validation, max(validation, round(share * len(fold.validation)))),
        )
        for fold in data.folds
    )
    return replace(data, folds=folds)


def _some(part: Part, rows: int) -> Part:
    """The first rows, two at least; the part itself where it has no more."""
    if rows >= len(part):
        return part
    some = np.arange(max(2, rows))
    return frozen(rows_of(part.x, some), part.y[some], None if part.lengths is None else part.lengths[some])


def _trained(course: Course, pace: Pace) -> list[Outcome]:
    """Outcomes of as many of the first trials as surely come to their end in the time."""
    spec, training = course.spec, course.data.training
    if spec.early_stopping.patience is None and spec.pruning.rule == "none":
        return []
    end, outcomes = time.thread_time() + _TRAINING_SECONDS, []
    evaluation = None
    for cohort in course.cohorts:
        left = end - time.thread_time()
        whole = pace.epoch(course, cohort) * max(course.epochs[number] for number in cohort.numbers)
        count = int(min(1.0, left / whole) * len(cohort.trials))
        if count < 1:
            continue
        evaluation = evaluation or EvaluationSet.draw(training, spec.seed)
        some = replace(cohort, trials=cohort.trials[:count])
        outcomes += train_cohort(some, training, evaluation=evaluation)
    return outcomes


def _start_of_a_worker() -> tuple[float, int]:
    """Seconds of a processor, and bytes, of a process that is ready to train."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-P", "-c", _START, *sys.path], capture_output=True, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, int(done.stdout)
