"""The process pool: what its workers survive, what they leave behind, and what the data look like in them."""

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from hpsearch.errors import TrainingError
from hpsearch.execution import pool as pool_module
from hpsearch.execution.outcome import failed
from hpsearch.execution.pool import Pool
from hpsearch.execution.retries import DEATHS, WorkerDiedError, train_in_spite
from hpsearch.judgment.stopping import Verdict
from tests.execution.test_training import changed, data, task, train, trial, without_clock  # noqa: F401 - a fixture


def children():
    """The pool's worker processes (the resource tracker of multiprocessing is no worker)."""
    return [
        child
        for child in psutil.Process().children()
        if "spawn_main" in " ".join(child.cmdline()) and child.status() != psutil.STATUS_ZOMBIE
    ]


def kill_when_there(seconds):
    """Kill every worker process that exists in `seconds` from now; the thread that does it."""

    def kill():
        time.sleep(seconds)
        for child in children():
            child.send_signal(signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def test_a_killed_worker_changes_no_outcome(data):  # noqa: F811
    """SIGKILL in the middle of a cohort: its trials are trained again, and nobody sees it."""
    trials = [trial(number, epochs=200, learning_rate=1e-3) for number in range(120)]
    cohorts = [task(*trials[start : start + 30], patience=None) for start in range(0, 120, 30)]
    notices = []
    with Pool(data, seed=0, workers=2, notice=notices.append) as pool:
        futures = [pool.submit(cohort) for cohort in cohorts]
        while not children() or not pool._seats[0]._pid:
            time.sleep(0.01)
        kill_when_there(0.15).join()
        outcomes = [outcome for future in futures for outcome in pool.wait(future)]
    expected = [outcome for cohort in cohorts for outcome in train(data, *cohort.trials, patience=None)]
    assert [without_clock(outcome) for outcome in outcomes] == [
        without_clock(outcome) for outcome in expected
    ]
    assert any("died" in notice and "trained again" in notice for notice in notices)


def test_a_worker_killed_while_idle_is_replaced(data):  # noqa: F811
    """Nobody is blamed; the next task is trained."""
    with Pool(data, seed=0, workers=2) as pool:
        first = pool.wait(pool.submit(task(trial(0))))
        kill_when_there(0).join()
        time.sleep(0.2)
        again = pool.wait(pool.submit(task(trial(0))))
    assert without_clock(first[0]) == without_clock(again[0])


@pytest.mark.parametrize("members", [1, 4])
def test_a_trial_that_kills_its_worker_three_times_has_failed(members):
    """It is found in its cohort; the others have the outcome that they would have had."""
    tried = []

    def deadly(part):
        tried.append(part.numbers)
        if 2 in part.numbers:
            raise WorkerDiedError("killed")
        return [failed(one, "trained", started=0.0) for one in part.trials]

    cohort = task(*(trial(number) for number in range(2, 2 + members)))
    outcomes = train_in_spite(cohort, deadly, died=lambda *_: None)
    assert [outcome.number for outcome in outcomes] == list(cohort.numbers)
    assert outcomes[0].verdict is Verdict.FAILED
    assert f"died {DEATHS} times (killed)" in outcomes[0].error
    assert [outcome.error for outcome in outcomes[1:]] == ["trained"] * (members - 1)
    assert tried.count((2,)) == DEATHS


def test_a_trial_whose_worker_is_killed_each_time_fails_for_real(data):  # noqa: F811
    """Three processes, three SIGKILLs, one failed trial; the pool goes on."""
    with Pool(data, seed=0, workers=2) as pool:
        endless = changed(trial(1, learning_rate=1e-4), epochs=100_000)
        doomed = pool.submit(
            task(dataclasses.replace(endless, thresholds=np.full(100_000, np.nan)), patience=None)
        )
        (outcome,) = _killing(pool, doomed)
        assert outcome.verdict is Verdict.FAILED
        assert f"died {DEATHS} times" in outcome.error
        assert pool.wait(pool.submit(task(trial(2))))[0].verdict is not Verdict.FAILED


def _killing(pool, future):
    """The future's result; every process that takes to its task is killed."""
    killed = set()
    while not future.done():
        for seat in pool._seats:
            if seat._pid and seat._pid not in killed and psutil.pid_exists(seat._pid):
                time.sleep(0.1)
                os.kill(seat._pid, signal.SIGKILL)
                killed.add(seat._pid)
        time.sleep(0.02)
    return future.result()


def test_a_pool_whose_workers_cannot_live_says_so(data, monkeypatch):  # noqa: F811
    """No endless respawning."""
    monkeypatch.setattr(pool_module.worker, "ready", os.abort)
    with (
        Pool(data, seed=0, workers=2) as pool,
        pytest.raises(TrainingError, match="died one after another"),
    ):
        pool.wait(pool.submit(task(trial(0))))


def test_a_full_disk_is_told_before_anything_is_trained(data, monkeypatch, tmp_path):  # noqa: F811
    """With what to do."""
    monkeypatch.setattr(
        pool_module, "written", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    monkeypatch.setattr(pool_module.tempfile, "tempdir", str(tmp_path))
    with pytest.raises(TrainingError, match=r"No space left.*TMPDIR"):
        Pool(data, seed=0, workers=2)
    assert not list(tmp_path.iterdir())


DRIVER = """
    import sys, time
    from hpsearch.data import prepare
    from hpsearch.execution.pool import Pool
    from tests.execution.test_training import SPEC, task, trial

    data = prepare(SPEC.data, seed=SPEC.seed, base=SPEC.base).training
    with Pool(data, seed=0, workers=2) as pool:
        pool.wait(pool.submit(task(trial(0))))
        busy = pool.submit(task(*(trial(n, epochs=40, learning_rate=1e-4) for n in range(3000)), patience=None))
        idle = [seat._pid for seat in pool._seats]
        time.sleep(0.3)
        print(*idle, pool._directory.name, flush=True)
        time.sleep(60)
"""


def test_workers_end_with_a_killed_driver_and_clear_up(tmp_path):
    """Busy or idle; the mapped files go too."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(DRIVER)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    *pids, directory = process.stdout.readline().split()
    workers = [int(pid) for pid in pids if pid != "0"]
    assert workers
    assert Path(directory).is_dir()
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while any(psutil.pid_exists(pid) for pid in workers) or Path(directory).exists():
        assert time.monotonic() < deadline, "a worker outlives its driver"
        time.sleep(0.05)


def test_a_script_without_the_main_idiom_is_not_run_again(tmp_path):
    """Workers do not import the user's main module."""
    (tmp_path / "script.py").write_text(
        "print('ran', flush=True)" + textwrap.dedent(DRIVER).rsplit("\n", 5)[0]
    )
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["ran"]
