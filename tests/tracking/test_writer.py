"""The background writer is a process of its own: it may die, and the driver may die, at any moment."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest

from hpsearch.errors import TrackingError
from hpsearch.tracking import SyncReport, Tracker, sync
from hpsearch.tracking.place import embedded_uri
from tests.support.facts import fact, facts
from tests.support.tracking import finish_study, make_study, shown


@contextmanager
def tracker_of(study, **place):
    tracker = Tracker.start(study.store, study.home, **place)
    try:
        yield tracker
    finally:
        tracker.abandon()
        tracker._writer.wait(60)


def wait_until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def trials_shown(study):
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(study.store.database)) as connection:
        return connection.execute("SELECT count(*) FROM runs WHERE name LIKE 'trial-%'").fetchone()[0]


def test_trials_show_while_the_search_goes_on_and_all_at_its_end(study, store):
    with tracker_of(study) as tracker:
        wait_until(lambda: trials_shown(study) == 8)
        # the cores belong to the search
        assert psutil.Process(tracker.pid).nice() >= min(19, os.nice(0) + 10)
        study.add(fact(8))
        wait_until(lambda: trials_shown(study) == 9)
        study.add(fact(9))
        finish_study(study)
        report = tracker.finish(timeout=300)
    assert report == SyncReport(projected=10, already=0, total=10)
    before = shown(embedded_uri(store), "digits")
    assert [run["status"] for run in before if run["name"] == "digits"] == ["FINISHED"]
    sync(store, study.home)
    assert shown(embedded_uri(store), "digits") == before


def test_a_killed_writer_is_replaced_at_the_end(study):
    """SIGKILL at some moment of its life; no trial is lost, none is there twice."""
    with tracker_of(study) as tracker:
        wait_until(lambda: trials_shown(study) > 0)
        os.kill(tracker.pid, signal.SIGKILL)
        study.add(fact(8))
        report = tracker.finish(timeout=300)
    assert report.total == 9
    assert trials_shown(study) == 9


@pytest.mark.slow
def test_ctrl_c_leaves_the_writer_at_work(study):
    """It is not in the terminal's foreground group, and would not mind if it were."""
    with tracker_of(study) as tracker:
        assert os.getsid(tracker.pid) == tracker.pid != os.getsid(0)
        wait_until(lambda: trials_shown(study) == 8)
        os.kill(tracker.pid, signal.SIGINT)
        study.add(fact(8))
        assert tracker.finish(timeout=300).total == 9
        assert psutil.pid_exists(tracker.pid) is False


DRIVER = """
import os, signal, sys
from pathlib import Path
from hpsearch.store import Store
from hpsearch.tracking import Tracker
store = Store(Path(sys.argv[1]))
print(Tracker.start(store, store.find("digits")).pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_when_the_driver_is_killed_the_writer_writes_what_is_there_and_ends(study):
    driver = subprocess.run(
        [sys.executable, "-c", DRIVER, str(study.store.root)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert driver.returncode == -signal.SIGKILL
    writer = int(driver.stdout)
    wait_until(
        lambda: not psutil.pid_exists(writer) or psutil.Process(writer).status() == psutil.STATUS_ZOMBIE
    )
    assert trials_shown(study) == 8
    statuses = {run["name"]: run["status"] for run in shown(embedded_uri(study.store), "digits")}
    assert statuses["digits"] == "KILLED"


def test_the_end_is_waited_for_no_longer_than_asked(study):
    """A writer that hangs (stopped, here) is given up, with the remedy in the message."""
    with tracker_of(study) as tracker:
        os.kill(tracker.pid, signal.SIGSTOP)
        before = time.monotonic()
        with pytest.raises(TrackingError, match="hpsearch sync digits"):
            tracker.finish(timeout=0.5)
        assert time.monotonic() - before < 3
        assert (
            not psutil.pid_exists(tracker.pid) or psutil.Process(tracker.pid).status() == psutil.STATUS_ZOMBIE
        )
    assert sync(study.store, study.home).total == 8


@pytest.mark.slow
def test_the_users_main_module_is_not_imported(study, tmp_path):
    """A script without `if __name__ == "__main__"` is safe, and modules beside it shadow nothing."""
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')", encoding="utf-8")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; sys.path.pop(0)\n"
        "print('started')\n"
        "from pathlib import Path\n"
        "from hpsearch.store import Store\n"
        "from hpsearch.tracking import Tracker\n"
        f"store = Store(Path({str(study.store.root)!r}))\n"
        "print(Tracker.start(store, store.find('digits')).finish(60).total)\n",
        encoding="utf-8",
    )
    result = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert result.stdout.split() == ["started", "8"], result.stderr


@pytest.mark.slow
def test_a_writer_killed_at_any_moment_loses_and_doubles_nothing(store):
    """Killed at growing ages; what the last one wrote equals one undisturbed synchronization."""
    study = make_study(store, count=0)
    trials = facts(60)
    for index in range(20):
        study.add(*trials[3 * index : 3 * index + 3])
        with tracker_of(study) as tracker:
            time.sleep(0.15 * index)
            os.kill(tracker.pid, signal.SIGKILL)
    assert Tracker.start(store, study.home).finish(60).total == 60
    before = shown(embedded_uri(store), "digits")
    assert sync(store, study.home).projected == 0
    undisturbed = make_study(store, count=60)
    sync(store, undisturbed.home)
    assert len(before) == 61
    assert [run["histories"] for run in before] == [
        run["histories"] for run in shown(embedded_uri(store), "digits~2")
    ]


def test_a_removed_database_is_made_anew(study):
    sync(study.store, study.home)
    for path in study.store.root.glob("mlflow.db*"):
        path.unlink()
    with tracker_of(study) as tracker:
        assert tracker.finish(timeout=300) == SyncReport(projected=8, already=0, total=8)
    assert trials_shown(study) == 8


def test_the_background_process_imports_only_what_it_writes_with():
    """Starting it costs as much as it imports: facts and tables, not the study file's reader, engine, or MLflow."""
    code = (
        "import sys, hpsearch.tracking.writer, hpsearch.search.facts\n"
        "heavy = {'hpsearch.spec', 'hpsearch.engine', 'hpsearch.data', 'mlflow', 'pandas', 'sqlalchemy'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
