"""A real MLflow server over HTTP: idempotent, and an outage in the middle leaves nothing half."""

import pytest

from hpsearch.errors import TrackingError
from hpsearch.store import Store
from hpsearch.tracking import run_id, sync, ui_server
from hpsearch.tracking.identity import establish_identity
from hpsearch.tracking.place import embedded_uri
from tests.support.facts import fact
from tests.support.ports import free_port
from tests.support.tracking import alike, finish_study, shown

pytestmark = pytest.mark.slow


def test_a_server_that_goes_and_comes_back_ends_up_with_everything_once(study, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    finish_study(study)
    there = Store(tmp_path / "server")
    with ui_server(there, free_port()) as server:
        uri, port = server.url.rstrip("/"), server.port
        establish_identity(study.home, uri=uri, experiment="team")
        report = sync(study.store, study.home)
        assert (report.projected, report.total) == (8, 8)
        assert sync(study.store, study.home).already == 8
    study.add(fact(8), fact(9))
    with pytest.raises(TrackingError, match="hpsearch sync digits"):
        sync(study.store, study.home)
    with ui_server(there, port):
        assert sync(study.store, study.home).projected == 2
        over_http = shown(uri, "team")
        assert run_id(study.store, study.home, 9) is not None
    sync(study.store, study.home, uri=embedded_uri(study.store))
    assert alike(over_http) == alike(shown(embedded_uri(study.store), "team"))
