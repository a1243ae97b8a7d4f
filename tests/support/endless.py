"""A driver whose trials cost nothing, in a process of its own: what it takes in memory as its study grows.

`python -m tests.support.endless DIRECTORY SAMPLER COUNT...` prints JSON: resident megabytes after so many trials.
"""

import json
import os
import resource
import sys
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hpsearch import driver
from hpsearch.archive import choose_home, choose_place, open_facts
from hpsearch.execution.outcome import Outcome
from hpsearch.fit import prepare_study
from hpsearch.judgment.stopping import Verdict
from hpsearch.store import Store
from tests.support.studies import spec_of

STUDY = """
study: endless
seed: 5
data: {source: sklearn/iris}
model: {hidden: [4]}
space:
  epochs: {min: 10, max: 30}
  batch_size: 32
  learning_rate: {min: 1e-4, max: 1e-1, log: true}
  optimizer: [sgd, momentum, adam]
  dropout: {min: 0.0, max: 0.5}
  l2: {min: 1e-6, max: 1e-1, log: true}
"""
CURVES = (
    *("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"),
    *("learning_rate", "gradient_norm", "weight_norm"),
)


class MadeUp:
    """Workers that answer at once, with curves that fall as real ones do."""

    count = 1

    def submit(self, cohort):
        future = Future()
        future.set_result([made_up(trial) for trial in cohort.trials])
        return future

    @staticmethod
    def wait(future):
        return future.result()


def made_up(trial):
    """A trial's outcome by its number alone."""
    random, epochs = np.random.default_rng(trial.number), trial.hyperparameters.epochs
    curve = np.exp(-np.arange(epochs) / 10) + random.uniform(0, 0.2, epochs)
    return Outcome(
        number=trial.number,
        verdict=Verdict.FINISHED,
        curves={name: tuple((curve * random.uniform(0.5, 1.5)).tolist()) for name in CURVES},
        best_epoch=int(np.argmin(curve)) + 1,
        scores={"loss": float(curve.min()), "accuracy": 0.9},
        plateau_factors=(1.0,) * epochs,
        weights=100,
        started=1.7e9 + trial.number,
        seconds=0.01,
    )


def resident():
    """Megabytes that this process has in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def main(directory, sampler, *counts):
    """Run the study to its largest count."""
    counts = [int(count) for count in counts]
    os.fsync = lambda _: None  # it takes no memory
    driver.open_executor = contextmanager(lambda *_, **__: iter([MadeUp()]))
    spec = spec_of(STUDY, budget__trials=max(counts), sampler=sampler)
    data = prepare_study(spec)
    home = choose_home(spec, Store.locate(Path(directory)), fresh=False)
    seen = {}

    def retired(fact):
        if fact.number + 1 in (1, *counts):
            seen[fact.number + 1] = resident()

    with open_facts(spec, home, choose_place(home, None), fingerprint=data.fingerprint) as facts:
        driver.Driver(spec, data, facts, retired=retired).run(1)
    journal = home.facts.stat().st_size / 2**20
    sys.stdout.write(json.dumps({"megabytes": seen, "journal": journal}))


if __name__ == "__main__":
    main(*sys.argv[1:])
