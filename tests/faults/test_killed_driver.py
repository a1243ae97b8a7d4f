"""SIGKILL of the driver at any moment, again and again, then resume: the table is that of a run nobody touched."""

import random
import time

import psutil
import pytest

from hpsearch.results import best_params, load_model
from hpsearch.store import Store
from hpsearch.tracking import sync
from hpsearch.tracking.place import embedded_uri
from tests.support.drivers import Driver, facts_of
from tests.support.studies import cli, table
from tests.support.tracking import alike, shown

pytestmark = pytest.mark.slow

TRIALS = 30
STUDY = f"""
study: killed
seed: 11
data: {{source: sklearn/iris}}
model: {{hidden: [8]}}
space:
  epochs: {{min: 4, max: 30}}
  batch_size: [16, 32]
  learning_rate: {{min: 1e-3, max: 1e-1, log: true}}
  optimizer: [sgd, momentum, adam]
  dropout: {{min: 0.0, max: 0.3}}
  momentum: {{min: 0.8, max: 0.99, when: {{optimizer: momentum}}}}
pruning: {{rule: median, warmup_epochs: 1, startup_trials: 3}}
sampler: {{name: tpe, n_startup_trials: 6}}
budget: {{trials: {TRIALS}}}
"""
STORES = 5
PATIENCE = 600  # seconds: a busy machine lets the writers to MLflow, which are nice, wait
KILLS = ("start", "start", *["search"] * 5, "refit", "refit", "tracking")  # of each store
assert STORES * len(KILLS) == 50


def lay_out(directory):
    directory.mkdir(exist_ok=True)
    (directory / "study.yaml").write_text(STUDY)
    return directory


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """The table and the result of a run that nobody touches, and how long it takes."""
    directory = lay_out(tmp_path_factory.mktemp("untouched"))
    began = time.monotonic()
    done = cli("run", "study.yaml", "--workers", "1", cwd=directory, timeout=600)
    assert done.returncode == 0, done.stderr
    return table(facts_of(directory, "killed")), result(directory), time.monotonic() - began


def result(directory):
    best = best_params("killed", store=directory / "mlruns")
    return dict(best), dict(best.test)


def kill_at(driver, moment, chance, duration):
    """Let the driver come to a moment of its run, and kill it there."""
    if moment == "start":
        time.sleep(chance.uniform(0, 0.6 * duration))
    elif moment == "search":
        more = min(TRIALS - 1, driver.trials() + chance.randint(1, 4))
        driver.wait_until(lambda: driver.trials() >= more)
        time.sleep(chance.uniform(0, 0.05))
    elif moment == "refit":
        driver.wait_until(lambda: driver.trials() >= TRIALS and (driver.home / "driver.lock").exists())
        time.sleep(chance.uniform(0, 0.5))
    else:
        driver.wait_until((driver.home / "result.json").exists)
        time.sleep(chance.uniform(0, 1.0))
    return driver.kill()


@pytest.mark.parametrize("number", range(STORES))
def test_the_table_is_that_of_a_run_nobody_touched(number, untouched, tmp_path, ledger):
    expected, found, duration = untouched
    directory, chance = lay_out(tmp_path / "killed"), random.Random(number)
    before, recovered, orphans = 0, [], []
    for moment in KILLS:
        with Driver(directory, "killed", "--workers", 1 + number % 2) as driver:
            if moment == "search" and driver.wait_until(lambda: driver.trials() > before):  # noqa: B023 - called here
                recovered.append(time.monotonic() - driver.began)
            orphans += kill_at(driver, moment, chance, duration)
        facts = facts_of(directory, "killed")
        assert table(facts) == expected[: len(facts)], "whole, each once, none lost"
        assert len(facts) >= before
        before = len(facts)
    _, alive = psutil.wait_procs(orphans, timeout=PATIENCE)
    assert not alive, f"left behind: {[orphan.cmdline() for orphan in alive]}"
    done = cli("run", "study.yaml", "--workers", "2", cwd=directory, timeout=600)
    assert done.returncode == 0, done.stderr
    assert table(facts_of(directory, "killed")) == expected
    assert result(directory) == found
    assert len(load_model("killed", store=directory / "mlruns").predict([[5.1, 3.5, 1.4, 0.2]])) == 1
    check_mlflow(directory, tmp_path)
    ledger.enter("SIGKILL of the driver", injected=len(KILLS), recovered=recovered)


def check_mlflow(directory, scratch):
    """What MLflow holds after all this is what a projection of the same facts gives a database that is new."""
    store = Store.locate(directory / "mlruns")
    home = store.find("killed")
    anew = f"sqlite:///{scratch / 'anew.db'}"
    sync(store, home, uri=anew)
    here, there = alike(shown(embedded_uri(store), "killed")), alike(shown(anew, "killed"))
    assert len(here) == TRIALS + 1
    assert here == there
