"""What runs inside a worker process of the pool."""

import multiprocessing
import os
import shutil
import signal
import threading
from functools import partial
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from hpsearch.data.mapped import mapped
from hpsearch.data.prepared import TrainingData
from hpsearch.execution.cohorts import CohortTask
from hpsearch.execution.evaluation import EvaluationSet
from hpsearch.execution.outcome import Outcome
from hpsearch.execution.training import train_cohort
from hpsearch.leaving import leave_at_once

STOP_FILE = "stop"

_study: dict[str, Any] = {}


def initialize(directory: Path, data: TrainingData, seed: int) -> None:
    """Prepare the process: one BLAS thread, Ctrl-C left to the driver, an end when the driver ends.

    The data are mapped with the first task, so that what is wrong with them is raised where it can be told.
    """
    leave_at_once()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_the_driver, args=(directory,), daemon=True).start()
    threadpool_limits(limits=1, user_api="blas")
    # a file rather than a semaphore: a process killed while it holds one would stop all the others
    _study.update(sent=data, seed=seed, stop=partial(os.path.exists, directory / STOP_FILE))


def ready() -> int:
    """The process's id, once it can train."""
    return os.getpid()


def train(task: CohortTask) -> list[Outcome]:
    """Train a cohort on the study's data.

    Raises:
        StoppedError: the driver asked for it; within an epoch.
        OSError: the data are not there any more.
    """
    if "data" not in _study:
        data = mapped(_study["sent"])
        _study.update(data=data, evaluation=EvaluationSet.draw(data, _study["seed"]))
    return train_cohort(task, _study["data"], evaluation=_study["evaluation"], stop=_study["stop"])


def _follow_the_driver(directory: Path) -> None:
    """End with the driver, even when it is killed and can tell nobody; the files it leaves go with it."""
    driver = multiprocessing.parent_process()
    assert driver is not None  # noqa: S101 - a worker has a parent
    driver.join()
    shutil.rmtree(directory, ignore_errors=True)
    os._exit(1)
