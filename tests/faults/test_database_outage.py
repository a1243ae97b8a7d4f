"""PostgreSQL goes away in the middle of a search: it waits and goes on, or ends so that it can be resumed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from hpsearch.errors import StorageError, UnknownStudyError
from hpsearch.reading import open_for_reading
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
# trains for next to nothing: the driver retires trials all the time
RETIRING = (
    QUICK.replace("epochs: {min: 2, max: 6}", "epochs: 1")
    .replace("trials: 14", "trials: 600")
    .replace("{name: tpe, n_startup_trials: 4}", "random")
)
STUDIES = {"in the middle": STUDY, "while retiring": RETIRING}


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


def lay_out(directory, server, text):
    text = f"{text}storage: {{url: '{server.new_database()}', max_outage: 10m}}\n"
    (directory / "quick.yaml").write_text(text)
    return directory


@pytest.fixture
def directory(tmp_path, server):
    return lay_out(tmp_path, server, STUDY)


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
    deadline = time.monotonic() + 600
    while True:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no trial in time"
        try:
            if home.exists() and stored(directory):
                return
        except (StorageError, UnknownStudyError):
            pass
        time.sleep(0.05)


OUTAGES = [
    ("in the middle", 3, "immediate"),
    pytest.param(("in the middle", 30, "fast"), marks=pytest.mark.slow),
    pytest.param(("while retiring", 30, "immediate"), marks=pytest.mark.slow),
]


@pytest.mark.parametrize("outage", OUTAGES)
def test_a_stop_is_waited_out_and_changes_nothing(server, tmp_path, ledger, outage):
    when, seconds, mode = outage
    (tmp_path / "calm").mkdir()
    untouched, _ = run_quick(tmp_path / "calm", STUDIES[when])
    directory = lay_out(tmp_path, server, STUDIES[when])
    process = start(directory)
    wait_for_trials(directory, process)
    server.stop(mode)
    try:
        time.sleep(seconds)
        assert process.poll() is None, "it waits"
    finally:
        server.start()
    began = time.monotonic()
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert "is away" in errors
    assert "is back; the search goes on" in errors
    assert table(stored(directory)) == table(untouched.facts)
    ledger.enter(
        f"PostgreSQL stopped for {seconds} s {when}", injected=1, recovered=[time.monotonic() - began]
    )


@pytest.mark.slow
def test_a_stop_beyond_the_bound_ends_with_exit_code_1_and_the_next_run_goes_on(
    server, directory, reference, ledger
):
    process = start(directory, "-S", "storage.max_outage=1s")
    wait_for_trials(directory, process)
    server.stop("immediate")
    try:
        _, errors = process.communicate(timeout=600)
        assert process.returncode == 1, errors
        assert "run the study again when it can be, it goes on from there" in errors
        assert "Traceback" not in errors
        down = cli("run", "quick.yaml", cwd=directory, timeout=600)
        assert (down.returncode, "Traceback" in down.stderr) == (1, False), down.stderr
        assert "onnection refused" in down.stderr
    finally:
        server.start()
    assert cli("run", "quick.yaml", cwd=directory, timeout=600).returncode == 0
    assert table(stored(directory)) == reference
    ledger.enter("PostgreSQL away for longer than is waited for", injected=1)


@pytest.mark.slow
def test_a_killed_driver_does_not_block_the_next_one(directory, reference, ledger):
    """SIGKILL while it writes: no lock stays, no trial is half or double."""
    process = start(directory)
    wait_for_trials(directory, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    done = cli("run", "quick.yaml", cwd=directory, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "going on after" in done.stderr
    assert table(stored(directory)) == reference
    ledger.enter("SIGKILL of a driver that writes to PostgreSQL", injected=1)


@pytest.mark.slow
def test_a_second_driver_from_another_store_is_refused_and_told_who_runs_the_study(directory, ledger):
    process = start(directory, "-S", "budget.trials=400", "-S", "early_stopping=none", "-S", "pruning=none")
    try:
        wait_for_trials(directory, process)
        refused = cli("run", "quick.yaml", "--store", "elsewhere", cwd=directory)
        assert refused.returncode == 1
        assert f"run by process {process.pid} on" in refused.stderr
        assert process.poll() is None
        ledger.enter("second driver on a study in PostgreSQL", injected=1)
    finally:
        process.kill()
        process.communicate()
