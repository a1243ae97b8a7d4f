"""The fixed-lag order: windows are issued ahead, outcomes are retired in the order of their trials."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from hpsearch.execution.cohorts import CohortTask
from hpsearch.execution.executors import Workers
from hpsearch.execution.training import Outcome


@dataclass(frozen=True, slots=True)
class _Window:
    numbers: Sequence[int]
    futures: dict[int, Future[list[Outcome]]]


class Pipeline:
    """The windows under way, oldest first."""

    def __init__(self, workers: Workers, *, depth: int) -> None:
        self._workers, self._depth = workers, depth
        self._windows: deque[_Window] = deque()

    @property
    def full(self) -> bool:
        """Whether the oldest window must be retired before another may be issued."""
        return len(self._windows) >= self._depth

    @property
    def empty(self) -> bool:
        """Whether nothing is under way."""
        return not self._windows

    def issue(self, numbers: Sequence[int], cohorts: Sequence[CohortTask]) -> None:
        """Start a window's cohorts. `numbers` are all its trials, also those that need no training."""
        futures: dict[int, Future[list[Outcome]]] = {}
        for cohort in cohorts:
            future = self._workers.submit(cohort)
            futures.update(dict.fromkeys(cohort.numbers, future))
        self._windows.append(_Window(numbers, futures))

    def retire(self) -> Iterator[tuple[int, Outcome | None]]:
        """The oldest window's trials in order, each with its outcome as soon as it and all before it are there.

        None stands for a trial that no cohort trained.

        Raises:
            StoppedError: the deadline passed.
            TrainingError: a worker process died.
        """
        window = self._windows.popleft()
        for number in window.numbers:
            future = window.futures.get(number)
            if future is None:
                yield number, None
                continue
            yield number, next(outcome for outcome in self._workers.wait(future) if outcome.number == number)
