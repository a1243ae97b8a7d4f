"""`hpsearch serve` for real: who may come in, what clients can do, and that nothing is left of it."""

import base64
import http.client
import os
import re
import signal
import stat
import subprocess
import sys
from contextlib import closing, contextmanager

import psutil
import pytest
from mlflow import MlflowClient

from hpsearch.errors import InputError, TrackingError
from hpsearch.tracking import sync
from hpsearch.tracking.identity import establish_identity
from hpsearch.tracking.service import is_loopback, plan_service
from tests.support.facts import fact
from tests.support.ports import free_port
from tests.support.tracking import counting_proxy, finish_study

SEARCH = "/api/2.0/mlflow/experiments/search?max_results=1"


def plan(store, **changes):
    settings = {"host": "127.0.0.1", "port": free_port(), "workers": 1, **changes}
    return plan_service(store, **settings)


def test_what_only_this_machine_can_reach_is_known():
    assert all(map(is_loopback, ["127.0.0.1", "::1", "localhost", "127.8.8.8"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "myhost", ""]))


def test_passwords_are_asked_for_wherever_others_can_come(store):
    assert plan(store, host="0.0.0.0").authentication
    assert not plan(store).authentication
    assert plan(store, authentication=True).authentication


@pytest.mark.parametrize("name", ["*", "10.*", "http://tracking.example", "a b", "", "x/y", "u@h"])
def test_patterns_that_an_attacker_could_match_are_refused(store, name):
    with pytest.raises(InputError, match=r"--allowed-hosts: must be names with their ports"):
        plan(store, allowed_hosts=[name])


def test_what_cannot_be_used_is_told_at_once(store, monkeypatch):
    with pytest.raises(InputError) as caught:
        plan(store, host="no.such.host.invalid", database="mysql://db/x", artifacts="s3://me:s3cret@b/x")
    said = str(caught.value)
    assert "--host: 'no.such.host.invalid' is no address of this machine" in said
    assert "--database: must be the address of a PostgreSQL or SQLite database" in said
    assert "--artifacts: holds a password" in said
    assert "s3cret" not in said
    with pytest.raises(InputError, match=r"--database: holds a password.*HPSEARCH_SERVER_DATABASE_URL"):
        plan(store, database="postgresql://me:s3cret@db/x")
    monkeypatch.setenv("HPSEARCH_SERVER_DATABASE_URL", "postgresql://me:s3cret@db/x")
    assert plan(store).backend == "postgresql+psycopg://me@db/x"
    assert "s3cret" not in plan(store).users


@pytest.mark.parametrize(
    ("module", "options", "extra"),
    [("flask_wtf", ["--auth"], "server"), ("psycopg", ["--database", "postgresql://db/x"], "postgres")],
)
def test_a_missing_extra_is_named_with_the_command_that_installs_it(tmp_path, module, options, extra):
    code = f"import sys; sys.modules[{module!r}] = None; from hpsearch.cli import main; main({['serve', *options]})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 2
    assert f"pip install 'hpsearch[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


@contextmanager
def served(directory, *options, env=None):
    """The command line's server: what it printed, and its process."""
    port = free_port()
    with (directory / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hpsearch", "serve", "--port", str(port), "--workers", "1", *options],
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            text=True,
        )
    try:
        lines = [process.stdout.readline()]
        while "user " not in lines[-1] and lines[-1] and ("--auth" in options or "reached" not in lines[-1]):
            lines.append(process.stdout.readline())
        assert lines[-1], (directory / "serve.log").read_text()
        yield port, "".join(lines), process
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def ask(port, path=SEARCH, *, host=None, login=None, origin=None, body=None):
    """The status of a request, as curl would make it."""
    headers = {"Host": host} if host else {}
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    if origin:
        headers["Origin"] = origin
    if body is not None:
        headers["Content-Type"] = "application/json"
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("POST" if body is not None else "GET", path, body=body, headers=headers)
        return connection.getresponse().status


@pytest.mark.slow
def test_a_server_for_a_team_lets_in_who_it_should_and_nobody_else(study, tmp_path, postgres, monkeypatch):
    """PostgreSQL, authentication, Host and Origin attacks, a real client, and no process left behind."""
    finish_study(study)
    database = postgres.new_database()
    options = ("--auth", "--store", "team", "--database", database)
    with served(tmp_path, *options) as (port, said, process):
        file = tmp_path / "team" / "admin-password"
        assert f"user       admin, password in {file}" in said
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        admin = ("admin", file.read_text().strip())
        assert admin[1] not in said
        assert ask(port, "/health") == 200
        assert ask(port) == 401
        assert ask(port, login=("admin", "wrong")) == 401
        assert ask(port, login=admin) == 200
        for evil in ("evil.example", "10.evil.example", f"127.0.0.1.evil.example:{port}"):
            assert ask(port, host=evil, login=admin) == 403
        create = "/ajax-api/2.0/mlflow/experiments/create"
        ours, theirs = f"http://127.0.0.1:{port}", "http://evil.example"
        assert ask(port, create, login=admin, origin=ours, body='{"name": "ours"}') == 200
        assert ask(port, create, login=admin, origin=theirs, body='{"name": "theirs"}') == 403
        _client(study, ours, admin, monkeypatch)
        everyone = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        assert not any(admin[1] in word for one in everyone for word in one.cmdline())
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in everyone)


def _client(study, uri, admin, monkeypatch):
    """Wrong credentials are told and cost nothing; right ones write a study, one batch a trial."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")  # this is no test of how fast the machine is
    establish_identity(study.home, uri=uri, experiment=None)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", admin[0])
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "wrong")
    with pytest.raises(TrackingError, match=r"401.*MLFLOW_TRACKING_USERNAME.*hpsearch sync digits") as caught:
        sync(study.store, study.home)
    assert "wrong" not in str(caught.value)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", admin[1])
    with counting_proxy(uri) as (proxied, asked):
        establish_identity(study.home, uri=proxied, experiment=None)
        assert sync(study.store, study.home).projected == 8
        assert sum(path.endswith("runs/log-batch") for path in asked) == 9, "one a trial, one for the study"
        study.add(fact(8))
        asked.clear()
        assert sync(study.store, study.home).projected == 1
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("digits").experiment_id
    assert len(client.search_runs([experiment])) == 10, "nine trials and the study"
    for file in study.home.path.rglob("*"):
        assert not file.is_file() or admin[1].encode() not in file.read_bytes()


@pytest.mark.slow
def test_a_password_from_the_environment_is_taken_and_a_server_of_this_machine_asks_for_none(tmp_path):
    with served(tmp_path, env={"MLFLOW_AUTH_ADMIN_PASSWORD": "ignored here, too"}) as (port, said, _):
        assert not re.search(r"^user ", said, re.MULTILINE)
        assert "ignored here" not in said
        assert ask(port) == 200
        assert ask(port, host="10.evil.example") == 403
        assert re.search(rf"reached as 127\.0\.0\.1:{port}, localhost:{port}", said)
    assert not list(tmp_path.rglob("admin-password"))


def test_a_short_password_is_refused_with_the_reason(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "hpsearch", "serve", "--auth", "--port", str(free_port())],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "MLFLOW_AUTH_ADMIN_PASSWORD": "short"},
        timeout=300,
        check=False,
    )
    assert done.returncode == 2
    assert "MLFLOW_AUTH_ADMIN_PASSWORD: must have at least 12 characters" in done.stderr
    assert "short" not in done.stderr
