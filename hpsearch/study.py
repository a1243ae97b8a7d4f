"""A study from its file to its winner: the whole story."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from hpsearch.architecture import example_network
from hpsearch.archive import (
    choose_home,
    choose_place,
    note_run,
    open_facts,
    renew_standing,
    save_result,
)
from hpsearch.beginning import beginning, fingerprint, with_start
from hpsearch.callbacks import Callbacks
from hpsearch.data import PreparedData
from hpsearch.driver import Driver, Ending
from hpsearch.errors import StorageError, TrackingError
from hpsearch.execution.executors import check_cluster
from hpsearch.extensions import Code, Extensions
from hpsearch.fit import prepare_study
from hpsearch.model import TrainedModel
from hpsearch.model_card import model_card
from hpsearch.own_data import with_made_data
from hpsearch.pictures import curves_svg, search_svg
from hpsearch.search.examined import examined
from hpsearch.search.fact import TrialFact
from hpsearch.search.facts import StudyLock
from hpsearch.search.places import chosen_database
from hpsearch.selection import choose, standing
from hpsearch.spec import StudySpec
from hpsearch.store import Store, StudyHome, load_result, write_text
from hpsearch.tracking import Tracker, warn_early
from hpsearch.winner import refit_and_score

_TRACKING_PATIENCE: Final = 60.0  # seconds that the end of a run waits for MLflow


class Observer(Protocol):
    """Who watches a run: told of each step, asked nothing."""

    def opened(self, spec: StudySpec, home: StudyHome, data: PreparedData, stored: int) -> None:
        """The study is open; `stored` trials were there already."""

    def retired(self, fact: TrialFact) -> None:
        """A trial has been stored, or replayed."""

    def step(self, text: str) -> None:
        """What is being done now, beside the trials."""

    def warning(self, text: str) -> None:
        """Something that the user should know, and that does not stop the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResult:
    """What a run of a study gave.

    `result` is what `result.json` holds. `ended` says what ended the search.
    `tracking_problem` says why MLflow lags behind the facts, if it does.
    """

    home: StudyHome
    spec: StudySpec
    facts: Sequence[TrialFact]
    result: Mapping[str, Any]
    ended: Ending
    tracking_problem: str | None


def run_study(
    spec: StudySpec,
    *,
    store: Store,
    observer: Observer,
    workers: int = 1,
    fresh: bool = False,
    storage: str | None = None,
    code: Code | None = None,
) -> StudyResult:
    """Run a study to its budget, going on where a run left off; refit the winner and score it on the test part.

    `storage` is the address of the database for its trials, before the one that the study names; `code` what of one's
    own the run may use.

    Raises:
        InputError: the data cannot be used, the study file differs from that of the stored trials, Dask is not
            installed, or code that the study names is not there, or not allowed.
        StudyBusyError: another process runs this study.
        TrainingError: no trial finished.
        StorageError: the store cannot be read or written.
    """
    check_cluster(spec)
    own = (code or Code()).of_study(spec)
    own.check_travel(spec, workers)
    spec = with_made_data(spec, own.source, store)
    data = with_start(spec, prepare_study(spec, store.cache), store)
    start = fingerprint(data.training.start)
    database = chosen_database(storage, spec.storage.url, base=spec.base)
    if database is not None:
        database = database.told(observer.warning, max_outage=spec.storage.max_outage)
    home = choose_home(spec, store, fresh=fresh, database=database)
    with (
        StudyLock(home.lock),
        open_facts(
            spec,
            home,
            choose_place(home, database),
            fingerprint=data.fingerprint,
            start=start,
            code=own.provenance(),
        ) as store_of_facts,
    ):
        stored = len(store_of_facts.facts())
        observer.opened(spec, home, data, stored)
        callbacks = Callbacks(own.callbacks, study=home.key, stored=stored, warn=observer.warning)
        warn_early(spec.tracking.uri, observer.warning)
        _say_beginning(spec, data, observer)
        for change in own.changed_since(store_of_facts.attributes.get("code", {})):
            observer.warning(change)
        tracker = Tracker.start(
            store, home, uri=spec.tracking.uri, experiment=spec.tracking.experiment, spec=spec
        )
        try:
            callbacks.study_begins()
            driver = Driver(
                spec,
                data,
                store_of_facts,
                retired=_each(observer.retired, callbacks.trial_ends),
                own=own,
                issued=callbacks.trial_begins,
            )
            ended = driver.run(workers, notice=observer.warning)
            winner = choose(driver.facts, spec)
            observer.step("refitting the winner and scoring it on the test part")
            result = _conclude(spec, home, data, driver.facts, fact=winner, own=own)
            note_run(spec, home, ended=ended)
            callbacks.study_ends(result)
        except BaseException:
            tracker.abandon()
            raise
        observer.step("writing to MLflow")
        problem = _finish(tracker)
    return StudyResult(
        home=home,
        spec=spec,
        facts=_looked_into(home, driver.facts, observer),
        result=result,
        ended=ended,
        tracking_problem=problem,
    )


def _looked_into(home: StudyHome, facts: Sequence[TrialFact], observer: Observer) -> Sequence[TrialFact]:
    """The facts with what `hpsearch why` has found; where that cannot be read, without: a run does not depend on it."""
    try:
        return examined(home, facts)
    except StorageError as error:
        observer.warning(str(error))
        return facts


def _each(*told: Callable[[TrialFact], None]) -> Callable[[TrialFact], None]:
    """One who tells several."""

    def tell(fact: TrialFact) -> None:
        for one in told:
            one(fact)

    return tell


def _say_beginning(spec: StudySpec, data: PreparedData, observer: Observer) -> None:
    """Tell what networks take from the weights that they begin from, by the example of one."""
    if data.training.start is None:
        return
    params, _ = example_network(spec, data)
    words = beginning(spec, data, spec.resolve(params, default_loss=data.task.default_loss()))
    if words is not None and words.startswith("0 "):
        observer.warning(f"networks begin at random: a network here takes {words}; shapes must agree")
    elif words is not None:
        observer.step(f"networks begin from trained weights: {words}")


def _conclude(
    spec: StudySpec,
    home: StudyHome,
    data: PreparedData,
    facts: Sequence[TrialFact],
    *,
    fact: TrialFact,
    own: Extensions,
) -> Mapping[str, Any]:
    """The result of the winner, `fact`; the test part stays sealed when the stored result is of the same winner."""
    stored = load_result(home)
    stands = standing(facts, spec).to_json()
    if stored is not None and stored["trial"] == fact.number and (own.trainer or _is_readable(home)):
        renewed: dict[str, Any] = json.loads(json.dumps({**stored, "standing": stands}))
        if renewed != stored:
            renew_standing(home, renewed)
            _illustrate(home, renewed, facts, spec)
        return renewed
    about = {
        "study": home.name,
        "generation": home.generation,
        "trial": fact.number,
        "fingerprint": data.fingerprint,
    }
    winner = refit_and_score(fact, spec, data, {**about, "ranges": data.ranges()}, own)
    result = {**about, **winner.to_json(), "standing": stands, "data": asdict(data.summary)}
    example = data.raw_example().to_json(orient="split", index=False, date_format="iso")
    save_result(home, winner, result, example=example)
    _illustrate(home, result, facts, spec)
    return result


def _illustrate(
    home: StudyHome, result: Mapping[str, Any], facts: Sequence[TrialFact], spec: StudySpec
) -> None:
    """Write the model's card, and pictures of the search and of the winner's curves: what MLflow shows in place."""
    finished = {fact.number: fact.values[0] for fact in facts if fact.finished and fact.values}
    winner = next(fact for fact in facts if fact.number == result["trial"])
    minimized = spec.objectives[0].direction == "minimize"
    drawn = search_svg(finished, minimized=minimized), curves_svg(winner.curves)
    for path, text in zip(home.pictures, drawn, strict=True):
        if text:
            write_text(path, text)
    if home.model.is_dir() and result["test"]:  # a trainer of one's own keeps its model to itself
        write_text(home.card, model_card(home.name, result))


def _is_readable(home: StudyHome) -> bool:
    """Whether the model is there and whole; it is refitted otherwise."""
    try:
        TrainedModel.load(home.model)
    except StorageError:
        return False
    return True


def _finish(tracker: Tracker) -> str | None:
    try:
        tracker.finish(_TRACKING_PATIENCE)
    except TrackingError as error:
        return str(error)
    return None
