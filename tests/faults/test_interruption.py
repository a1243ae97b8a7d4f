"""Ctrl-C, SIGTERM and the budget in time: the run ends soon, says how to go on, and loses nothing that was stored."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from hpsearch.errors import UnknownStudyError
from hpsearch.results import open_for_reading
from hpsearch.store import Store
from tests.support.studies import cli

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
    deadline = time.monotonic() + 60
    while len(stored(directory)) < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "no trial in a minute"
        time.sleep(0.2)


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "long.yaml").write_text(LONG)
    return tmp_path


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_and_keeps_what_is_stored(directory, workers, number, code):
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
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    kept = len(stored(directory))
    told = "1 finished trial is" if kept == 1 else f"{kept} finished trials are"
    assert f"stopped; {told} kept. Go on with: hpsearch run long.yaml" in errors
    assert 1 <= kept < 500


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_ctrl_c_is_immediate(directory, workers):
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
    deadline = time.monotonic() + 60
    while busy.cpu_times().user + sum(child.cpu_times().user for child in busy.children()) < 4 * workers:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    children = [child for child in busy.children() if "spawn_main" in " ".join(child.cmdline())]
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert len(children) == (workers if workers > 1 else 0)
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive


def test_a_budget_in_time_ends_the_search_with_a_result(directory):
    """The trials retired by then have a winner; the rest is never begun. Running again goes on."""
    began = time.monotonic()
    done = cli("run", "long.yaml", "-S", "budget.time=4s", "--workers", "1", cwd=directory)
    assert done.returncode == 0, done.stderr
    assert "The budget in time ended the search" in done.stdout
    first = len(stored(directory))
    assert 1 <= first < 500
    assert time.monotonic() - began < 60
    cli("run", "long.yaml", "-S", "budget.time=4s", "--workers", "1", cwd=directory)
    assert len(stored(directory)) > first


def test_a_second_driver_is_refused_and_told_who_runs_the_study(directory):
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
    finally:
        process.kill()
        process.communicate()
