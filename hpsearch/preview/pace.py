"""How long an epoch of any cohort takes, from some that were timed: a share by calls, and one by what they compute."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hpsearch.execution import CohortTask
from hpsearch.preview.course import Course


@dataclass(frozen=True, slots=True)
class Work:
    """What an epoch of a cohort takes: calls on whole arrays, and multiply-adds."""

    calls: float
    products: float


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of a call, and of a multiply-add, by so many cohorts that were timed."""

    call: float
    product: float
    timed: int

    @classmethod
    def fitted(cls, works: Sequence[Work], seconds: Sequence[float]) -> Self:
        """The pace at which the works took these seconds, nearest in proportion; neither share is negative."""
        y = np.array(seconds)
        columns = np.array([(work.calls, work.products) for work in works]) / y[:, None]
        alone = [_alone(column) for column in columns.T]
        both, *_ = np.linalg.lstsq(columns, np.ones(len(y)), rcond=None)
        if len(y) > 1 and (both >= 0).all():
            return cls(float(both[0]), float(both[1]), len(y))
        errors = [
            float(((column * rate - 1) ** 2).sum()) for column, rate in zip(columns.T, alone, strict=True)
        ]
        return cls(alone[0], 0.0, len(y)) if errors[0] < errors[1] else cls(0.0, alone[1], len(y))

    @staticmethod
    def work(
        course: Course, cohort: CohortTask, *, networks: int | None = None, rows: int | None = None
    ) -> Work:
        """Of an epoch of a cohort; `networks` and `rows` where there are others than the study has."""
        effort, batch = course.effort(cohort), cohort.trials[0].hyperparameters.batch_size
        networks = len(cohort.trials) * course.members if networks is None else networks
        rows = course.rows if rows is None else rows
        steps = ceil(rows / batch)
        return Work(
            calls=steps * effort.calls, products=networks * (rows * effort.sample + steps * effort.update)
        )

    def seconds(self, work: Work) -> float:
        """What a work takes of a processor."""
        return self.call * work.calls + self.product * work.products

    def epoch(self, course: Course, cohort: CohortTask) -> float:
        """What an epoch of a cohort takes of a processor, in seconds."""
        return self.seconds(self.work(course, cohort))


def _alone(column: NDArray[np.float64]) -> float:
    """The rate that fits best if nothing else took time."""
    return float(column.sum() / (column @ column))
