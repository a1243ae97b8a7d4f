"""hpsearch: trial facts into the embedded MLflow database, as the background process writes them."""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.ours.facts import facts
from hpsearch.store import Store
from hpsearch.tracking.card import StudyCard
from hpsearch.tracking.identity import Identity
from hpsearch.tracking.projection import trial_record
from hpsearch.tracking.projector import open_sink
from hpsearch.tracking.study_run import study_record


class Writes:
    """A repetition writes `trials` new trials; see `benchmarks.worker.Subject`."""

    def __init__(self, *, trials: int) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="tracking-bench-")
        self._card = StudyCard(
            key="bench",
            identity=Identity(creation="0" * 32),
            objectives=(("validation_loss", "minimize"),),
            searched=tuple(f"parameter_{i}" for i in range(12)),
        )
        self._sink = open_sink(Store(Path(self._directory.name)), self._card)
        self._parent = self._sink.write_study(study_record(self._card, [], {}, running=True))
        self._trials, self._written = trials, 0
        self._next = list(facts(0, trials))

    def repeat(self) -> None:
        self._sink.write([trial_record(self._card, fact, parent=self._parent) for fact in self._next])
        self._written += self._trials
        self._next = list(facts(self._written, self._trials))

    def report(self) -> dict[str, Any]:
        client = self._sink.client
        run = client.get_run(self._card.identity.run_id(0))
        history = client.get_metric_history(run.info.run_id, "validation/loss")
        return {"params": len(run.data.params), "points": len(history), "sink": type(self._sink).__name__}
