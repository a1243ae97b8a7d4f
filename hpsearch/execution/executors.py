"""Where cohorts are trained: in this process, or on a pool of processes with the data mapped into each."""

import importlib.util
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from hpsearch.data.prepared import TrainingData
from hpsearch.errors import SpecError
from hpsearch.execution.blas import one_blas_thread
from hpsearch.execution.cohorts import CohortTask
from hpsearch.execution.evaluation import EvaluationSet
from hpsearch.execution.outcome import Outcome, StoppedError
from hpsearch.execution.pool import Pool
from hpsearch.execution.training import train_cohort

if TYPE_CHECKING:
    from hpsearch.extensions import Extension
    from hpsearch.spec import Cluster, StudySpec

Notice = Callable[[str], None]
"""Told, in a sentence, of what the user should know and nobody must act on: a worker that was replaced."""


class Workers(Protocol):
    """An open executor of cohorts."""

    @property
    def count(self) -> int:
        """How many cohorts train at the same time."""

    def submit(self, task: CohortTask) -> Future[list[Outcome]]:
        """Have a cohort trained; its future may be evaluated lazily."""

    def wait(self, future: Future[list[Outcome]]) -> list[Outcome]:
        """A cohort's outcomes.

        Raises:
            StoppedError: the deadline passed.
            TrainingError: there is nobody who could train it.
        """


def check_cluster(spec: "StudySpec") -> None:
    """Refuse a study that trains on a cluster where Dask is not installed.

    Raises:
        SpecError: with the command that installs it.
    """
    if spec.cluster.address is not None and importlib.util.find_spec("distributed") is None:
        rule, remedy = "needs Dask, which is not installed", "pip install 'hpsearch[cluster]'"
        raise SpecError(spec.problem(("cluster", "address"), rule, remedy))


@contextmanager
def open_executor(
    data: TrainingData,
    *,
    seed: int,
    workers: int,
    cluster: "Cluster | None" = None,
    own: "Sequence[Extension]" = (),
    deadline: float | None = None,
    notice: Notice = lambda _: None,
) -> Iterator[Workers]:
    """Workers for one study's data: a cluster's, or this process itself for one, a pool of processes for more.

    `own` is the code of one's own that tasks name: a cluster's workers get it with the data. `deadline` is a
    `time.monotonic()` after which nothing is trained any more. Every worker computes with one BLAS thread: results are
    reproducible to the bit, and cores are not fought over.
    """
    if cluster is not None and cluster.address is not None:
        from hpsearch.execution.cluster import DaskWorkers  # noqa: PLC0415 - an extra, and heavy

        with DaskWorkers(
            data,
            seed=seed,
            address=cluster.address,
            shared=cluster.shared,
            own=own,
            deadline=deadline,
            notice=notice,
        ) as dask:
            yield dask
        return
    if workers == 1:
        with one_blas_thread():
            yield Inline(data, seed=seed, deadline=deadline)
        return
    with Pool(data, seed=seed, workers=workers, deadline=deadline, notice=notice) as pool:
        yield pool


class Inline:
    """Trains in this process, when an outcome is asked for."""

    count = 1

    def __init__(self, data: TrainingData, *, seed: int, deadline: float | None) -> None:
        self._data, self._evaluation = data, EvaluationSet.draw(data, seed)
        self._end = float("inf") if deadline is None else deadline
        self._executor = InlineExecutor()

    def submit(self, task: CohortTask) -> Future[list[Outcome]]:
        """A future that trains when its result is asked for."""
        return self._executor.submit(self._train, task)

    def wait(self, future: Future[list[Outcome]]) -> list[Outcome]:
        """The outcomes of a cohort, trained now.

        Raises:
            StoppedError: the deadline passed.
        """
        return future.result()

    def _train(self, task: CohortTask) -> list[Outcome]:
        if time.monotonic() > self._end:
            raise StoppedError
        return train_cohort(
            task, self._data, evaluation=self._evaluation, stop=lambda: time.monotonic() > self._end
        )


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
