"""Law 8: the search does not slow, stop or lose anything when MLflow is away. Here the tracker's part."""

import socket
import time

import pytest

from hpsearch.errors import TrackingError
from hpsearch.search.facts import FactStore
from hpsearch.store import Store
from hpsearch.tracking import Tracker, sync
from tests.support.facts import fact
from tests.support.tracking import broken_server, make_study


@pytest.fixture
def study(tmp_path):
    return make_study(Store(tmp_path / "mlruns"), count=4)


@pytest.fixture
def nobody():
    """The address of a server that is not there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")


def search(study, uri):
    """A search of 20 trials: its trials, the time that the tracker took, and what it said in the end."""
    before = time.perf_counter()
    tracker = Tracker.start(study.store, study.home, uri=uri)
    spent = time.perf_counter() - before
    for number in range(4, 20):
        study.add(fact(number))
    with pytest.raises(TrackingError) as caught:
        tracker.finish(timeout=20)
    return FactStore.open(study.home.facts, study="digits").facts(), spent, str(caught.value)


def test_a_server_that_is_not_there_costs_the_search_nothing(study, nobody):
    trials, spent, message = search(study, nobody)
    assert len(trials) == 20
    assert spent < 0.5
    assert "hpsearch sync digits" in message
    assert nobody in message


def test_a_server_that_answers_with_errors_costs_the_search_nothing(study):
    with broken_server(500) as (uri, _):
        trials, spent, message = search(study, uri)
    assert len(trials) == 20
    assert spent < 0.5
    assert "hpsearch sync digits" in message


def test_what_the_server_missed_is_written_when_it_is_back(study, nobody, tmp_path):
    search(study, nobody)
    report = sync(study.store, study.home, uri=f"sqlite:///{tmp_path / 'back.db'}")
    assert (report.projected, report.total) == (20, 20)
