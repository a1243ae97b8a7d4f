"""A clock that jumps, a journal that others meddle with, locks left behind, trials that cannot be trained."""

import resource
from itertools import cycle

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend

from hpsearch.errors import StorageError
from hpsearch.store import Store
from tests.support.drivers import Driver, facts_of
from tests.support.studies import QUICK, cli, run_quick, table

pytestmark = [
    pytest.mark.slow,
    # a run that ends early leaves its writer to MLflow to itself
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def trials_alone(monkeypatch):
    """No run waits for MLflow at its end, but those of the command line."""
    monkeypatch.setattr("hpsearch.study._TRACKING_PATIENCE", 0.1)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    result, _ = run_quick(tmp_path_factory.mktemp("calm"))
    return table(result.facts)


def home_of(directory):
    return Store.locate(directory).find("quick")


CLOCK = """
import random, time
_real, _chance = time.time, random.Random()
def _jump():
    return max(0.0, _real() + _chance.choice((-1, 1)) * _chance.expovariate(1e-7))
time.time = _jump
time.time_ns = lambda: int(_jump() * 1e9)
"""


def test_a_clock_that_jumps_by_months_changes_nothing(expected, tmp_path, ledger):
    """At every reading, in every process: forwards, backwards, over an interruption."""
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(CLOCK)
    (tmp_path / "study.yaml").write_text(QUICK)
    with Driver(tmp_path, "quick", "--workers", "2", env={"PYTHONPATH": str(tmp_path / "clock")}) as driver:
        driver.wait_until(lambda: driver.trials() >= 5)
        driver.kill()
    with Driver(tmp_path, "quick", "--workers", "1", env={"PYTHONPATH": str(tmp_path / "clock")}) as driver:
        code, _, errors = driver.finish(600)
    assert (code, errors.count("Traceback")) == (0, 0), errors
    synced = cli("sync", "quick", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "clock")}, timeout=600)
    assert synced.returncode == 0, synced.stderr
    assert table(facts_of(tmp_path, "quick")) == expected
    ledger.enter("clock that jumps at every reading", injected=2)


def test_a_journal_torn_anywhere_goes_on_to_the_same_table(expected, tmp_path, ledger):
    """Cut in the middle of trials, of the study's head, to nothing; with garbage behind it."""
    run_quick(tmp_path)
    path = home_of(tmp_path).facts
    whole = path.read_bytes()
    head = whole.index(b'"op_code":4')
    tails = (b"", b"\x00" * 4096, b'{"op_code":4,\n', b"\xff\xfe\n")
    cuts = [0, *range(head + 300, len(whole), (len(whole) - head) // 5)]
    for cut, tail in zip(cuts, cycle(tails), strict=False):
        torn = whole[:cut].rstrip(b"\n")
        path.write_bytes(torn + tail if cut else b"")
        result, _ = run_quick(tmp_path)
        assert table(result.facts) == expected
    ledger.enter("journal torn, emptied, with garbage", injected=len(cuts))


def test_a_foreign_trial_in_the_journal_is_an_error_that_names_it(tmp_path, ledger):
    """Someone else's process used Optuna on the file: a trial that was asked for and never told."""
    run_quick(tmp_path, budget__trials=6)
    home = home_of(tmp_path)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(home.facts)))
    optuna.load_study(study_name="quick", storage=storage).ask()
    with pytest.raises(StorageError, match=r"facts\.journal"):
        run_quick(tmp_path)
    ledger.enter("another process appends to the journal", injected=1)


def test_locks_left_behind_hold_nobody_up(expected, tmp_path, ledger):
    """Of a driver on a machine that lost power, and of Optuna's own backend."""
    run_quick(tmp_path, budget__trials=6)
    home = home_of(tmp_path)
    home.lock.write_text('{"pid": 1, "host": "elsewhere", "since": "2020-01-01T00:00:00+00:00"}')
    (home.path / "facts.journal.lock").symlink_to(home.facts)
    result, _ = run_quick(tmp_path)
    assert table(result.facts) == expected
    ledger.enter("lock left behind", injected=2)


BAD = """
study: bad
seed: 1
data: {{source: sklearn/diabetes}}
model: {{hidden: [$width, $width], activation: relu}}
space:
  epochs: 4
  batch_size: 32
  width: {widths}
  learning_rate: {rates}
  optimizer: sgd
sampler: grid
pruning: none
budget: {{trials: 20}}
"""


def test_trials_that_diverge_overflow_or_find_no_memory_fail_alone(tmp_path, ledger):
    """The others are, bit for bit, those of a study in which there was nothing bad."""
    (tmp_path / "study.yaml").write_text(BAD.format(widths="[8, 10000]", rates="[0.01, 0.02, 100, 1000]"))
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "study.yaml").write_text(BAD.format(widths="[8]", rates="[0.01, 0.02]"))
    for directory in (tmp_path / "good", tmp_path):
        with Driver(directory, "bad", "--workers", "1", preexec_fn=with_little_memory) as driver:
            code, _, errors = driver.finish(600)
        assert (code, errors.count("Traceback")) == (0, 0), errors
    good = {key(fact): curves(fact) for fact in facts_of(tmp_path / "good", "bad")}
    found = facts_of(tmp_path, "bad")
    assert len(found) == 8
    for fact in found:
        if fact.params["width"] > 8:
            assert fact.state == "failed"
            assert "MemoryError" in fact.reason
        elif fact.params["learning_rate"] > 1:
            assert fact.state == "diverged"
        else:
            assert curves(fact) == good[key(fact)]
    ledger.enter("trial that finds no memory", injected=4)
    ledger.enter("trial that diverges or overflows", injected=2)


def with_little_memory():
    """Room for all but networks of ten thousand units a layer."""
    resource.setrlimit(resource.RLIMIT_AS, (2500 << 20, 2500 << 20))


def key(fact):
    return fact.params["width"], fact.params["learning_rate"]


def curves(fact):
    return fact.state, sorted(fact.curves)


def test_inputs_that_do_not_vary_are_survived(tmp_path, ledger):
    """A column of equal values has no scale; it is left out or centred, and the rest is learned from."""
    lines = ["a,b,y", *(f"{i % 7},5.0,{i % 2}" for i in range(80))]
    (tmp_path / "flat.csv").write_text("\n".join(lines) + "\n")
    text = QUICK.replace("{source: sklearn/iris}", "{source: flat.csv, target: y}")
    result, _ = run_quick(tmp_path / "mlruns", text, base=tmp_path)
    assert {fact.state for fact in result.facts} <= {"complete", "stopped_early", "pruned"}
    ledger.enter("input that does not vary", injected=1)


def run_alone(directory, text):
    """Exit code, output and errors of a study that a command runs."""
    (directory / "study.yaml").write_text(text)
    with Driver(directory, "bad", "--workers", "1") as driver:
        return driver.finish(600)


def test_a_space_that_is_exhausted_ends_the_run_and_says_so(tmp_path, ledger):
    code, output, errors = run_alone(tmp_path, BAD.format(widths="[4, 8]", rates="[0.01, 0.02]"))
    assert code == 0, errors
    assert "The search space is exhausted" in output
    assert len(facts_of(tmp_path, "bad")) == 4
    ledger.enter("search space exhausted", injected=1)


def test_a_study_in_which_everything_fails_stops_after_the_named_number(tmp_path, ledger):
    text = BAD.format(widths="[4, 8]", rates="[100, 200, 300, 400]").replace("trials: 20", "failures: 3")
    code, _, errors = run_alone(tmp_path, text)
    assert code == 1
    assert "none of 3 trials finished, so the search gave up after 3 (budget.failures)" in " ".join(
        errors.split()
    )
    assert "Traceback" not in errors
    assert [fact.state for fact in facts_of(tmp_path, "bad")] == ["diverged"] * 3
    ledger.enter("study in which every trial fails", injected=1)
