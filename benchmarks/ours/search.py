"""hpsearch: a whole study in a process of its own, stored and tracked as by default.

    python -m benchmarks.ours.search '{"overrides": ["seed=1"], "workers": 1, "spawned": 1700000000.0}'

Prints JSON: seconds since `spawned` (UNIX time) when the study was opened, when its last trial was stored, when all
was done; the best validation loss as it fell; and a digest of the table of trials. With `until` the search ends when its
best validation loss is as good as that.
"""

import hashlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hpsearch.leaving import leave_at_once
from hpsearch.spec import load_study
from hpsearch.store import Store

STUDY = Path(__file__).resolve().parents[2] / "studies" / "digits.yaml"


class GoodEnoughError(Exception):
    """The search has found what was asked for."""


class Stopwatch:
    """An observer that notes when what happened; ends the search when its best value is as good as `until`."""

    def __init__(self, spawned: float, until: float | None = None) -> None:
        self._spawned, self._until = spawned, until
        self._table = hashlib.sha256()
        self.trials = 0
        self.moments: dict[str, float] = {}
        self.best: list[tuple[float, float]] = []
        self.states: dict[str, int] = {}
        self.epochs = 0

    def opened(self, *_: Any) -> None:
        self.moment("opened")

    def retired(self, fact: Any) -> None:
        self.moment("searched")
        self.trials += 1
        self._table.update(repr((fact.number, fact.params, fact.state, fact.values, fact.curves)).encode())
        self.states[fact.state] = self.states.get(fact.state, 0) + 1
        self.epochs += fact.epochs
        if fact.finished and (not self.best or fact.values[0] < self.best[-1][1]):
            self.best.append((self.moments["searched"], fact.values[0]))
            if self._until is not None and fact.values[0] <= self._until:
                raise GoodEnoughError

    def step(self, text: str) -> None:
        """Each step of the end is timed under its name."""
        self.moment(text)

    def notice(self, text: str) -> None:
        """What a run copes with is not timed."""

    def warning(self, text: str) -> None:
        """Nor what it warns of."""

    @property
    def table(self) -> str:
        """A digest of the trials so far: parameters, states, values, curves."""
        return self._table.hexdigest()

    def moment(self, name: str) -> None:
        self.moments[name] = time.time() - self._spawned


def watched(options: dict[str, Any]) -> dict[str, Any]:
    """Run the study, say how it went; everything it wrote is deleted afterwards."""
    from hpsearch.study import run_study

    spec = load_study(STUDY, ["budget.time=null", *options.get("overrides", [])])
    watch, problem = Stopwatch(options["spawned"], options.get("until")), None
    watch.moment("imported")
    with tempfile.TemporaryDirectory(prefix="hpsearch-bench-", ignore_cleanup_errors=True) as directory:
        store = Store(Path(directory) / "mlruns")
        try:
            problem = run_study(
                spec, store=store, observer=watch, workers=options.get("workers", 1)
            ).tracking_problem
        except GoodEnoughError:
            pass
        watch.moment("done")
    if problem:
        sys.exit(problem)
    return {
        "moments": watch.moments,
        "best": watch.best,
        "trials": watch.trials,
        "epochs": watch.epochs,
        "states": watch.states,
        "table": watch.table,
    }


if __name__ == "__main__":
    leave_at_once()  # as the command line does; the peers' processes too
    print(json.dumps(watched(json.loads(sys.argv[1]))))
