"""A cluster of hosts with addresses of their own, in network namespaces: the table of one core, whoever is cut off."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from tests.support.dask import ENVIRONMENT
from tests.support.drivers import Driver, facts_of
from tests.support.hosts import hosts
from tests.support.studies import QUICK, run_quick, table

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STUDY = QUICK.replace("{min: 2, max: 6}", "{min: 40, max: 80}").replace("trials: 14", "trials: 60")
PATIENCE = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "15s"}  # until a host that says nothing counts as lost


def commands():
    """The scheduler's and the worker's command lines, as deploy/ has them."""
    parts = yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "cluster.yaml").read_text())
    loads = [part for part in parts if part["kind"] == "Deployment"]
    return {
        load["metadata"]["name"]: load["spec"]["template"]["spec"]["containers"][0]["args"] for load in loads
    }


def on(place, host, arguments, directory):
    """A Dask process on a host."""
    with (directory / f"{host}.log").open("w") as log:
        return subprocess.Popen(
            [*place.prefix(host), sys.executable, "-m", "dask", *arguments],
            cwd=directory,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**ENVIRONMENT, **PATIENCE},
        )


READY = """
import sys
from distributed import Client
Client(sys.argv[1], timeout=120).wait_for_workers(2, timeout=240)
"""


def wait_for(place, scheduler):
    """Until the scheduler has both workers, as the driver's host sees it."""
    subprocess.run([*place.prefix("driver"), sys.executable, "-c", READY, scheduler], check=True, timeout=400)


def end(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_cluster_of_hosts_gives_the_table_of_one_core_also_when_one_is_cut_off(tmp_path, ledger):
    """Driver, scheduler and workers are hosts of their own; a worker's cable is pulled in the middle."""
    untouched, _ = run_quick(tmp_path / "untouched", STUDY)
    (tmp_path / "study.yaml").write_text(STUDY)
    with hosts("driver", "scheduler", "first", "second") as place, ExitStack() as ends:
        scheduler = f"tcp://{place.address('scheduler')}:8786"
        deployed = commands()
        processes = [("scheduler", deployed["scheduler"])]
        for host in ("first", "second"):
            own = [word.replace("tcp://scheduler:8786", scheduler) for word in deployed["worker"]]
            processes.append(
                (host, [word.replace("directory=/tmp", f"directory={tmp_path}/{host}") for word in own])
            )
        for host, arguments in processes:
            ends.callback(end, on(place, host, arguments, tmp_path))
        settings = {"prefix": place.prefix("driver"), "env": PATIENCE}
        wait_for(place, scheduler)
        with Driver(tmp_path, "quick", "--cluster", scheduler, **settings) as driver:
            assert driver.wait_until(lambda: driver.trials() >= 3, 300)
            place.unplug("second")
            began = time.monotonic()
            code, _, errors = driver.finish(600)
    assert code == 0, errors
    assert table(facts_of(tmp_path, "quick")) == table(untouched.facts)
    ledger.enter(
        "a cluster's host cut off from the network", injected=1, recovered=[time.monotonic() - began]
    )
