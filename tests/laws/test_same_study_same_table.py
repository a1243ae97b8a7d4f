"""Law 2: same file and seed, same trials, curves and winner, with any number of workers, interrupted or not."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from hpsearch.reading import open_for_reading
from hpsearch.store import Store
from tests.support.studies import QUICK, run_quick, table


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The study, run once without interruption."""
    result, _ = run_quick(tmp_path_factory.mktemp("reference"))
    return result


def test_the_number_of_workers_shows_nowhere(reference, tmp_path):
    """Two processes give the table of one."""
    result, _ = run_quick(tmp_path, workers=2)
    assert table(result.facts) == table(reference.facts)
    assert result.result["test"] == reference.result["test"]


def is_worker(process):
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:  # it has ended already
        return False


def test_killed_workers_show_nowhere(reference, tmp_path):
    """SIGKILL of worker processes again and again, whatever they do at the time: the table of one that lived.

    No more often than a process may die before it had anything to do: a busy machine starts them slowly.
    """
    ended = threading.Event()

    def kill():
        moments, killed = random.Random(0), 0
        while not ended.wait(moments.uniform(0.1, 1.0)) and killed < 4:
            for child in [child for child in psutil.Process().children() if is_worker(child)][:1]:
                child.kill()
                killed += 1

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        result, _ = run_quick(tmp_path, workers=2)
    finally:
        ended.set()
        killer.join()
    assert table(result.facts) == table(reference.facts)


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 7, 13])
def test_a_search_cut_short_and_raised_goes_on_as_if_never_cut(reference, tmp_path, cut):
    """A small budget, raised later, gives the table of the large budget."""
    run_quick(tmp_path, budget__trials=cut)
    result, watcher = run_quick(tmp_path)
    assert watcher.stored == cut
    assert table(result.facts) == table(reference.facts)


FOLDED = {"data__split__folds": "3", "data__split__seeds": "2", "budget__trials": "7"}


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    """The study with three folds and two seeds, run once without interruption."""
    result, _ = run_quick(tmp_path_factory.mktemp("folded"), **FOLDED)
    return result


def test_trials_of_several_networks_have_a_spread_and_a_winner_refitted_on_all_development_rows(folded):
    finished = [fact for fact in folded.facts if fact.finished]
    assert {len(fact.members) for fact in finished} == {6}
    assert all(fact.scores["spread_validation_loss"] > 0 for fact in finished)
    assert folded.result["data"]["train_rows"] + folded.result["data"]["validation_rows"] == 120


@pytest.mark.parametrize(("workers", "cut"), [(2, None), (1, 3)])
def test_it_holds_for_trials_of_several_networks(folded, tmp_path, workers, cut):
    if cut is not None:
        run_quick(tmp_path, **{**FOLDED, "budget__trials": cut})
    result, _ = run_quick(tmp_path, workers=workers, **FOLDED)
    assert table(result.facts) == table(folded.facts)
    assert [fact.members for fact in result.facts] == [fact.members for fact in folded.facts]
    assert result.result["test"] == folded.result["test"]


@pytest.mark.parametrize(
    "sampler", ["random", "qmc", "{name: cmaes, n_startup_trials: 3}", "{name: nsga2, population_size: 4}"]
)
def test_every_sampler_resumes_exactly(tmp_path, sampler):
    """Whatever a sampler keeps in mind is rebuilt from the facts."""
    whole, _ = run_quick(tmp_path / "whole", sampler=sampler, space__batch_size=16)
    run_quick(tmp_path / "cut", sampler=sampler, space__batch_size=16, budget__trials=9)
    resumed, _ = run_quick(tmp_path / "cut", sampler=sampler, space__batch_size=16)
    assert table(resumed.facts) == table(whole.facts)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_driver_loses_nothing_that_it_had_stored(reference, tmp_path, workers):
    """SIGKILL at random moments, again and again, then run to the end: the table of an uninterrupted run."""
    (tmp_path / "quick.yaml").write_text(QUICK)
    command = [sys.executable, "-m", "hpsearch", "run", "quick.yaml", "--workers", str(workers)]
    moments = random.Random(workers)
    for _ in range(4):
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(moments.uniform(0.6, 2.2))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    facts = open_for_reading(Store.locate(tmp_path / "mlruns").find("quick")).facts()
    assert table(facts) == table(reference.facts)


@pytest.mark.parametrize("database_url", ["sqlite", "postgres", "mariadb"], indirect=True)
def test_where_trials_are_kept_shows_nowhere(reference, tmp_path, database_url):
    """In a database the table is that of a journal, also when the study is cut short and goes on from another store."""
    run_quick(tmp_path / "here", storage=database_url, budget__trials=5)
    result, watcher = run_quick(tmp_path / "there", storage=database_url)
    assert watcher.stored == 5
    assert table(result.facts) == table(reference.facts)
    assert table(open_for_reading(result.home).facts()) == table(reference.facts)
    assert not result.home.facts.exists()
