"""What runs inside a worker of a Dask cluster."""

import platform
import traceback
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from distributed import get_worker
from distributed.diagnostics.plugin import WorkerPlugin
from threadpoolctl import threadpool_info, threadpool_limits

from hpsearch.data.mapped import mapped
from hpsearch.data.prepared import TrainingData
from hpsearch.errors import InputError
from hpsearch.execution.cohorts import CohortTask
from hpsearch.execution.evaluation import EvaluationSet
from hpsearch.execution.outcome import Outcome, StoppedError
from hpsearch.execution.sent_code import SentCode, task_here
from hpsearch.execution.training import train_cohort
from hpsearch.extensions import Extension


class RefusedWorkerError(Exception):
    """A worker whose results would not be those of the driver."""


class FailedWorkerError(Exception):
    """A worker could not train for a reason that no trial is to blame for; the end of its traceback."""


class Study(WorkerPlugin):
    """A study's data and code of its own on a worker, sent once; one BLAS thread from then on.

    A worker with other versions of what computes, or whose BLAS has chosen another kernel, would give other bits.
    """

    def __init__(self, sent: TrainingData, seed: int, own: Sequence[Extension] = ()) -> None:
        self._sent, self._seed, self._computes = sent, seed, computes_with()
        self._own, self._code = tuple(own), SentCode.of(own)
        self._place: str | None = None

    def setup(self, worker: Any) -> None:
        """Dask calls this when the worker gets the study.

        Raises:
            RefusedWorkerError: this worker cannot train it.
        """
        threadpool_limits(limits=1, user_api="blas")
        self.check(worker)

    def check(self, worker: Any) -> None:
        """Refuse a worker that does not compute as the driver does."""
        self._check_versions(worker.address)
        if self._own and self._place is None:
            self._check_code(worker)

    def here(self, task: CohortTask) -> CohortTask:
        """The task with code of one's own as it is found on this worker."""
        return task_here(task, self._code, self._place)

    def _check_code(self, worker: Any) -> None:
        place = self._code.unpacked(Path(worker.local_directory))
        try:
            self._code.check([self._code.here(extension, place) for extension in self._own])
        except InputError as error:
            raise RefusedWorkerError(
                f"worker {worker.address}: {error}; install there what the driver has"
            ) from None
        self._place = place

    def _check_versions(self, address: str) -> None:
        here = computes_with()
        unlike = [
            f"{name} {here[name]}, the driver {self._computes[name]}"
            for name in here
            if here[name] != self._computes[name]
        ]
        if unlike:
            raise RefusedWorkerError(
                f"worker {address} has {'; '.join(unlike)}: install the same versions (a kernel of OpenBLAS is "
                "chosen by OPENBLAS_CORETYPE, for example Haswell, for the driver and all workers)"
            )

    @cached_property
    def data(self) -> TrainingData:
        """The study's data, mapped where they were shared as files."""
        return mapped(self._sent)

    @cached_property
    def evaluation(self) -> EvaluationSet:
        """What every epoch is judged on."""
        return EvaluationSet.draw(self.data, self._seed)


def train(study_name: str, task: CohortTask) -> list[Outcome]:
    """Train a cohort on a study's data.

    Raises:
        StoppedError: the driver has cancelled the task, or is gone; within an epoch.
        RefusedWorkerError: this worker cannot train the study.
        FailedWorkerError: it failed otherwise.
    """
    worker = get_worker()
    study = worker.plugins[study_name]
    assert isinstance(study, Study)  # noqa: S101 - the driver gave it this name
    study.check(worker)
    key = worker.get_current_task()

    def cancelled() -> bool:
        state = worker.state.tasks.get(key)
        return state is None or state.state != "executing"

    try:
        return train_cohort(study.here(task), study.data, evaluation=study.evaluation, stop=cancelled)
    except (StoppedError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the driver tells of it
        # as text: Dask's executor waits for ever for an exception that cannot be unpickled
        raise FailedWorkerError("".join(traceback.format_exception(error)[-5:])) from None


def computes_with() -> dict[str, str]:
    """What a network's bits depend on, beside its recipe, data and seed."""
    blas = [
        module
        for module in threadpool_info()
        if module["user_api"] == "blas" and "numpy" in module["filepath"]
    ]
    kernels = {str(module.get("architecture", module["internal_api"])) for module in blas}
    return {
        "hpsearch": version("hpsearch"),
        "numpy": version("numpy"),
        "machine": platform.machine(),
        "BLAS kernel": ", ".join(sorted(kernels)) or "unknown",
    }
