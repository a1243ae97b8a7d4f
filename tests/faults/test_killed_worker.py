"""SIGKILL of workers, in the pool and in a cluster, again and again: each is replaced, and the table is the same."""

import random
import threading

import psutil
import pytest
from distributed import Client

from tests.support.dask import DaskCluster
from tests.support.drivers import Driver, facts_of, stored_lines
from tests.support.studies import QUICK, run_quick, table

pytestmark = [
    pytest.mark.slow,
    # a run that ends early leaves its writer to MLflow to itself
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

STUDY = QUICK.replace("{min: 2, max: 6}", "{min: 40, max: 80}").replace("trials: 14", "trials: 24")
KILLS = 8


@pytest.fixture(autouse=True)
def trials_alone(monkeypatch):
    """No run waits for MLflow at its end."""
    monkeypatch.setattr("hpsearch.study._TRACKING_PATIENCE", 0.1)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The table of a run that nobody touches."""
    result, _ = run_quick(tmp_path_factory.mktemp("untouched"), STUDY)
    return table(result.facts)


def pool_workers():
    return [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]


class Meddler(threading.Thread):
    """Does something to the workers after every few trials: those that only start have done nothing yet."""

    def __init__(self, home, *deeds):
        super().__init__()
        self.done = 0
        self._home, self._deeds, self._ended = home, deeds, threading.Event()

    def run(self):
        chance, following = random.Random(0), 1
        while self.done < len(self._deeds) and not self._ended.wait(0.01):
            if stored_lines(self._home) >= following and self._deeds[self.done](chance):
                self.done += 1
                following = stored_lines(self._home) + chance.randint(1, 3)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self.join()


def kill_one_of(workers):
    """Kill a worker, where there is one."""

    def kill(chance):
        busy = workers()
        if busy:
            chance.choice(busy).kill()
        return busy

    return kill


def test_the_table_is_that_of_a_run_nobody_touched(expected, tmp_path, ledger):
    home = tmp_path / "studies" / "quick"
    with Meddler(home, *[kill_one_of(pool_workers)] * KILLS) as meddler:
        result, _ = run_quick(tmp_path, STUDY, workers=2)
    assert meddler.done > 2
    assert table(result.facts) == expected
    ledger.enter("SIGKILL of a worker of the pool", injected=meddler.done)


def test_the_table_of_a_cluster_whose_workers_die_join_and_retire_is_the_same(expected, tmp_path, ledger):
    """Law 2. Dask starts those again that are killed; the others come and go."""
    (tmp_path / "dask").mkdir()
    dask = DaskCluster(tmp_path / "dask", allowed_failures=10)

    def retire(chance):
        with Client(dask.address, set_as_default=False) as client:
            there = sorted(client.scheduler_info(n_workers=-1)["workers"])
            if len(there) > 1:
                client.retire_workers([chance.choice(there)])
        return len(there) > 1

    kill, add = kill_one_of(dask.computing), lambda _: dask.add_worker()
    try:
        with Meddler(tmp_path / "studies" / "quick", kill, add, kill, retire, kill, add, retire) as meddler:
            result, _ = run_quick(tmp_path, STUDY, cluster__address=dask.address)
    finally:
        dask.close()
    assert meddler.done > 3
    assert table(result.facts) == expected
    ledger.enter("a cluster's worker: SIGKILL, joining, retiring", injected=meddler.done)


CHEAP = QUICK.replace("{rule: median, warmup_epochs: 1, startup_trials: 3}", "none").replace(
    "{name: tpe, n_startup_trials: 4}", "random"
)
DEADLY = """
import os, signal
from hpsearch.execution import worker

def train_cohort(task, *arguments, real=worker.train_cohort, **options):
    if 5 in task.numbers:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(task, *arguments, **options)

worker.train_cohort = train_cohort
"""


def test_a_trial_that_kills_its_worker_three_times_has_failed_and_no_other(tmp_path, ledger):
    """Trial 5 kills whichever process trains it: the pool finds it, gives it up with the reason, and goes on."""
    (tmp_path / "deadly").mkdir()
    (tmp_path / "deadly" / "sitecustomize.py").write_text(DEADLY)
    (tmp_path / "study.yaml").write_text(CHEAP)
    untouched, _ = run_quick(tmp_path / "untouched", CHEAP)
    environment = {"PYTHONPATH": str(tmp_path / "deadly")}
    with Driver(tmp_path, "quick", "--workers", "2", env=environment) as driver:
        code, _, errors = driver.finish(600)
    assert code == 0, errors
    found = facts_of(tmp_path, "quick")
    assert found[5].state == "failed"
    assert "died 3 times" in found[5].reason
    others = [fact for fact in found if fact.number != 5]
    assert table(others) == [row for row in table(untouched.facts) if row[0] != 5]
    ledger.enter("trial that kills its worker three times", injected=1)
