"""SIGKILL of workers, in the pool and in a cluster, again and again: each is replaced, and the table is the same."""

import random
import time
from functools import partial

import psutil
import pytest
from distributed import Client

from hpsearch.store import Store
from hpsearch.study import run_study
from tests.support.dask import DaskCluster, spawned
from tests.support.drivers import Driver, facts_of
from tests.support.studies import QUICK, Watcher, run_quick, spec_of, table

pytestmark = [
    pytest.mark.slow,
    # a run that ends early leaves its writer to MLflow to itself
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

STUDY = QUICK.replace("{min: 2, max: 6}", "{min: 40, max: 80}").replace("trials: 14", "trials: 24")


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
    return spawned(psutil.Process())


class Meddler(Watcher):
    """Does one thing after the other to the workers, each time that so many more trials have been retired."""

    def __init__(self, deeds, *, every):
        super().__init__()
        self._deeds = {every * place: deed for place, deed in enumerate(deeds, start=1)}
        self.done = 0

    def retired(self, fact):
        super().retired(fact)
        if len(self.facts) in self._deeds:
            self._deeds[len(self.facts)]()
            self.done += 1


def run(directory, watcher, **settings):
    workers = settings.pop("workers", 1)
    result = run_study(
        spec_of(STUDY, **settings), store=Store.locate(directory), observer=watcher, workers=workers
    )
    return table(result.facts)


def someone(workers):
    """One of the processes, as soon as there is one."""
    deadline = time.monotonic() + 120
    while not (there := workers()):
        assert time.monotonic() < deadline, "nobody trains"
        time.sleep(0.02)
    return random.Random(len(there)).choice(there)


def test_the_table_is_that_of_a_run_nobody_touched(expected, tmp_path, ledger):
    meddler = Meddler([lambda: someone(pool_workers).kill()] * 7, every=3)
    assert run(tmp_path, meddler, workers=2) == expected
    assert meddler.done == 7
    ledger.enter("SIGKILL of a worker of the pool", injected=7)


def test_the_table_of_a_cluster_whose_workers_die_join_and_retire_is_the_same(expected, tmp_path, ledger):
    """Law 2. Dask starts those again that are killed; the others come and go."""
    (tmp_path / "dask").mkdir()
    dask = DaskCluster(tmp_path / "dask", allowed_failures=10)
    kill = lambda: someone(dask.computing).kill()  # noqa: E731 - a deed
    deeds = [kill, dask.add_worker, kill, partial(retire, dask), kill, dask.add_worker, partial(retire, dask)]
    meddler = Meddler(deeds, every=3)
    try:
        assert run(tmp_path, meddler, cluster__address=dask.address) == expected
    finally:
        dask.close()
    assert meddler.done == len(deeds)
    for deed, times in (("SIGKILL", 3), ("joining", 2), ("retiring", 2)):
        ledger.enter(f"a worker of a cluster: {deed}", injected=times)


def retire(dask):
    """Send a worker of several home."""
    with Client(dask.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=120)
        client.retire_workers([min(client.scheduler_info(n_workers=-1)["workers"])])


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
