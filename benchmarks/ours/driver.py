"""hpsearch: what the driver costs a trial, when so many trials are known already.

    python -m benchmarks.ours.driver '{"trials": 1000, "measured": 96}'

The known trials are facts made without training; the driver replays them and goes on with real ones, tiny networks of
one epoch. Prints JSON: milliseconds a trial of each phase, over the trials that go on.
"""

import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.ours.facts import fact
from hpsearch import driver
from hpsearch.data import prepare
from hpsearch.search.facts import FactStore
from hpsearch.search.proposals import Proposals
from hpsearch.spec import StudySpec, parse_study
from hpsearch.store import Store
from hpsearch.tracking.identity import Identity
from hpsearch.tracking.projector import Projector

_EPOCHS = 5
_STUDY = """
study: bench
data: {{source: sklearn/iris}}
model: {{hidden: [4]}}
sampler: {sampler}
space:
  epochs: 1
  batch_size: [32, 64]
  learning_rate: {{min: 1e-4, max: 1e-1, log: true}}
  optimizer: [sgd, momentum, adagrad, rmsprop, adam]
  dropout: {{min: 0.0, max: 0.5}}
  l2: {{min: 1e-6, max: 1e-1, log: true}}
  momentum: {{min: 0.8, max: 0.99, when: {{optimizer: momentum}}}}
budget: {{trials: {trials}}}
"""


class Phases:
    """Seconds spent in wrapped functions, since `begin`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def time(self, owner: Any, name: str, phase: str) -> None:
        """Count a method's time under a phase from now on."""
        setattr(owner, name, self._timed(getattr(owner, name), phase))

    def begin(self) -> None:
        """Forget what was counted."""
        self.seconds.clear()

    def _timed(self, function: Callable[..., Any], phase: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds[phase] += time.perf_counter() - start

        return timed


def main() -> None:
    """Fill the store, replay it, go on, project."""
    options = json.loads(sys.argv[1])
    known, measured = options["trials"], options["measured"]
    spec = _spec("tpe", known + measured)
    data = prepare(spec.data, seed=0, base=spec.base)
    phases = Phases()
    with tempfile.TemporaryDirectory(prefix="driver-bench-") as directory:
        store = Store(Path(directory))
        home = store.new_generation("bench")
        home.path.mkdir(parents=True)
        home.study_file.write_text(spec.to_yaml())
        facts = FactStore.create(
            home.facts, study=home.key, directions=["minimize"], monitored="validation_loss"
        )
        _fill(facts, known)
        start = time.perf_counter()
        _watch(phases)
        replay = _run(spec, data, facts, phases, known)
        went_on = time.perf_counter() - start - replay
        tracking = _project(store, home, known) if options.get("tracking") else None
    parts = {phase: seconds / measured * 1e3 for phase, seconds in phases.seconds.items()}
    parts["retire"] -= parts["append"] + parts["tell"]
    overhead = sum(parts.values())
    if tracking is not None:
        parts["tracking, beside"] = tracking / measured * 1e3
    print(
        json.dumps(
            {"phases": parts, "overhead": overhead, "all": went_on / measured * 1e3, "replay": replay / known * 1e3}
        )
    )


def _spec(sampler: str, trials: int) -> StudySpec:
    return parse_study(_STUDY.format(sampler=sampler, trials=trials))


def _fill(store: FactStore, known: int) -> None:
    proposals = Proposals(_spec("random", known))
    for proposal in proposals.propose(range(known)):
        store.append(
            fact(proposal.number, proposal.params, epochs=_EPOCHS, distributions=proposal.distributions)
        )


def _watch(phases: Phases) -> None:
    phases.time(Proposals, "propose", "propose")
    phases.time(driver.Driver, "_issue", "issue")
    phases.time(driver.Driver, "_retire", "retire")
    phases.time(FactStore, "append", "append")
    phases.time(Proposals, "tell", "tell")


def _run(spec: StudySpec, data: Any, store: FactStore, phases: Phases, known: int) -> float:
    """Seconds of the replay; the phases hold what came after it."""
    start, replayed = time.perf_counter(), 0.0

    def retired(fact: Any) -> None:
        nonlocal replayed
        if fact.number == known - 1:
            replayed = time.perf_counter() - start
            phases.begin()

    driver.Driver(spec, data, store, retired=retired).run(1)
    return replayed


def _project(store: Store, home: Any, known: int) -> float:
    """Seconds that the background process needs for the trials that went on, once it has written the rest."""
    from hpsearch.tracking.identity import establish_identity

    identity: Identity = establish_identity(home, uri=None, experiment=None)
    projector = Projector(store, home, identity)
    whole = projector._facts
    projector._facts = lambda: whole()[:known]
    projector.catch_up()
    projector._facts = whole
    start = time.perf_counter()
    projector.catch_up()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
