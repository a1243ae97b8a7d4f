"""PostgreSQL goes away in the middle of a search: it waits and goes on, or ends so that it can be resumed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from hpsearch.errors import StorageError, UnknownStudyError
from hpsearch.results import open_for_reading
from hpsearch.store import Store
from tests.support.postgres import PostgresServer
from tests.support.studies import QUICK, cli, run_quick, table

# long enough to be in the middle of
STUDY = (
    QUICK.replace("epochs: {min: 2, max: 6}", "epochs: {min: 300, max: 400}").replace(
        "trials: 14", "trials: 40"
    )
    + "early_stopping: none\n"
)


@pytest.fixture(scope="module")
def server():
    """A server that may be stopped without harm to other tests."""
    made = PostgresServer()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The table of an undisturbed run."""
    result, _ = run_quick(tmp_path_factory.mktemp("reference"), STUDY)
    return table(result.facts)


@pytest.fixture
def directory(tmp_path, server):
    text = f"{STUDY}storage: {{url: '{server.new_database()}', max_outage: 90s}}\n"
    (tmp_path / "quick.yaml").write_text(text)
    return tmp_path


def start(directory, *options):
    return subprocess.Popen(
        [sys.executable, "-m", "hpsearch", "run", "quick.yaml", "--workers", "1", *options],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def stored(directory):
    return open_for_reading(Store.locate(directory / "mlruns").find("quick")).facts()


def wait_for_trials(directory, process):
    """Until the database holds a trial; asked by a connection of the test's own."""
    home = directory / "mlruns" / "studies" / "quick" / "storage.json"
    deadline = time.monotonic() + 240
    while True:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no trial in time"
        try:
            if home.exists() and stored(directory):
                return
        except (StorageError, UnknownStudyError):
            pass
        time.sleep(0.05)


@pytest.mark.parametrize("outage", [(3, "immediate"), pytest.param((30, "fast"), marks=pytest.mark.slow)])
def test_a_stop_in_the_middle_is_waited_out_and_changes_nothing(server, directory, reference, ledger, outage):
    seconds, mode = outage
    process = start(directory)
    wait_for_trials(directory, process)
    server.stop(mode)
    try:
        time.sleep(seconds)
        assert process.poll() is None, "it waits"
    finally:
        server.start()
    began = time.monotonic()
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert "is away" in errors
    assert "is back; the search goes on" in errors
    assert table(stored(directory)) == reference
    ledger.enter(
        f"PostgreSQL stopped for {seconds} s in the middle", injected=1, recovered=[time.monotonic() - began]
    )


@pytest.mark.slow
def test_a_stop_beyond_the_bound_ends_with_exit_code_1_and_the_next_run_goes_on(server, directory, reference):
    process = start(directory, "-S", "storage.max_outage=1s")
    wait_for_trials(directory, process)
    server.stop("immediate")
    try:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 1, errors
        assert "run the study again when it can be, it goes on from there" in errors
        assert "Traceback" not in errors
        down = cli("run", "quick.yaml", cwd=directory)
        assert (down.returncode, "Traceback" in down.stderr) == (1, False), down.stderr
        assert "onnection refused" in down.stderr
    finally:
        server.start()
    assert cli("run", "quick.yaml", cwd=directory).returncode == 0
    assert table(stored(directory)) == reference


@pytest.mark.slow
def test_a_killed_driver_does_not_block_the_next_one(directory, reference):
    """SIGKILL while it writes: no lock stays, no trial is half or double."""
    process = start(directory)
    wait_for_trials(directory, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    done = cli("run", "quick.yaml", cwd=directory)
    assert done.returncode == 0, done.stderr
    assert "going on after" in done.stderr
    assert table(stored(directory)) == reference


@pytest.mark.slow
def test_a_second_driver_from_another_store_is_refused_and_told_who_runs_the_study(directory):
    process = start(directory, "-S", "budget.trials=400", "-S", "early_stopping=none", "-S", "pruning=none")
    try:
        wait_for_trials(directory, process)
        refused = cli("run", "quick.yaml", "--store", "elsewhere", cwd=directory)
        assert refused.returncode == 1
        assert f"run by process {process.pid} on" in refused.stderr
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()
