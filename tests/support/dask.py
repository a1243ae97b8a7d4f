"""A Dask cluster of real processes on this machine, for tests."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

ENVIRONMENT = {
    **os.environ,
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONPATH": str(Path(__file__).parents[2]),
    "DASK_DISTRIBUTED__WORKER__DAEMON": "True",
}

DEADLY = 1313
"""The number of a trial that kills the worker that trains it."""

_PRELOAD = f"""
import os, signal
from hpsearch.execution import cluster_worker

real = getattr(cluster_worker, "real", cluster_worker.train_cohort)  # Dask may load this more than once
cluster_worker.real = real

def train_cohort(task, *arguments, **options):
    if {DEADLY} in task.numbers:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(task, *arguments, **options)

cluster_worker.train_cohort = train_cohort
"""


def spawned(process):
    """The children of a process, and theirs, that `multiprocessing` started and that live."""
    found = []
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if child.status() != psutil.STATUS_ZOMBIE and "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


class DaskCluster:
    """A scheduler and workers, each one process with one thread under a nanny that starts it again when it dies.

    A task is given up when one more of its workers died than `allowed_failures`. `config` is a directory of Dask's
    settings for all of them.
    """

    def __init__(self, directory, *, workers=2, allowed_failures=1, protocol="tcp", config=None):
        self.directory = directory
        self._environment = {
            **ENVIRONMENT,
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(allowed_failures),
            **({"DASK_CONFIG": str(config)} if config else {}),
        }
        (directory / "deadly.py").write_text(_PRELOAD)
        file = directory / "scheduler.json"
        self.scheduler = self._start(
            *("scheduler", "--host", f"{protocol}://127.0.0.1", "--port", "0", "--scheduler-file", file)
        )
        self.workers = []
        self._until(lambda: file.exists() and file.read_text().strip().endswith("}"))
        self.address = json.loads(file.read_text())["address"]
        for _ in range(workers):
            self.add_worker()

    def add_worker(self):
        """One more worker, which joins when it is ready."""
        self.workers.append(
            self._start("worker", self.address, "--nthreads", "1", "--preload", self.directory / "deadly.py")
        )
        return self.workers[-1]

    def computing(self):
        """The processes that train: the nannies' children, or the workers themselves."""
        found = []
        for worker in self.workers:
            with suppress(psutil.NoSuchProcess):
                found += spawned(psutil.Process(worker.pid))
        return found

    def close(self):
        """End everything, at once."""
        for process in (*self.workers, self.scheduler):
            self.kill(process)

    @staticmethod
    def kill(process):
        """SIGKILL a process and its children."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, role, *arguments):
        log = (self.directory / f"{role}-{time.monotonic_ns()}.log").open("w")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", role, "--no-dashboard", *map(str, arguments)],
                cwd=self.directory,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self._environment,
            )

    def _until(self, holds, seconds=120):
        deadline = time.monotonic() + seconds
        while not holds():
            assert self.scheduler.poll() is None, "the scheduler ended"
            assert time.monotonic() < deadline, "the cluster does not start"
            time.sleep(0.05)
