"""MLflow made equal to the facts: once, by `hpsearch sync`, or over and over, by the background writer."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import Final

from hpsearch.addresses import redacted, secret_in
from hpsearch.errors import HpsearchError, InputError, Problem, TrackingError
from hpsearch.search.examined import examined
from hpsearch.search.fact import TrialFact
from hpsearch.search.lock import holder_of
from hpsearch.search.places import place_of
from hpsearch.search.reader import Reader, reader_of
from hpsearch.store import Store, StudyHome, load_nested, load_result
from hpsearch.tracking.card import StudyCard, read_card
from hpsearch.tracking.curves import shown_curves
from hpsearch.tracking.embedded import open_embedded
from hpsearch.tracking.environment import quieten
from hpsearch.tracking.identity import (
    Identity,
    establish_identity,
    known_runs_file,
    load_identity,
    write_json,
)
from hpsearch.tracking.outputs import attach_outputs
from hpsearch.tracking.place import own_place
from hpsearch.tracking.projection import NOTE_TAG, judged_tags, trial_record
from hpsearch.tracking.record import text_tags
from hpsearch.tracking.refusal import refusal_in
from hpsearch.tracking.sink import Sink
from hpsearch.tracking.study_run import study_note, study_record
from hpsearch.tracking.view import links, offer_view

_TRIALS_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a synchronization did: trials written, trials that were there already, and all of them."""

    projected: int
    already: int
    total: int


def sync(
    store: Store, home: StudyHome, *, uri: str | None = None, experiment: str | None = None
) -> SyncReport:
    """Make MLflow equal to the study's facts, whatever was lost, deleted or half written there.

    Without `uri` and `experiment` it goes where the study goes when it runs. With them it goes there this
    once; the study's own place stays what it was.

    Raises:
        InputError: the address holds credentials.
        TrackingError: MLflow cannot be reached or refuses.
        StorageError: the facts cannot be read.
    """
    if uri and (held := secret_in(uri)):
        remedy = (
            "leave it out: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD give it from the environment"
        )
        raise InputError(Problem(place="--uri", rule=f"holds {held}", remedy=remedy))
    identity = load_identity(home) or establish_identity(home, uri=None, experiment=None)
    place = identity.uri if uri is None else own_place(store, uri)
    return Projector(
        store, home, replace(identity, uri=place, experiment=experiment or identity.experiment)
    ).finish()


def attach_files(store: Store, home: StudyHome) -> None:
    """Attach what the study's home holds by now to its run, where there is one.

    Raises:
        TrackingError: MLflow cannot be reached or refuses.
    """
    identity = load_identity(home)
    if identity is not None:
        Projector(store, home, identity).attach()


class Projector:
    """Projects one study; opens MLflow when first needed.

    `catch_up` writes what is new; `finish` goes over everything, and writes the files and the model as well.
    Without its `card` the study's file is read for it, which takes longer than writing a hundred trials.
    """

    def __init__(
        self, store: Store, home: StudyHome, identity: Identity, card: StudyCard | None = None
    ) -> None:
        quieten(os.environ)
        self._store, self._home, self._identity, self._card = store, home, identity, card
        self._sink: Sink | None = None
        self._reader: Reader | None = None
        self._known: list[TrialFact] = []
        self._seen = 0
        self._written: set[int] = set()
        self._viewed: tuple[str, ...] | None = None

    def catch_up(self) -> None:
        """Write the trials that came since the last call.

        Raises:
            TrackingError: MLflow cannot be reached or refuses; nothing is lost, call again.
        """
        facts, card = self._facts(), self._read_card()
        new = examined(self._home, facts[self._seen :])
        if new or self._sink is None:
            self._guard(lambda: self._add(card, facts, new, running=True))
        self._seen = len(facts)

    def finish(self) -> SyncReport:
        """Make everything equal to the facts, the study's run with its files and model included.

        Raises:
            TrackingError: MLflow cannot be reached or refuses.
        """
        facts, card = examined(self._home, self._facts()), self._read_card()
        self._guard(lambda: self._finish(card, facts))
        written = len(self._written)
        return SyncReport(projected=written, already=len(facts) - written, total=len(facts))

    def attach(self) -> None:
        """Write the study's run with its files and model as they are by now.

        Raises:
            TrackingError: MLflow cannot be reached or refuses.
        """
        facts, card = examined(self._home, self._facts()), self._read_card()
        running = load_result(self._home) is None and holder_of(self._home.lock) is not None
        self._guard(lambda: self._attach(card, facts, self._add(card, facts, [], running=running)))

    def _attach(self, card: StudyCard, facts: Sequence[TrialFact], parent: str) -> None:
        """Files, data set and model; and descriptions that lead to them."""
        sink, result = self._open(card), load_result(self._home) or {}
        self._renew_judgments(card, facts)
        attach_outputs(sink, parent, self._home, result, split=card.split)
        places = self._links(card, parent, result.get("trial"))
        note = study_note(card, facts, result, load_nested(self._home) or {})
        sink.tag_run(parent, text_tags({NOTE_TAG: f"{places}\n\n{note}"}))
        if card.experiment == card.key:  # its own, not one that several studies share
            headline, *_ = note.splitlines()
            sink.tag_experiment(NOTE_TAG, f"{places}\n\n{headline}")

    def _renew_judgments(self, card: StudyCard, facts: Sequence[TrialFact]) -> None:
        """Say of examined trials what the examination found, in the runs that were written before it."""
        tags = {fact.number: text_tags(judged_tags(card, fact)) for fact in facts if fact.variations}
        sink = self._open(card)
        ids = sink.run_ids()
        for number in sorted(sink.projected(list(tags))):
            run = card.identity.run_id(number) if ids is None else ids[str(number)]
            if sink.tag_of_run(run, NOTE_TAG) != tags[number][NOTE_TAG]:
                sink.tag_run(run, tags[number])

    def _links(self, card: StudyCard, parent: str, winner: int | None) -> str:
        sink, home = self._open(card), self._home
        ids, best = sink.run_ids(), None
        if winner is not None:
            best = card.identity.run_id(winner) if ids is None else ids.get(str(winner))
        return links(
            sink.experiment,
            card.identity,
            study=parent,
            winner=best,
            model=home.name if home.model.is_dir() and card.split is not None else None,
            report=home.report.exists(),
        )

    def _facts(self) -> list[TrialFact]:
        """All facts so far, as they are stored; only what is new is read."""
        if self._reader is None:
            self._reader = reader_of(place_of(self._home), study=self._home.key)
        self._known += self._reader.since(len(self._known))
        return self._known

    def _guard(self, work: Callable[[], object]) -> None:
        """Whatever MLflow raises, and it raises much, becomes a TrackingError."""
        try:
            work()
        except HpsearchError:
            raise
        except Exception as error:
            place = redacted(self._identity.uri or str(self._store.database))
            refused = refusal_in(error) or f"cannot be written ({_reason(error)})"
            raise TrackingError(
                f"MLflow at {place} {refused}; the trials are safe in "
                f"{self._home.path}; run `hpsearch sync {self._home.key}` when it can"
            ) from error

    def _read_card(self) -> StudyCard:
        if self._card is None:
            self._card = read_card(self._home, self._identity)
        return self._card

    def _open(self, card: StudyCard) -> Sink:
        if self._sink is None:
            sink = open_sink(self._store, card)
            sink.survey()
            self._sink = sink
        return self._sink

    def _add(
        self, card: StudyCard, facts: Sequence[TrialFact], new: Sequence[TrialFact], *, running: bool
    ) -> str:
        """Write what is missing of `new`, and the study's run as it stands after all `facts`. Its id."""
        sink = self._open(card)
        there = sink.projected([fact.number for fact in new])
        missing = [fact for fact in new if fact.number not in there]
        result, nested = load_result(self._home) or {}, load_nested(self._home)
        parent = sink.write_study(study_record(card, facts, result, running=running, nested=nested))
        for start in range(0, len(missing), _TRIALS_AT_ONCE):
            chunk = missing[start : start + _TRIALS_AT_ONCE]
            sink.write([trial_record(card, fact, parent=parent) for fact in chunk])
            self._written.update(fact.number for fact in chunk)
        self._offer_view(sink, card, facts)
        return parent

    def _finish(self, card: StudyCard, facts: Sequence[TrialFact]) -> None:
        sink = self._open(card)
        sink.survey()
        self._viewed = None
        self._attach(card, facts, self._add(card, facts, facts, running=False))
        if load_identity(self._home) == self._identity:
            self._remember(sink.run_ids())

    def _remember(self, run_ids: Mapping[str, str] | None) -> None:
        if run_ids is None:
            known_runs_file(self._home).unlink(missing_ok=True)
        else:
            write_json(known_runs_file(self._home), run_ids)

    def _offer_view(self, sink: Sink, card: StudyCard, facts: Sequence[TrialFact]) -> None:
        """Offered again whenever trials bring curves that the view does not know."""
        curves = tuple(dict.fromkeys(key for fact in facts for key in shown_curves(fact)))
        if curves != self._viewed:
            offer_view(sink, card, curves)
            self._viewed = curves


def open_sink(store: Store, card: StudyCard) -> Sink:
    """The study's place in its MLflow; made where it is missing."""
    uri = card.identity.uri
    if uri is None:
        return open_embedded(store, card)
    from hpsearch.tracking.client import ClientSink  # noqa: PLC0415 - imports mlflow, over a second

    return ClientSink(uri, card)


def _reason(error: BaseException) -> str:
    """What went wrong: the refusal of the network or the disk that libraries have wrapped, else the first line."""
    inmost = error
    while inner := inmost.__cause__ or inmost.__context__:
        inmost = inner
    chosen = inmost if isinstance(inmost, OSError) else error
    lines = str(chosen).strip().splitlines()
    said = [shorten(line, 300, placeholder=" ...") for line in lines[:1]]
    return ": ".join([type(chosen).__name__, *said])
