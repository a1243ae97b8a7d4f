"""Running a study from Python: from a file, a dictionary or a spec, on data in files or in memory."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hpsearch.callbacks import Event
from hpsearch.extensions import Code, Extension
from hpsearch.model import TrainedModel
from hpsearch.pictures import curves_svg, table_html
from hpsearch.results import BestParams, best_params, curves, leaderboard, load_model
from hpsearch.search.fact import TrialFact
from hpsearch.search.ranking import ranked
from hpsearch.spec import Objective, StudySpec, load_study
from hpsearch.spec.document import read_document
from hpsearch.spec.reader import study_of, study_text
from hpsearch.store import Store, StudyHome
from hpsearch.study import StudyResult
from hpsearch.study import run_study as run

if TYPE_CHECKING:
    import pandas as pd

    from hpsearch.data import PreparedData

Progress = bool | Callable[[TrialFact], None]

_LINES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A study that has been run. In a notebook it shows itself, with the curves of its best trial.

    `result` has all facts, what ended the search, and the test scores.
    """

    result: StudyResult = field(repr=False)
    name: str
    store: Path

    @property
    def best(self) -> BestParams:
        """The best parameters, with where they come from."""
        return best_params(self.name, store=self.store)

    @property
    def model(self) -> TrainedModel:
        """The refitted winner, with its preprocessing inside."""
        return load_model(self.name, store=self.store)

    def leaderboard(self) -> "pd.DataFrame":
        """The trials, best first."""
        return leaderboard(self.name, store=self.store)

    def curves(self, trial: int | None = None) -> "pd.DataFrame":
        """The curves of a trial, the best one unless another is named."""
        return curves(self.name, trial, store=self.store)

    def _repr_html_(self) -> str:
        winner = next(fact for fact in self.result.facts if fact.number == self.result.result["trial"])
        scores = {name: score["value"] for name, score in self.result.result["test"].items()}
        return (
            f"<b>{self.name}</b>: {len(self.result.facts)} trials, best {winner.name}"
            f"{table_html('parameter', winner.params)}{table_html('test score', scores)}{curves_svg(winner.curves)}"
        )


def run_study(
    study: StudySpec | str | Path | Mapping[str, Any],
    *,
    data: Any = None,
    store: str | Path | None = None,
    workers: int = 1,
    fresh: bool = False,
    progress: Progress = True,
    trainer: Callable[..., Any] | None = None,
    metrics: Mapping[str, Callable[..., float]] | None = None,
    callbacks: Sequence[Callable[[Event], None]] = (),
    allow_code: bool = False,
) -> Study:
    """Run a study to its budget, or go on where it left off; as `hpsearch run` does.

    Args:
        study: a study file's path, its content as a dictionary, or a `StudySpec`.
        data: what to learn from, in place of the source that the study names: `(X, y)`, or a DataFrame whose target the
            study names (`data: {target: price}`), or a function that returns one of these. It is kept in the store, by
            its content.
        store: where everything is kept; `./mlruns` or $HPSEARCH_STORE unless given.
        workers: how many processes train.
        fresh: begin a new generation beside the stored trials.
        progress: whether lines on standard error tell how it goes; or a function that is given each trial.
        trainer: what trains in place of hpsearch's networks: `(parameters, data) -> one dict of metrics an epoch`.
        metrics: functions `(targets, predictions) -> number` by name, whose directions the study's `metrics` state.
        callbacks: functions that are told of each `Event`, beside those that the study names.
        allow_code: whether code that the study names as `module:function` is imported; that executes it.

    Raises:
        HpsearchError: as the command line would report it.
        KeyboardInterrupt: what had finished is kept, and the same call goes on from there.
    """
    place = Store.locate(store)
    own = {} if trainer is None else {"trainer": Extension.of(trainer)}
    own |= {f"metrics.{name}": Extension.of(function) for name, function in (metrics or {}).items()}
    spec = _spec(study, data, place, own)
    told = tuple(map(Extension.of, callbacks))
    code = Code(allowed=allow_code, given=own, callbacks=told)
    observer = _Observer(progress)
    try:
        result = run(spec, store=place, observer=observer, workers=workers, fresh=fresh, code=code)
    except KeyboardInterrupt as stop:
        kept = f"; {observer.kept} finished trials are kept" if observer.is_open else ""
        stop.add_note(f"stopped{kept}: the same call goes on from there")
        raise
    return Study(result=result, name=result.home.key, store=place.root)


def _spec(
    study: StudySpec | str | Path | Mapping[str, Any], data: Any, store: Store, own: Mapping[str, Extension]
) -> StudySpec:
    """The study on the data and with the code that are handed over, if any."""
    given, base = _named(own), None
    if data is not None:
        from hpsearch.data.handed import kept  # noqa: PLC0415 - pandas

        base = store.data
        given["data"] = kept(data() if callable(data) else data, _target(study), base)
    if isinstance(study, str | Path):
        return load_study(Path(study), base=base, given=given)
    if isinstance(study, StudySpec):
        return study_of(study.written(), base=base or study.base, given=given) if given else study
    return study_of(study, base=base, given=given)


def _named(own: Mapping[str, Extension]) -> dict[str, Any]:
    """What a study file would say of the functions that are handed over, by their keys."""
    said: dict[str, Any] = {}
    for key, extension in own.items():
        section, _, name = key.partition(".")
        if name:
            said.setdefault(section, {})[name] = {"function": extension.name}
        else:
            said[section] = extension.name
    return said


def _target(study: StudySpec | str | Path | Mapping[str, Any]) -> Any:
    """The target that the study names, if any."""
    if isinstance(study, StudySpec):
        return study.data.target
    if isinstance(study, Mapping):
        section = study.get("data")
    else:
        document = read_document(study_text(Path(study)), str(study))
        section = document.values.get("data")  # noqa: PD011 - no pandas
    return section.get("target") if isinstance(section, Mapping) else None


class _Observer:
    """Tells standard error, or a function, how a run goes."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._total = self._stored = self._done = 0
        self._objectives: tuple[Objective, ...] = ()
        self._best: TrialFact | None = None
        self.is_open = False

    @property
    def kept(self) -> int:
        """How many trials are stored."""
        return max(self._stored, self._done)

    def opened(self, spec: StudySpec, home: StudyHome, data: "PreparedData", stored: int) -> None:
        self._objectives = spec.objectives
        self._total, self._stored, self.is_open = max(spec.budget.trials, stored), stored, True
        after = f", going on after {stored} trials" if stored else ""
        self._say(f"{home.key}: {data.summary.rows:,} rows, {data.task.kind}, {self._total} trials{after}")
        for warning in data.warnings:
            self.warning(warning)

    def retired(self, fact: TrialFact) -> None:
        self._done += 1
        directions = [objective.direction for objective in self._objectives]
        self._best = next(iter(ranked(filter(None, (self._best, fact)), directions)), None)
        if callable(self._progress):
            self._progress(fact)
        elif self._done > self._stored and self._done % max(1, self._total // _LINES) == 0:
            self._say(f"{self._done}/{self._total} trials{self._so_far()}")

    def _so_far(self) -> str:
        best = self._best
        if best is None or not best.values:  # noqa: PD011 - likewise below, no pandas
            return ""
        return f", best {self._objectives[0].metric} {best.values[0]:.4g} ({best.name})"  # noqa: PD011

    def step(self, text: str) -> None:
        self._say(text)

    def warning(self, text: str) -> None:
        self._say(f"warning: {text}")

    def _say(self, text: str) -> None:
        if self._progress is True:
            sys.stderr.write(f"{text}\n")
