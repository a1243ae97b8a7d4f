"""What every executor keeps to: this process, a pool of processes, a Dask cluster of real processes."""

import dataclasses
import re
import subprocess
import threading
import time
from pathlib import Path

import dask as dask_settings
import numpy as np
import pytest
import yaml

from hpsearch.errors import TrainingError
from hpsearch.execution import cluster_worker, open_executor
from hpsearch.execution.outcome import StoppedError
from hpsearch.judgment.stopping import Verdict
from hpsearch.spec import Cluster
from tests.execution.test_training import changed, data, task, train, trial, without_clock  # noqa: F401 - a fixture
from tests.support.dask import DEADLY, DaskCluster

SECURITY = Path(__file__).parents[2] / "docs" / "security.md"


def tls_settings(directory):
    """The settings of docs/security.md, with a certificate that is made here, in a directory of Dask's settings."""
    certificate, key = directory / "me.pem", directory / "me-key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=dask"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    shown = re.search(r"```yml\n(.*?)```", SECURITY.read_text(), re.DOTALL)[1]
    text = shown.replace("/etc/dask/ca.pem", str(certificate)).replace("/etc/dask", str(directory))
    (directory / "config").mkdir()
    (directory / "config" / "tls.yaml").write_text(text)
    return dask_settings.config.merge(dask_settings.config.config, yaml.safe_load(text))


EXECUTORS = ["inline", "pool", "cluster", "cluster with shared files"]


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    """A scheduler and two workers."""
    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    yield cluster
    cluster.close()


@pytest.fixture(params=EXECUTORS)
def opened(request, data, tmp_path):  # noqa: F811
    """Opens an executor, with the settings given."""

    def open_it(**settings):
        if request.param.startswith("cluster"):
            dask = request.getfixturevalue("dask")
            shared = str(tmp_path / "shared") if "shared" in request.param else None
            settings["cluster"] = Cluster(address=dask.address, shared=shared)
        workers = 2 if request.param == "pool" else 1
        return open_executor(data, seed=0, workers=workers, **settings)

    return open_it


def long(count=1, *, epochs=100_000):
    """Trials that train far longer than a test takes."""
    return [
        dataclasses.replace(
            changed(trial(number, learning_rate=1e-4), epochs=epochs), thresholds=np.full(epochs, np.nan)
        )
        for number in range(count)
    ]


def test_outcomes_are_those_of_the_task(data, opened):  # noqa: F811
    """Bit for bit, in the order of the trials; a trial that cannot be trained fails alone."""
    trials = [trial(0), changed(trial(1), optimizer="nothing"), trial(2, optimizer="sgd", epochs=3), trial(3)]
    cohorts = [task(*trials[:2]), task(*trials[2:])]
    with opened() as workers:
        futures = [workers.submit(cohort) for cohort in cohorts]
        outcomes = [outcome for future in futures for outcome in workers.wait(future)]
    expected = [outcome for cohort in cohorts for outcome in train(data, *cohort.trials)]
    assert [without_clock(outcome) for outcome in outcomes] == [
        without_clock(outcome) if outcome.verdict is not Verdict.FAILED else without_clock(found)
        for outcome, found in zip(expected, outcomes, strict=True)
    ]
    assert [outcome.verdict is Verdict.FAILED for outcome in outcomes] == [False, True, False, False]


def test_a_deadline_ends_the_wait_and_the_training(opened):
    """Within an epoch; afterwards the executor can be closed at once."""
    began = time.monotonic()
    with opened(deadline=began + 3) as workers:
        future = workers.submit(task(*long(), patience=None))
        with pytest.raises(StoppedError):
            workers.wait(future)
    assert time.monotonic() - began < 60


def test_a_stop_ends_what_is_under_way(opened):
    """As Ctrl-C does it: the context is left with tasks training and waiting."""
    began = time.monotonic()

    def interrupted():
        with opened() as workers:
            futures = [workers.submit(task(one, patience=None)) for one in long(4)]
            assert len(futures) == 4
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - began < 60


class TestCluster:
    """What only a cluster can do."""

    def test_a_stopped_study_leaves_the_workers_free(self, dask, data):  # noqa: F811
        """What was cancelled trains no further, so the next study's tasks are trained."""
        with open_executor(data, seed=0, workers=1, cluster=Cluster(address=dask.address)) as workers:
            for one in long(4):
                workers.submit(task(one, patience=None))
            time.sleep(1)
        with open_executor(data, seed=0, workers=1, cluster=Cluster(address=dask.address)) as workers:
            (outcome,) = workers.wait(workers.submit(task(trial(0))))
        assert without_clock(outcome) == without_clock(train(data, trial(0))[0])

    def test_workers_killed_and_added_change_no_outcome(self, dask, data):  # noqa: F811
        """SIGKILL of one in the middle of its cohort, and a third worker joins."""
        trials = [trial(number, epochs=40, learning_rate=1e-3) for number in range(160)]
        cohorts = [task(*trials[start : start + 40], patience=None) for start in range(0, 160, 40)]
        with open_executor(data, seed=0, workers=1, cluster=Cluster(address=dask.address)) as workers:
            futures = [workers.submit(cohort) for cohort in cohorts]
            time.sleep(0.3)
            dask.computing()[0].kill()
            dask.add_worker()
            outcomes = [outcome for future in futures for outcome in workers.wait(future)]
        expected = [outcome for cohort in cohorts for outcome in train(data, *cohort.trials, patience=None)]
        assert [without_clock(outcome) for outcome in outcomes] == [
            without_clock(outcome) for outcome in expected
        ]

    @pytest.mark.slow
    def test_a_trial_whose_workers_all_die_has_failed(self, dask, data):  # noqa: F811
        """As often as the scheduler allows; the others of its cohort are trained."""
        notices = []
        with open_executor(
            data, seed=0, workers=1, cluster=Cluster(address=dask.address), notice=notices.append
        ) as workers:
            good, bad = workers.wait(workers.submit(task(trial(0), trial(DEADLY))))
        assert without_clock(good) == without_clock(train(data, trial(0))[0])
        assert bad.verdict is Verdict.FAILED
        assert "the process that trained it died 2 times (killed, or out of memory)" in bad.error
        assert notices[0].startswith(
            "2 workers died: killed, or out of memory; trials 0, 1313 are trained again"
        )

    @pytest.mark.slow
    def test_a_lost_scheduler_is_told(self, tmp_path, data):  # noqa: F811
        """What is kept, and what to do."""
        own = DaskCluster(tmp_path, workers=1)
        try:
            with open_executor(data, seed=0, workers=1, cluster=Cluster(address=own.address)) as workers:
                future = workers.submit(task(*long(), patience=None))
                own.kill(own.scheduler)
                with pytest.raises(
                    TrainingError, match=r"scheduler at tcp.* was lost; every finished trial is kept"
                ):
                    workers.wait(future)
        finally:
            own.close()

    @pytest.mark.slow
    def test_a_cluster_may_speak_tls_and_refuses_who_has_no_certificate(self, tmp_path, data):  # noqa: F811
        """Set up as docs/security.md says, with one certificate that is its own authority."""
        settings = tls_settings(tmp_path)
        own = DaskCluster(tmp_path, workers=1, protocol="tls", config=tmp_path / "config")
        try:
            assert own.address.startswith("tls://")
            with (
                dask_settings.config.set(settings),
                open_executor(data, seed=0, workers=1, cluster=Cluster(address=own.address)) as workers,
            ):
                (outcome,) = workers.wait(workers.submit(task(trial(0))))
            with (
                pytest.raises(TrainingError, match="cannot be reached"),
                open_executor(data, seed=0, workers=1, cluster=Cluster(address=own.address)),
            ):
                pass
        finally:
            own.close()
        assert without_clock(outcome) == without_clock(train(data, trial(0))[0])

    def test_no_scheduler_is_told(self, data):  # noqa: F811
        """With its address."""
        with (
            pytest.raises(TrainingError, match=r"tcp://127.0.0.1:9 cannot be reached"),
            open_executor(data, seed=0, workers=1, cluster=Cluster(address="tcp://127.0.0.1:9")),
        ):
            pass

    @pytest.mark.slow
    def test_a_cluster_without_workers_is_waited_for(self, tmp_path, data, monkeypatch):  # noqa: F811
        """The user is told; a worker that joins later gets the data."""
        monkeypatch.setattr("hpsearch.execution.cluster._LOOK", 0.5)
        own = DaskCluster(tmp_path, workers=0)
        notices = []
        try:
            with open_executor(
                data, seed=0, workers=1, cluster=Cluster(address=own.address), notice=notices.append
            ) as workers:
                future = workers.submit(task(trial(0)))
                threading.Timer(1.5, own.add_worker).start()
                (outcome,) = workers.wait(future)
        finally:
            own.close()
        assert without_clock(outcome) == without_clock(train(data, trial(0))[0])
        assert notices == [f"the cluster at {own.address} has no worker; waiting for one to join"]

    def test_a_worker_that_computes_otherwise_is_refused(self, dask, data, monkeypatch):  # noqa: F811
        """It would give other bits; the message says what differs, and the remedy."""
        real = cluster_worker.computes_with()
        monkeypatch.setattr(cluster_worker, "computes_with", lambda: {**real, "numpy": "1.0"})
        with (
            pytest.raises(TrainingError, match=r"has numpy .*, the driver 1.0: install the same versions"),
            open_executor(data, seed=0, workers=1, cluster=Cluster(address=dask.address)),
        ):
            pass

    def test_shared_files_are_written_once(self, dask, data, tmp_path):  # noqa: F811
        """Under a name that follows from their content."""
        cluster = Cluster(address=dask.address, shared=str(tmp_path / "shared"))
        seen = []
        for _ in range(2):
            with open_executor(data, seed=0, workers=1, cluster=cluster):
                seen.append({file: file.stat().st_mtime_ns for file in (tmp_path / "shared").rglob("*")})
        assert seen[0] == seen[1]
        assert len(seen[0]) == 5
