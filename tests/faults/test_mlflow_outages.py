"""MLflow down, failing, slow, or emptied, at any time: the search goes on, and `sync` makes MLflow whole, once."""

import re
import shutil
import sqlite3
from contextlib import closing

import pytest

from hpsearch.errors import TrackingError
from hpsearch.search.facts import FactStore
from hpsearch.store import Store
from hpsearch.tracking import Tracker, sync
from hpsearch.tracking.place import embedded_uri
from hpsearch.tracking.server import ui_server
from tests.support.facts import fact
from tests.support.ports import free_port
from tests.support.studies import run_quick
from tests.support.tracking import alike, make_study, shown
from tests.support.unreliable import unreliable

pytestmark = pytest.mark.slow

TRIALS = 12
SITUATIONS = (
    *("errors at the start", "errors in the middle", "errors at the end", "errors throughout"),
    *("dropped at the start", "dropped in the middle", "slow throughout"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A real tracking server, and one in front of it that misbehaves when told to."""
    store = Store(tmp_path_factory.mktemp("server") / "mlruns")
    store.root.mkdir()
    with ui_server(store, free_port()) as running, unreliable(running.url.rstrip("/")) as (uri, switch):
        yield uri, switch


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")


@pytest.fixture
def study(tmp_path, request):
    """A study of four trials, of a name that the server has not seen."""
    name = request.node.name.partition("[")[2].strip("]").replace(" ", "-") or "outage"
    return make_study(Store(tmp_path / "mlruns"), count=4, name=name)


def go_on(study, first, last):
    for number in range(first, last):
        study.add(fact(number))


def end_of(tracker):
    """None where MLflow was written to the end, else the command that the message names."""
    try:
        tracker.finish(timeout=60)
    except TrackingError as error:
        return re.search(r"hpsearch sync [\w.~-]+", str(error)).group()


def whole(study, uri, scratch):
    """MLflow holds each trial once, as a projection of the same facts gives a database that is new."""
    anew = f"sqlite:///{scratch / 'anew.db'}"
    sync(study.store, study.home, uri=anew)
    here, there = alike(shown(uri, study.home.key)), alike(shown(anew, study.home.key))
    assert len(here) == TRIALS + 1
    assert here == there
    assert sync(study.store, study.home, uri=uri).projected == 0, "a second time writes nothing"
    assert alike(shown(uri, study.home.key)) == here


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_server_misbehaves(server, study, situation, ledger):
    """The trials are stored as ever, the run's end is told, and what is missing comes with the next sync."""
    uri, switch = server
    mode, _, when = situation.partition(" ")
    switch.seconds = 0.2
    switch.mode = mode if when in ("at the start", "throughout") else "well"
    tracker = Tracker.start(study.store, study.home, uri=uri)
    go_on(study, 4, 8)
    if when != "throughout":
        switch.mode = mode if when == "in the middle" else "well"
    go_on(study, 8, TRIALS)
    if when != "throughout":
        switch.mode = mode if when == "at the end" else "well"
    assert end_of(tracker) in (None, f"hpsearch sync {study.home.key}")
    assert len(FactStore.open(study.home.facts, study=study.home.key).facts()) == TRIALS
    switch.mode = "well"
    report = sync(study.store, study.home, uri=uri)
    assert (report.projected + report.already, report.total) == (TRIALS, TRIALS)
    whole(study, uri, study.store.root)
    ledger.enter(f"MLflow's server: {mode}", injected=1)


def test_runs_and_experiment_are_deleted_in_between(server, study, tmp_path, ledger):
    from mlflow import MlflowClient

    uri, switch = server
    switch.mode = "well"
    go_on(study, 4, TRIALS)
    sync(study.store, study.home, uri=uri)
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(study.home.key).experiment_id
    for run in client.search_runs([experiment])[:5]:
        client.delete_run(run.info.run_id)
    sync(study.store, study.home, uri=uri)
    whole(study, uri, tmp_path)
    client.delete_experiment(experiment)
    sync(study.store, study.home, uri=uri)
    whole(study, uri, tmp_path)
    ledger.enter("MLflow: runs, experiment deleted", injected=2)


def test_the_embedded_database_is_deleted_while_it_is_written_to(study, tmp_path, ledger):
    store = study.store
    tracker = Tracker.start(store, study.home)
    go_on(study, 4, TRIALS)
    while not store.database.exists():
        assert tracker.pid
    store.database.unlink()
    assert end_of(tracker) in (None, f"hpsearch sync {study.home.key}")
    assert len(FactStore.open(study.home.facts, study=study.home.key).facts()) == TRIALS
    sync(store, study.home)
    whole(study, embedded_uri(store), tmp_path)
    ledger.enter("MLflow's database: deleted while written to", injected=1)


@pytest.mark.parametrize("damage", ["deleted", "emptied", "garbage", "with all artifacts"])
def test_the_embedded_database_is_lost_afterwards(tmp_path, damage, ledger):
    """A database that is gone is made anew; one that is no database is an error that names it, never overwritten."""
    _, _ = run_quick(tmp_path / "mlruns", budget__trials=6)
    store = Store(tmp_path / "mlruns")
    home = store.find("quick")
    before = shown(embedded_uri(store), "quick")
    for path in store.root.glob("mlflow.db*"):
        path.unlink()
    if damage == "with all artifacts":
        shutil.rmtree(store.artifacts)
    if damage == "emptied":
        store.database.touch()
    if damage == "garbage":
        store.database.write_bytes(b"no database at all" * 1000)
        with pytest.raises(TrackingError, match=r"mlflow\.db cannot be written"):
            sync(store, home)
        assert store.database.read_bytes().startswith(b"no database")
        store.database.unlink()
    sync(store, home)
    assert [run["params"] for run in shown(embedded_uri(store), "quick")] == [run["params"] for run in before]
    assert sync(store, home).projected == 0
    with closing(sqlite3.connect(store.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    ledger.enter(f"MLflow's database: {damage}", injected=1)
