"""hpsearch: a whole study in a process of its own, stored and tracked as by default.

    python -m benchmarks.ours.search '{"overrides": ["seed=1"], "workers": 1, "spawned": 1700000000.0}'

Prints JSON: seconds since `spawned` (UNIX time) when the study was opened, when its last trial was stored, when all
was done; and the best validation loss as it fell.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hpsearch.spec import load_study
from hpsearch.store import Store

STUDY = Path(__file__).resolve().parents[2] / "studies" / "digits.yaml"


class Stopwatch:
    """An observer that notes when what happened."""

    def __init__(self, spawned: float) -> None:
        self._spawned = spawned
        self.moments: dict[str, float] = {}
        self.best: list[tuple[float, float]] = []
        self.states: dict[str, int] = {}
        self.epochs = 0

    def opened(self, *_: Any) -> None:
        self.moment("opened")

    def retired(self, fact: Any) -> None:
        self.moment("searched")
        self.states[fact.state] = self.states.get(fact.state, 0) + 1
        self.epochs += fact.epochs
        if fact.finished and (not self.best or fact.values[0] < self.best[-1][1]):
            self.best.append((self.moments["searched"], fact.values[0]))

    def step(self, text: str) -> None:
        """Each step of the end is timed under its name."""
        self.moment(text)

    def warning(self, text: str) -> None:
        """What a run copes with is not timed."""

    def moment(self, name: str) -> None:
        self.moments[name] = time.time() - self._spawned


def watched(options: dict[str, Any]) -> dict[str, Any]:
    """Run the study, say how it went; everything it wrote is deleted afterwards."""
    from hpsearch.study import run_study

    spec = load_study(STUDY, ["budget.time=null", *options.get("overrides", [])])
    watch = Stopwatch(options["spawned"])
    watch.moment("imported")
    with tempfile.TemporaryDirectory(prefix="hpsearch-bench-") as directory:
        result = run_study(
            spec, store=Store(Path(directory) / "mlruns"), observer=watch, workers=options.get("workers", 1)
        )
        watch.moment("done")
    if result.tracking_problem:
        sys.exit(result.tracking_problem)
    return {
        "moments": watch.moments,
        "best": watch.best,
        "trials": len(result.facts),
        "epochs": watch.epochs,
        "states": watch.states,
    }


if __name__ == "__main__":
    print(json.dumps(watched(json.loads(sys.argv[1]))))
