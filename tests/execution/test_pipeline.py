"""The fixed-lag order and the end of the time: nothing is waited for, trained or retired past the deadline."""

from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from hpsearch.engine import Cohort
from hpsearch.execution import pipeline as pipeline_module
from hpsearch.execution.outcome import StoppedError, failed
from hpsearch.execution.pipeline import Pipeline
from hpsearch.store import Store
from hpsearch.study import run_study
from tests.execution.test_training import task, trial
from tests.support.studies import QUICK, Watcher, spec_of


class Instant:
    """Workers that are done as soon as they are asked."""

    count = 2

    def submit(self, cohort):
        future = Future()
        future.set_result([failed(one, "instant", started=0.0) for one in cohort.trials])
        return future

    @staticmethod
    def wait(future):
        return future.result()


def test_workers_faster_than_the_driver_do_not_carry_it_past_the_deadline(monkeypatch):
    """Every answer is there before it is asked for, so no wait would ever see that the time is over."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(pipeline_module, "monotonic", lambda: clock.now)
    running = Pipeline(Instant(), depth=1, ready=lambda cohort, _: cohort, deadline=5.0)
    running.issue(range(20), [task(trial(number)) for number in range(20)])
    retired = []

    def go_on():
        for number, _ in running.retire():
            retired.append(number)
            clock.now += 1.0  # what the driver does with a trial takes a second

    with pytest.raises(StoppedError):
        go_on()
    assert retired == list(range(6))


class Stopwatch(Watcher):
    """Notes the time at which the search ended."""

    def __init__(self, clock):
        super().__init__()
        self._clock, self.ended = clock, None

    def step(self, text):
        super().step(text)
        if "refitting" in text:
            self.ended = self._clock.now


def test_a_budget_in_time_is_kept_to_one_epoch(monkeypatch, tmp_path):
    """An epoch of a cohort takes a second of a clock that nothing else moves: 20 s are over after 21 epochs at most."""
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    real = Cohort.train_epoch

    def train_epoch(cohort):
        clock.now += 1.0
        return real(cohort)

    monkeypatch.setattr(Cohort, "train_epoch", train_epoch)
    for place in ("hpsearch.driver.time", "hpsearch.execution.executors.time"):
        monkeypatch.setattr(place, clock)
    monkeypatch.setattr(pipeline_module, "monotonic", clock.monotonic)
    monkeypatch.setattr("hpsearch.study._TRACKING_PATIENCE", 0.1)
    watcher = Stopwatch(clock)
    spec = spec_of(QUICK, budget__trials=500, budget__time=20, sampler="random", pruning="none")
    result = run_study(spec, store=Store.locate(tmp_path), observer=watcher)
    assert result.ended == "time"
    assert 20.0 < watcher.ended <= 21.0
    assert 1 <= len(result.facts) < 500
