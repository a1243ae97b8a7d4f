import http.client
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing

import psutil
import pytest

from hpsearch.errors import InputError
from hpsearch.tracking import sync, ui_server
from hpsearch.tracking.server import DEFAULT_PORT, _choose_port, _claimed, experiment_id
from tests.support.ports import free_port


@pytest.fixture
def taken():
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        yield busy.getsockname()[1]


def status(port, path="/", host=None):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path, headers={"Host": host} if host else {})
        return connection.getresponse().status


def test_a_port_asked_for_and_in_use_is_an_error_with_a_remedy(store, taken):
    with pytest.raises(InputError, match=f"--port: {taken} is in use.*name another"), ui_server(store, taken):
        pass


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none_is_refused(store, port):
    with pytest.raises(InputError, match="must be from 1 to 65535"), ui_server(store, port):
        pass


def test_the_usual_port_is_avoided_when_it_is_taken(monkeypatch, taken):
    monkeypatch.setattr("hpsearch.tracking.server.DEFAULT_PORT", taken)
    port, avoided = _choose_port(None)
    assert avoided == taken
    assert port not in (taken, DEFAULT_PORT)


def test_a_port_that_another_ui_is_about_to_take_is_taken():
    """It does not answer on it yet."""
    port = free_port()
    with _claimed(port) as first, _claimed(port) as second:
        assert (first, second) == (True, False)
        with pytest.raises(InputError, match=f"--port: {port} is in use"):
            _choose_port(port, ours=second)
        assert _choose_port(None, ours=second)[1] == DEFAULT_PORT
    with _claimed(port) as again:
        assert again


def test_the_experiment_is_found_without_mlflow(study):
    assert experiment_id(study.store, "digits") is None
    sync(study.store, study.home)
    assert experiment_id(study.store, "digits") == "1"
    assert experiment_id(type(study.store)(study.store.root / "nowhere"), "digits") is None


@pytest.mark.slow
def test_the_ui_answers_on_this_machine_only_and_leaves_no_process(study):
    sync(study.store, study.home)
    with ui_server(study.store, free_port()) as ui:
        assert status(ui.port) == 200
        assert status(ui.port, host="10.evil.example") == 403
        assert status(ui.port, "/ajax-api/2.0/mlflow/experiments/get-by-name?experiment_name=digits") == 200
        assert "/#/experiments/1/runs?" in ui.link(study.home)
        processes = [psutil.Process(ui.process.pid), *psutil.Process(ui.process.pid).children(recursive=True)]
        assert len(processes) <= 3
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


SERVE = """
import sys
from pathlib import Path
from hpsearch.store import Store
from hpsearch.tracking import ui_server
with ui_server(Store(Path(sys.argv[1])), int(sys.argv[2])) as ui:
    print(ui.process.pid, ui.port, flush=True)
    ui.wait()
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_all_its_processes(store, number):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SERVE, str(store.root), str(free_port())]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as us:
        pid, port = map(int, us.stdout.readline().split())
        assert status(port) == 200
        os.kill(us.pid, number)
        us.wait(60)
    assert not psutil.pid_exists(pid)
    with pytest.raises(ConnectionRefusedError):
        status(port)
