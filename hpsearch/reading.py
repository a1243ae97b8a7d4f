"""A study's stored trials, opened for reading, and which of them is the best: without Optuna where that can be."""

from collections.abc import Mapping, Sequence
from typing import Any

from hpsearch.archive import last_run
from hpsearch.errors import UnknownStudyError, UnknownTrialError
from hpsearch.search.examined import ExaminedReader
from hpsearch.search.fact import TrialFact
from hpsearch.search.places import Place, place_of
from hpsearch.search.ranking import ranked
from hpsearch.search.reader import Reader, is_begun, reader_of
from hpsearch.store import StudyHome


def open_for_reading(home: StudyHome) -> Reader:
    """A study's facts, for reading beside whoever writes them, with what `hpsearch why` has found since.

    Raises:
        UnknownStudyError: the study has not stored anything yet.
        StorageError: the facts cannot be read.
    """
    reader = reader_of(begun_place(home), study=home.key)
    reader.facts()  # what is damaged is told at once
    return ExaminedReader(reader, home)


def begun_place(home: StudyHome) -> Place:
    """Where the facts of a study are that holds some.

    Raises:
        UnknownStudyError: the study has not stored anything yet.
        StorageError: the place cannot be read.
    """
    place = place_of(home)
    if not is_begun(place, study=home.key):
        raise UnknownStudyError(f"study {home.key!r} holds no trials yet; run it with `hpsearch run FILE`")
    return place


def best_trial(facts: Sequence[TrialFact], directions: Sequence[str], *, study: str) -> TrialFact:
    """The best finished trial by the first objective; of equals, by the next.

    Raises:
        UnknownTrialError: no trial has finished.
    """
    best = ranked(facts, directions)
    if not best:
        raise UnknownTrialError(
            f"study {study!r}: none of its {len(facts)} trials has finished; `hpsearch trials {study}` says why"
        )
    return best[0]


def selected_trial(home: StudyHome, stored: Reader) -> TrialFact:
    """The trial that would win as things stand, by what the study's last run says of `select`.

    Raises:
        UnknownTrialError: no trial has finished.
    """
    from hpsearch.selection import pick  # noqa: PLC0415 - NumPy, for intervals

    best_trial(facts := stored.facts(), stored.directions, study=home.key)
    return pick(
        ranked(facts, stored.directions),
        select=str(last_run(home).get("select", "best")),
        metric=first_metric(stored.attributes),
        direction=stored.directions[0],
    )


def metrics_of_study(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """The metrics of a study's objectives, from what is stored of it."""
    canonical = attributes["canonical"]
    objectives = canonical.get("objectives") or [canonical["objective"]]
    return tuple(str(objective["metric"]) for objective in objectives)


def first_metric(attributes: Mapping[str, Any]) -> str:
    """The metric that decides which trial is best."""
    return metrics_of_study(attributes)[0]
