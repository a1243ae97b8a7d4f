"""A run without a network: nothing is missing, and nothing was asked for, MLflow's telemetry included."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.drivers import Driver
from tests.support.studies import QUICK

pytestmark = pytest.mark.slow

SPY = """
import json, os, sys
def note(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        with open(os.environ["SPY_LOG"], "a") as log:
            log.write(json.dumps([event, repr(arguments[1:] if event == "socket.connect" else arguments)]) + "\\n")
sys.addaudithook(note)
open(os.environ["SPY_LOG"], "a").close()
"""
SWITCHES = ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK", "CI", "GITHUB_ACTIONS", "MLFLOW_TRACKING_URI")


def without_network():
    """What a command is begun with so that its process has no network at all; nothing where that needs root."""
    possible = os.geteuid() == 0 and subprocess.run(["unshare", "-n", "true"], check=False).returncode == 0
    return ("unshare", "-n") if possible else ()


def test_a_run_asks_for_no_connection_and_misses_none(tmp_path):
    """Every process of the run is listened to: driver, workers, and the writer to MLflow."""
    (tmp_path / "spy").mkdir()
    (tmp_path / "spy" / "sitecustomize.py").write_text(SPY)
    (tmp_path / "study.yaml").write_text(QUICK)
    log = tmp_path / "connections"
    prefix = ("env", *(f"--unset={name}" for name in SWITCHES), *without_network())
    environment = {"PYTHONPATH": str(tmp_path / "spy"), "SPY_LOG": str(log)}
    with Driver(tmp_path, "quick", "--workers", "2", prefix=prefix, env=environment) as driver:
        code, _, errors = driver.finish(600)
    assert code == 0, errors
    synced = subprocess.run(
        [*prefix, sys.executable, "-m", "hpsearch", "sync", "quick"],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert synced.returncode == 0, synced.stderr
    assert [json.loads(line) for line in log.read_text().splitlines()] == []
