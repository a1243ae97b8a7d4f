"""Where cohorts are trained: in this process, or on a pool of processes with the data mapped into each."""

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from types import ModuleType
from typing import Any

from threadpoolctl import threadpool_limits

from hpsearch.data.mapped import open_part, save_part
from hpsearch.data.prepared import Task, TrainingData
from hpsearch.errors import TrainingError
from hpsearch.execution.cohorts import CohortTask
from hpsearch.execution.training import EvaluationSet, Outcome, StoppedError, train_cohort


@dataclass(slots=True)
class Workers:
    """An open executor. `deadline` is a `time.monotonic()` after which nothing is trained any more."""

    executor: Executor
    train: Callable[[CohortTask], list[Outcome]]
    request_stop: Callable[[], None]
    count: int
    deadline: float | None

    def submit(self, task: CohortTask) -> Future[list[Outcome]]:
        """Have a cohort trained; its future may be evaluated lazily."""
        with _main_hidden():
            return self.executor.submit(self.train, task)

    def wait(self, future: Future[list[Outcome]]) -> list[Outcome]:
        """A cohort's outcomes.

        Raises:
            StoppedError: the deadline passed.
            TrainingError: a worker process died.
        """
        remaining = None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
        try:
            return future.result(timeout=remaining)
        except TimeoutError:
            self.request_stop()
            raise StoppedError from None
        except BrokenProcessPool as error:
            raise TrainingError(
                "a worker process died (killed, or out of memory); every finished trial is kept: "
                "run the same command again to go on"
            ) from error


@contextmanager
def open_executor(
    data: TrainingData, *, seed: int, workers: int, deadline: float | None = None
) -> Iterator[Workers]:
    """Workers for one study's data: this process itself for one, a pool of processes for more.

    Every worker computes with one BLAS thread: results are reproducible to the bit, and cores are not fought over.
    """
    opened = _inline(data, seed, deadline) if workers == 1 else _pool(data, seed, deadline, workers)
    with opened as ready:
        yield ready


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Keep new worker processes from importing the user's main module.

    `multiprocessing` would run it again in every worker, which costs time and, in a script without the
    `if __name__ == "__main__"` idiom, runs the study again. The workers need nothing of it.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


class _LazyFuture(Future[Any]):
    """Runs when its result is asked for: the driver retires in order, so nothing is gained by running earlier."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        super().__init__()
        self._call = (function, arguments)

    def result(self, timeout: float | None = None) -> Any:
        """The call's result; the call is made in the first asker's thread, whatever the timeout."""
        if not self.done() and self.set_running_or_notify_cancel():
            function, arguments = self._call
            try:
                self.set_result(function(*arguments))
            except Exception as error:  # noqa: BLE001 - a future hands on whatever its call raised
                self.set_exception(error)
        return super().result(timeout)


class InlineExecutor(Executor):
    """Runs each task in the calling thread, when its result is asked for."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that makes the call when its result is first asked for."""
        return _LazyFuture(partial(fn, **kwargs), args)


@contextmanager
def _inline(data: TrainingData, seed: int, deadline: float | None) -> Iterator[Workers]:
    evaluation = EvaluationSet.draw(data, seed)
    end = float("inf") if deadline is None else deadline

    def train(task: CohortTask) -> list[Outcome]:
        return train_cohort(task, data, evaluation=evaluation, stop=lambda: time.monotonic() > end)

    with threadpool_limits(limits=1, user_api="blas"):
        yield Workers(InlineExecutor(), train, lambda: None, 1, deadline)


@contextmanager
def _pool(data: TrainingData, seed: int, deadline: float | None, workers: int) -> Iterator[Workers]:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with tempfile.TemporaryDirectory(prefix="hpsearch-") as directory:
        _write(data, Path(directory))
        executor = ProcessPoolExecutor(
            max_workers=workers,
            mp_context=context,
            initializer=_initialize,
            initargs=(directory, data.task, seed, stop),
        )
        try:
            yield Workers(executor, _train_in_worker, stop.set, workers, deadline)
        finally:
            stop.set()
            executor.shutdown(wait=True, cancel_futures=True)


_worker: dict[str, Any] = {}


def _initialize(directory: str, task: Task, seed: int, stop: Event) -> None:
    """Prepare a worker process: one BLAS thread, the data mapped, Ctrl-C left to the driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(limits=1, user_api="blas")
    data = _read(Path(directory), task)
    driver = os.getppid()
    _worker.update(
        data=data,
        evaluation=EvaluationSet.draw(data, seed),
        stop=lambda: stop.is_set() or os.getppid() != driver,
    )


def _train_in_worker(task: CohortTask) -> list[Outcome]:
    return train_cohort(task, _worker["data"], evaluation=_worker["evaluation"], stop=_worker["stop"])


def _write(data: TrainingData, directory: Path) -> None:
    save_part(data.train, directory, "train")
    save_part(data.validation, directory, "validation")


def _read(directory: Path, task: Task) -> TrainingData:
    return TrainingData(
        task=task, train=open_part(directory, "train"), validation=open_part(directory, "validation")
    )
