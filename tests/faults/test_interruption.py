"""Ctrl-C, SIGTERM and the budget in time: the run ends soon, says how to go on, and loses nothing that was stored."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from hpsearch.errors import UnknownStudyError
from hpsearch.reading import open_for_reading
from hpsearch.store import Store
from hpsearch.study import run_study
from tests.support.studies import Watcher, cli, spec_of

LONG = """
study: long
data: {source: sklearn/digits}
space:
  epochs: {min: 30, max: 60}
  batch_size: 16
  learning_rate: {min: 1e-4, max: 1e-2, log: true}
early_stopping: none
pruning: none
budget: {trials: 500}
"""


def stored(directory):
    try:
        return open_for_reading(Store.locate(directory / "mlruns").find("long")).facts()
    except UnknownStudyError:
        return []


def wait_for_trials(directory, process, count=1):
    deadline = time.monotonic() + 600
    while len(stored(directory)) < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "no trial in time"
        time.sleep(0.2)


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "long.yaml").write_text(LONG)
    return tmp_path


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_and_keeps_what_is_stored(directory, workers, number, code, ledger):
    """Exit code 130 or 143, a message that says how to go on, no traceback."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hpsearch", "run", "long.yaml", "--workers", str(workers)],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for_trials(directory, process)
    before, began = len(stored(directory)), time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=300)
    seconds = time.monotonic() - began
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    kept = len(stored(directory))
    told = "1 finished trial is" if kept == 1 else f"{kept} finished trials are"
    assert f"stopped; {told} kept. Go on with: hpsearch run long.yaml" in errors
    assert before <= kept < 500
    ledger.enter(
        f"{signal.Signals(number).name}: until the run has ended",
        injected=1,
        lost=max(0, before - kept),
        recovered=[seconds],
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_ctrl_c_is_immediate(directory, workers, ledger):
    """However long an epoch takes; workers go too, and the run can be resumed."""
    text = LONG.replace("batch_size: 16", "batch_size: 1").replace(
        "space:", "model: {hidden: [512, 512]}\nspace:"
    )
    (directory / "long.yaml").write_text(text)
    process = subprocess.Popen(
        [sys.executable, "-m", "hpsearch", "run", "long.yaml", "--workers", str(workers)],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    busy = psutil.Process(process.pid)
    deadline = time.monotonic() + 600
    while busy.cpu_times().user + sum(child.cpu_times().user for child in busy.children()) < 4 * workers:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    children = [child for child in busy.children() if "spawn_main" in " ".join(child.cmdline())]
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    _, errors = process.communicate(timeout=300)
    seconds = time.monotonic() - began
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert len(children) == (workers if workers > 1 else 0)
    _, alive = psutil.wait_procs(children, timeout=300)
    assert not alive
    ledger.enter("a second Ctrl-C: until the run has ended", injected=1, recovered=[seconds])


class Stopwatch(Watcher):
    """When a search began and when it ended."""

    def opened(self, *arguments):
        super().opened(*arguments)
        self.began = time.monotonic()

    def step(self, text):
        super().step(text)
        if "refitting" in text:
            self.ended = time.monotonic()


@pytest.fixture
def begun(directory):
    """A study of short trials, five of which are stored: whatever its time allows, it has a winner."""
    text = LONG.replace("{min: 30, max: 60}", "{min: 2, max: 4}").replace("trials: 500", "trials: 5")
    (directory / "long.yaml").write_text(text)
    done = cli("run", "long.yaml", "--workers", "1", cwd=directory, timeout=300)
    assert done.returncode == 0, done.stderr
    return directory


def test_a_budget_in_time_ends_the_search_with_a_result_and_running_again_goes_on(begun):
    """The trials retired by then have a winner; the rest is never begun."""
    more = ("-S", "budget.trials=100000")
    done = cli("run", "long.yaml", *more, "-S", "budget.time=3s", "--workers", "1", cwd=begun, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "The budget in time ended the search" in done.stdout
    first = len(stored(begun))
    assert 5 <= first < 100_000
    done = cli("run", "long.yaml", "-S", f"budget.trials={first + 3}", cwd=begun, timeout=300)
    assert (done.returncode, len(stored(begun))) == (0, first + 3)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_budget_in_time_ends_the_search_within_an_epoch(begun, workers, ledger, monkeypatch):
    """How late it ends is in the table; that it is one epoch is held by a clock of epochs, in tests/execution."""
    monkeypatch.setattr("hpsearch.study._TRACKING_PATIENCE", 0.1)
    watcher = Stopwatch()
    spec = spec_of((begun / "long.yaml").read_text(), budget__trials=100_000, budget__time=4)
    result = run_study(spec, store=Store.locate(begun / "mlruns"), observer=watcher, workers=workers)
    assert result.ended == "time"
    late = max(0.0, watcher.ended - watcher.began - 4)
    ledger.enter("budget in time: how late the search ends", injected=1, recovered=[late])


def test_a_second_driver_is_refused_and_told_who_runs_the_study(directory, ledger):
    """The first goes on undisturbed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hpsearch", "run", "long.yaml", "--workers", "1"],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_trials(directory, process)
        refused = cli("run", "long.yaml", cwd=directory)
        assert refused.returncode == 1
        assert str(process.pid) in refused.stderr
        assert "Traceback" not in refused.stderr
        assert process.poll() is None
        ledger.enter("second driver on the study's store", injected=1)
    finally:
        process.kill()
        process.communicate()
