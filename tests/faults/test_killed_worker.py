"""SIGKILL of workers in the pool, again and again: each is replaced, its task trained again, and the table the same."""

import random
import threading
import time

import psutil
import pytest

from tests.support.drivers import stored_lines
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


def workers():
    return [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]


def test_the_table_is_that_of_a_run_nobody_touched(tmp_path, ledger):
    untouched, _ = run_quick(tmp_path / "untouched", STUDY)
    home, chance, killed, ended = (
        tmp_path / "killed" / "studies" / "quick",
        random.Random(0),
        [],
        threading.Event(),
    )

    def kill():
        """A worker after every few trials: one that is killed while it starts has done nothing yet."""
        following = 1
        while len(killed) < KILLS and not ended.wait(0.01):
            busy = workers()
            if busy and stored_lines(home) >= following:
                chance.choice(busy).kill()
                killed.append(time.monotonic())
                following = stored_lines(home) + chance.randint(1, 3)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        result, _ = run_quick(tmp_path / "killed", STUDY, workers=2)
    finally:
        ended.set()
        killer.join()
    assert len(killed) > 2
    assert table(result.facts) == table(untouched.facts)
    ledger.enter("SIGKILL of a worker", injected=len(killed))
