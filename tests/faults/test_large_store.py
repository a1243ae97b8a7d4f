"""A store of ten thousand trials: it is opened, replayed and gone on with in time and memory that it warrants."""

import json
import subprocess
import sys

import pytest

from hpsearch.archive import choose_home, choose_place, open_facts
from hpsearch.fit import prepare_study
from hpsearch.store import Store
from tests.support.searches import formula
from tests.support.studies import spec_of

pytestmark = pytest.mark.slow

TRIALS = 10_000
STUDY = """
study: large
seed: 5
data: {source: sklearn/iris}
model: {hidden: [4]}
space:
  epochs: {min: 2, max: 9}
  batch_size: 32
  learning_rate: {min: 1e-4, max: 1e-1, log: true}
  dropout: {min: 0.0, max: 0.5}
  l2: {min: 1e-6, max: 1e-1, log: true}
sampler: random
budget: {trials: 10004}
"""
RESUME = """
import json, resource, sys, time
from hpsearch.store import Store
from hpsearch.study import run_study
from tests.support.studies import Watcher, spec_of
import hpsearch.study
hpsearch.study._TRACKING_PATIENCE = 0.1
began = time.process_time()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
watcher = Watcher()
result = run_study(spec_of(sys.stdin.read()), store=Store.locate(sys.argv[1]), observer=watcher)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"stored": watcher.stored, "facts": len(result.facts), "seconds": time.process_time() - began,
                  "megabytes": (after - before) / 1024}))
"""


def fill(directory):
    """The store of a study that has run for long, its trials made up."""
    from hpsearch.search.proposals import Proposals

    spec = spec_of(STUDY)
    data = prepare_study(spec)
    home = choose_home(spec, Store.locate(directory), fresh=False)
    facts = open_facts(spec, home, choose_place(home, None), fingerprint=data.fingerprint)
    proposals = Proposals(spec)
    for start in range(0, TRIALS, 500):
        for proposal in proposals.propose(range(start, start + 500), {}):
            facts.append(formula(proposal))
    return home


def test_ten_thousand_trials_are_replayed_and_gone_on_with(tmp_path, monkeypatch, ledger):
    monkeypatch.setattr("os.fsync", lambda _: None)  # to fill it sooner; not in the run that is looked at
    home = fill(tmp_path)
    size = home.facts.stat().st_size / 2**20
    done = subprocess.run(
        [sys.executable, "-c", RESUME, str(tmp_path)],
        input=STUDY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert (report["stored"], report["facts"]) == (TRIALS, TRIALS + 4)
    assert report["megabytes"] < 15 * size + 200, f"{report} of a journal of {size:.0f} MB"
    ledger.enter("resume of 10,000 trials", injected=1, recovered=[report["seconds"]])
