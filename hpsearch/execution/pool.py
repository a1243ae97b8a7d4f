"""A pool of worker processes in which any may die at any time.

Each worker is a `ProcessPoolExecutor` of one process: when a process dies, its executor alone is broken, so the task
that it ran is known, and the others go on undisturbed. A thread a worker hands it tasks, one after another.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from queue import LifoQueue
from types import ModuleType, TracebackType
from typing import Final, Self

from hpsearch.data.mapped import written
from hpsearch.data.prepared import TrainingData
from hpsearch.errors import TrainingError
from hpsearch.execution import worker
from hpsearch.execution.cohorts import CohortTask
from hpsearch.execution.outcome import Outcome, StoppedError
from hpsearch.execution.retries import WorkerDiedError, train_in_spite

_STARTS: Final = 5  # deaths of a new process, before it had anything to do, that are taken for accidents


class Pool:
    """Worker processes for one study's data; a context: at its end they stop within an epoch."""

    def __init__(
        self,
        data: TrainingData,
        *,
        seed: int,
        workers: int,
        deadline: float | None = None,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.count = workers
        self._deadline, self._notice = deadline, notice
        self._stopped = False
        self._directory = tempfile.TemporaryDirectory(prefix="hpsearch-")
        directory = Path(self._directory.name)
        try:
            sent = written(data, directory)
        except OSError as error:
            self._directory.cleanup()
            raise TrainingError(
                f"{directory}: the data cannot be written for the workers ({error.strerror}); "
                "name a place with room in TMPDIR, or train with --workers 1"
            ) from error
        self._seats = [_Seat((directory, sent, seed)) for _ in range(workers)]
        self._idle: LifoQueue[_Seat] = LifoQueue()
        for seat in self._seats:
            self._idle.put(seat)
        _start_resource_tracker()
        self._threads = ThreadPoolExecutor(workers, "hpsearch-worker", initializer=_block_interrupts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stop()
            self._threads.shutdown(wait=True, cancel_futures=True)
            for seat in self._seats:
                seat.close()
        except BaseException:  # a second Ctrl-C: nobody is waited for any more
            for seat in self._seats:
                seat.kill()
            raise
        finally:
            self._directory.cleanup()

    def submit(self, task: CohortTask) -> Future[list[Outcome]]:
        """Have a cohort trained as soon as a worker is free."""
        return self._threads.submit(self._train, task)

    def wait(self, future: Future[list[Outcome]]) -> list[Outcome]:
        """A cohort's outcomes.

        Raises:
            StoppedError: the deadline passed.
            TrainingError: no worker process can be started.
        """
        remaining = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        try:
            return future.result(timeout=remaining)
        except TimeoutError:
            self._stop()
            raise StoppedError from None

    def _stop(self) -> None:
        self._stopped = True
        Path(self._directory.name, worker.STOP_FILE).touch()

    def _train(self, task: CohortTask) -> list[Outcome]:
        seat = self._idle.get()
        try:
            return train_in_spite(task, lambda part: self._once(seat, part), died=self._tell)
        finally:
            self._idle.put(seat)

    def _once(self, seat: "_Seat", task: CohortTask) -> list[Outcome]:
        if self._stopped:
            raise StoppedError
        try:
            return seat.train(task)
        except WorkerDiedError:
            if self._stopped:
                raise StoppedError from None
            raise

    def _tell(self, task: CohortTask, error: WorkerDiedError) -> None:
        several = len(task.trials) > 1
        trials = (
            f"trials {', '.join(map(str, task.numbers))} are" if several else f"trial {task.numbers[0]} is"
        )
        again = "trained again, one by one" if several else "tried again"
        self._notice(f"{error}; {trials} {again}")


class _Seat:
    """The place of one worker process, and of those that replace it; used by one thread at a time."""

    def __init__(self, arguments: tuple[Path, TrainingData, int]) -> None:
        self._arguments = arguments
        self._executor: ProcessPoolExecutor | None = None
        self._pid = 0

    def train(self, task: CohortTask) -> list[Outcome]:
        """Train a cohort in the worker process, which is started if there is none.

        Raises:
            WorkerDiedError: it died meanwhile, or its memory did not suffice.
            TrainingError: no process can be started.
        """
        while True:
            executor = self._started()
            try:
                future = executor.submit(worker.train, task)
            except BrokenProcessPool:  # it died while it had nothing to do
                self.close()
                continue
            try:
                return future.result()
            except BrokenProcessPool:
                pid = self._pid
                self.close()
                raise WorkerDiedError(f"worker process {pid} died: killed, or out of memory") from None
            except MemoryError:
                raise WorkerDiedError(f"worker process {self._pid} is out of memory") from None
            except OSError as error:
                raise TrainingError(f"a worker cannot read the data: {error}") from error

    def close(self) -> None:
        """End the process after what it does."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

    def kill(self) -> None:
        """End the process at once."""
        if self._executor is not None and self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def _started(self) -> ProcessPoolExecutor:
        for _ in range(_STARTS):
            if self._executor is not None:
                return self._executor
            self._executor = ProcessPoolExecutor(
                max_workers=1,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=worker.initialize,
                initargs=self._arguments,
            )
            try:
                with _main_hidden():
                    first = self._executor.submit(worker.ready)
                self._pid = first.result()
            except BrokenProcessPool:
                self.close()
            except OSError as error:
                self._executor = None
                raise TrainingError(
                    f"no worker process can be started ({error.strerror}); train with --workers 1"
                ) from error
        raise TrainingError(
            f"{_STARTS} worker processes died one after another before they had anything to do; every finished "
            "trial is kept: see the system's log for who kills them, or train with --workers 1"
        )


_spawning: Final = threading.Lock()


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Keep new worker processes from importing the user's main module.

    `multiprocessing` would run it again in every worker, which costs time and, in a script without the
    `if __name__ == "__main__"` idiom, runs the study again. The workers need nothing of it.
    """
    with _spawning:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _start_resource_tracker() -> None:
    """Start the process that frees the semaphores of a driver that is killed, without its warning that it does."""
    quiet = "ignore:resource_tracker"
    if quiet not in sys.warnoptions:
        sys.warnoptions.append(quiet)
        try:
            resource_tracker.ensure_running()
        finally:
            sys.warnoptions.remove(quiet)


def _block_interrupts() -> None:
    """Leave Ctrl-C to the main thread; processes started from here are born with it blocked."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
