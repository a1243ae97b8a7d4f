"""A wrong place for tracking is told when the search begins, and the search does not wait for that."""

import socket
import threading
import time

import pytest

from hpsearch.tracking.probe import problem_at, warn_early
from tests.support.ports import free_port
from tests.support.studies import run_quick
from tests.support.tracking import broken_server


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("htp://tracking:5000", "is no address of MLflow: write http://host:5000"),
        ("tracking:5000", "is no address of MLflow"),
        ("http://", "names no host"),
        ("http://tracking:port", "is no address"),
        ("sqlite:////no/such/folder/mlflow.db", "the directory /no/such/folder does not exist"),
    ],
)
def test_what_is_no_address_is_told(uri, said):
    assert said in problem_at(uri)


def test_what_may_be_right_is_not_complained_of(tmp_path):
    assert problem_at(f"sqlite:///{tmp_path}/mlflow.db") is None
    assert problem_at("databricks") is None or "address" in problem_at("databricks")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "MLFLOW_TRACKING_USERNAME"),
        (403, "refuses (403)"),
        (404, "answers 404, as no MLflow server does"),
    ],
)
def test_a_server_that_refuses_is_told_with_the_remedy(status, said):
    with broken_server(status) as (uri, _):
        assert said in problem_at(uri)


def test_a_server_that_is_not_there_is_warned_of_when_the_search_begins(tmp_path, monkeypatch):
    """Before its end, and with the credentials of nobody."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    uri = f"http://127.0.0.1:{free_port()}"
    _, watcher = run_quick(tmp_path, tracking__uri=uri)
    (warning,) = watcher.warnings
    assert warning.startswith(f"tracking.uri {uri}: cannot be reached (")
    assert warning.endswith("the search goes on without it")


def test_a_server_that_says_nothing_holds_nobody_up():
    told = threading.Event()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        warn_early(f"http://127.0.0.1:{silent.getsockname()[1]}", lambda _: told.set())
        assert time.monotonic() - began < 1
        assert told.wait(30)
