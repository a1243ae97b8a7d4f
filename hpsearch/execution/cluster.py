"""Cohorts on a Dask cluster: the same tasks, through the client's executor.

The data reach every worker once: as a plugin that the scheduler hands to those that are there and to those that join
later; or, where driver and workers share a directory, as files that every worker maps. A worker that dies is Dask's
to replace, and its task Dask's to run again; a task whose workers die again and again comes back, and its trials are
tried one by one.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from distributed import Client
from distributed.scheduler import KilledWorker

from hpsearch.data.prepared import TrainingData
from hpsearch.errors import TrainingError
from hpsearch.execution.cluster_worker import FailedWorkerError, RefusedWorkerError, Study, train
from hpsearch.execution.cohorts import CohortTask
from hpsearch.execution.outcome import Outcome, StoppedError
from hpsearch.execution.retries import given_up
from hpsearch.execution.shared import share
from hpsearch.extensions import Extension

_CONNECT: Final = 20.0  # seconds
_COUNT: Final = 1.0  # seconds between two counts of the workers
_LOOK: Final = 10.0  # seconds between two looks whether there are workers at all

Outcomes = list[Outcome]


class DaskWorkers:
    """The workers of a Dask cluster, for one study's data and code; a context: at its end they stop within an epoch.

    `address` is the scheduler's; `shared` a directory that this process and every worker see under this path.

    Raises:
        TrainingError: the scheduler cannot be reached, or its workers cannot train.
    """

    def __init__(
        self,
        data: TrainingData,
        *,
        seed: int,
        address: str,
        shared: str | None = None,
        own: Sequence[Extension] = (),
        deadline: float | None = None,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._address, self._deadline, self._notice = address, deadline, notice
        self._tasks: dict[Future[Outcomes], CohortTask] = {}
        self._waited = False
        self._count, self._counted = 1, float("-inf")
        sent = share(data, shared) if shared else data
        # Dask tells of what the messages here say better
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            self._client = Client(address, timeout=_CONNECT, set_as_default=False, name="hpsearch")
        except (
            OSError,
            ValueError,
            TypeError,
            RuntimeError,
        ) as error:  # the last two are Dask's words on TLS
            raise TrainingError(
                f"the cluster's scheduler at {address} cannot be reached ({error}); is it running, and is this "
                "its address?"
            ) from error
        self._name = f"hpsearch-{uuid4().hex}"
        try:
            self._client.register_plugin(Study(sent, seed, own), name=self._name)
        except Exception as error:
            self._client.close()
            raise TrainingError(
                f"the workers of the cluster at {address} cannot train this study: {error}"
            ) from error
        self._executor = self._client.get_executor(pure=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for future in self._tasks:
            future.cancel()
        with suppress(Exception):  # a scheduler that is gone keeps nothing
            if self._client.status == "running":
                self._executor.shutdown(wait=False)
                self._client.unregister_worker_plugin(self._name)
        with suppress(Exception):
            self._client.close(timeout=5)

    @property
    def count(self) -> int:
        """How many cohorts the workers that are there train at the same time, at least one."""
        if time.monotonic() - self._counted > _COUNT:
            self._counted = time.monotonic()
            with suppress(OSError, CancelledError):
                threads: dict[str, int] = self._client.nthreads()
                self._count = max(1, sum(threads.values()))
        return self._count

    def submit(self, task: CohortTask) -> "Future[Outcomes]":
        """Have a cohort trained on whichever worker is free."""
        try:
            future: Future[Outcomes] = self._executor.submit(train, self._name, task)
        except Exception as error:
            raise self._lost() from error
        self._tasks[future] = task
        return future

    def wait(self, future: "Future[Outcomes]") -> Outcomes:
        """A cohort's outcomes.

        Raises:
            StoppedError: the deadline passed.
            TrainingError: the scheduler was lost, or a worker cannot train.
        """
        task = self._tasks[future]
        try:
            outcomes = self._result(future)
        except (KilledWorker, MemoryError) as error:
            outcomes = self._one_by_one(task, error)
        except (CancelledError, OSError) as error:
            raise self._lost() from error
        except RefusedWorkerError as error:
            raise TrainingError(f"{error}; every finished trial is kept") from error
        except FailedWorkerError as error:
            raise TrainingError(
                f"a worker of the cluster failed, every finished trial is kept; it says: {error}"
            ) from error
        self._tasks.pop(future, None)
        return outcomes

    def _result(self, future: "Future[Outcomes]") -> Outcomes:
        while True:
            remaining = (
                float("inf") if self._deadline is None else max(0.0, self._deadline - time.monotonic())
            )
            try:
                return future.result(timeout=min(remaining, _LOOK))
            except TimeoutError:
                if self._deadline is not None and time.monotonic() >= self._deadline:
                    raise StoppedError from None
                self._look()

    def _look(self) -> None:
        """Say, once, that there is nobody who trains."""
        if self._waited or self._client.status != "running" or self._client.nthreads():
            return
        self._waited = True
        self._notice(f"the cluster at {self._address} has no worker; waiting for one to join")

    def _one_by_one(self, task: CohortTask, error: Exception) -> Outcomes:
        """The outcomes of a cohort whose workers died, again and again; a cohort of one has failed."""
        reason = "killed, or out of memory"
        deaths = error.allowed_failures + 1 if isinstance(error, KilledWorker) else 1
        if len(task.trials) == 1:
            return [given_up(task, deaths, reason)]
        numbers = ", ".join(map(str, task.numbers))
        self._notice(f"{deaths} workers died: {reason}; trials {numbers} are trained again, one by one")
        futures = [self.submit(single) for single in task.singles()]
        return [self.wait(single)[0] for single in futures]

    def _lost(self) -> TrainingError:
        return TrainingError(
            f"the cluster's scheduler at {self._address} was lost; every finished trial is kept: run the same "
            "command again when it is back, or without --cluster"
        )
