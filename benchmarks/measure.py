"""Two sides measured alternately in one run, each in a process of its own, on one core with one thread."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_LONGEST = 1200.0  # seconds that a measured process may run: a peer's search waits for the disk with every epoch
_STEERING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_DEBUG_CPU_TYPE")


class MissingPeerError(Exception):
    """A side cannot be measured because a package is not installed."""


class SideError(Exception):
    """A side failed; the message is the end of what it wrote."""


@dataclass(frozen=True)
class Side:
    """What to measure: a `module:factory` of subjects (see `benchmarks.worker`), and its options.

    `units` is how many units of work one repetition does; times are given per unit.
    """

    target: str
    options: Mapping[str, Any] = field(default_factory=dict)
    units: float = 1.0


@dataclass(frozen=True)
class Measured:
    """One side's result: `times` of each repetition in seconds a unit, seconds of set-up, peak memory in bytes."""

    times: tuple[float, ...]
    imports: float
    setup: float
    memory: int
    report: Mapping[str, Any]

    @property
    def median(self) -> float:
        """Seconds a unit."""
        return statistics.median(self.times)


def cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


def environment() -> dict[str, str]:
    """This process's environment for a measured one: one thread a library, nothing that steers kernels."""
    clean = {name: value for name, value in os.environ.items() if name not in _STEERING}
    clean |= dict.fromkeys(_THREADS, "1")
    clean["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    clean.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is not compiled at each start
    clean["PYTHONPATH"] = str(ROOT)
    return clean


def compare(sides: Mapping[str, Side], *, rounds: int = 11, warmup: int = 2) -> dict[str, Measured]:
    """Every side's repetitions, taken in turn, forwards and backwards, so that what disturbs disturbs all.

    Raises:
        MissingPeerError: a package is not installed.
        SideError: a side failed.
    """
    workers: dict[str, _Worker] = {}
    times: dict[str, list[float]] = {name: [] for name in sides}
    try:
        for name, side in sides.items():
            workers[name] = _Worker(side)
        for turn in range(-warmup, rounds):
            for name in list(sides) if turn % 2 else reversed(sides):
                seconds = workers[name].repeat()
                if turn >= 0:
                    times[name].append(seconds / sides[name].units)
        return {name: worker.finish(times[name]) for name, worker in workers.items()}
    finally:
        for worker in workers.values():
            worker.close()


@dataclass(frozen=True)
class Run:
    """A process from its start to its end: seconds, the largest process's peak memory, what it said."""

    seconds: float
    memory: int
    report: Mapping[str, Any]


def run(module: str, options: Mapping[str, Any], *, on: Sequence[int]) -> Run:
    """Run `python -m module OPTIONS` on the given cores; it prints one line of JSON.

    Raises:
        MissingPeerError: a package is not installed.
        SideError: it failed.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start, spawned = time.perf_counter(), time.time()
        process = subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(dict(options) | {"spawned": spawned})],
            stdout=output,
            stderr=errors,
            cwd=ROOT,
            env=environment(),
            preexec_fn=lambda: _pin(on),
        )
        watchdog = threading.Timer(_LONGEST, process.kill)
        watchdog.start()
        _, status, usage = os.wait4(process.pid, 0)
        watchdog.cancel()
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        output.seek(0)
        if process.returncode:
            problem = errors.read().strip()[-2000:]
            if "ModuleNotFoundError" in problem:
                raise MissingPeerError(problem.splitlines()[-1])
            raise SideError(problem or f"{module} ended with {process.returncode} after {seconds:.0f} s")
        return Run(seconds, usage.ru_maxrss * 1024, json.loads(output.read().splitlines()[-1]))


def _pin(on: Sequence[int]) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(on))


class _Worker:
    """A side's process, from its start to its last word."""

    def __init__(self, side: Side) -> None:
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", str(cores()[-1]), side.target, json.dumps(dict(side.options))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
            env=environment(),
        )
        self._started = self._answer()
        if "missing" in self._started:
            self.close()
            raise MissingPeerError(self._started["missing"])

    def repeat(self) -> float:
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()["seconds"]

    def finish(self, times: list[float]) -> Measured:
        self._process.stdin.close()
        last = self._answer()
        return Measured(
            tuple(times), self._started["imports"], self._started["setup"], last["memory"], last["report"]
        )

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise SideError(self._errors.read().strip()[-2000:])
        return json.loads(line)
