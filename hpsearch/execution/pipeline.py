"""The fixed-lag order: windows are issued ahead, outcomes are retired in the order of their trials."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from time import monotonic

from hpsearch.execution.cohorts import CohortTask
from hpsearch.execution.executors import Workers
from hpsearch.execution.outcome import Outcome, StoppedError


class Pipeline:
    """The windows under way, oldest first.

    A cohort is handed to the workers when one is about to be free, made `ready` with what is known by then: how
    early its hopeless trials stop depends on that, what is said of them in the end does not.
    """

    def __init__(
        self,
        workers: Workers,
        *,
        depth: int,
        ready: Callable[[CohortTask, Mapping[int, Outcome]], CohortTask],
        deadline: float | None = None,
    ) -> None:
        self._workers, self._depth, self._ready, self._deadline = workers, depth, ready, deadline
        self._windows: deque[Sequence[int]] = deque()
        self._waiting: deque[CohortTask] = deque()
        self._running: list[Future[list[Outcome]]] = []
        self._training: set[int] = set()
        self._trained: dict[int, Outcome] = {}

    @property
    def full(self) -> bool:
        """Whether the oldest window must be retired before another may be issued."""
        return len(self._windows) >= self._depth

    @property
    def empty(self) -> bool:
        """Whether nothing is under way."""
        return not self._windows

    def issue(self, numbers: Sequence[int], cohorts: Sequence[CohortTask]) -> None:
        """Put a window under way. `numbers` are all its trials, also those that need no training."""
        self._windows.append(numbers)
        self._waiting.extend(cohorts)
        self._training.update(number for cohort in cohorts for number in cohort.numbers)
        self._hand_out()

    def retire(self) -> Iterator[tuple[int, Outcome | None]]:
        """The oldest window's trials in order, each with its outcome as soon as it and all before it are there.

        None stands for a trial that no cohort trained.

        Raises:
            StoppedError: the deadline passed.
            TrainingError: there is nobody who could train.
        """
        for number in self._windows.popleft():
            while number in self._training:
                self._advance()
            yield number, self._trained.pop(number, None)
        self._hand_out()

    def _hand_out(self) -> None:
        """Keep several workers busy; one trains only when an outcome is asked for, and then knows most."""
        if self._workers.count > 1:
            self._submit(self._workers.count + 1)

    def _submit(self, most: int) -> None:
        while self._waiting and len(self._running) < most:
            cohort = self._ready(self._waiting.popleft(), self._trained)
            self._running.append(self._workers.submit(cohort))

    def _advance(self) -> None:
        """Wait for a cohort, but not past the deadline: workers may be done with each before it is asked for."""
        if self._deadline is not None and monotonic() > self._deadline:
            raise StoppedError
        self._submit(1)
        self._hand_out()
        future = self._first_done()
        for outcome in self._workers.wait(future):
            self._trained[outcome.number] = outcome
            self._training.remove(outcome.number)
        self._running.remove(future)

    def _first_done(self) -> Future[list[Outcome]]:
        """Whichever cohort is done first; the oldest where none is by the deadline."""
        if len(self._running) == 1:
            return self._running[0]
        remaining = None if self._deadline is None else max(0.0, self._deadline - monotonic())
        done, _ = wait(self._running, timeout=remaining, return_when=FIRST_COMPLETED)
        return next(future for future in self._running if future in done or not done)
