"""The trial facts: an Optuna study in a journal file or a database, one whole record a trial, in trial order."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

import optuna

from hpsearch.errors import StorageError
from hpsearch.search.fact import TrialFact
from hpsearch.search.journal import JournalMedium
from hpsearch.search.lock import StudyLock
from hpsearch.search.medium import Medium
from hpsearch.search.places import Database, Place
from hpsearch.search.quiet import quiet
from hpsearch.search.records import to_fact, to_trial
from hpsearch.search.stored import CURVE

__all__ = ["FactStore", "StudyLock"]

M = TypeVar("M", bound=Medium)


class FactStore:
    """The facts of one study, and values that belong to the study as a whole.

    Plain Optuna reads them: `optuna.load_study(study_name=key, storage=...)` with the database's address, or with
    `JournalStorage(JournalFileBackend(path))`. One process writes, others may read at the same time. Nothing but
    whole trials is ever written, so a kill loses at most the record being written, and none is there twice.
    """

    def __init__(self, medium: Medium, *, study: str, writer: bool) -> None:
        """Use `create` or `open`."""
        self.label: Final = medium.label
        self._medium: Final = medium
        self._writable: Final = writer
        self._name: Final = study
        with quiet():
            self._storage, warning = medium.open(study, writer=writer)
            self.warnings: Final = (warning,) if warning else ()
            with medium.guarded():
                names = [known.study_name for known in self._storage.get_all_studies()]
                if study not in names:
                    there = ", ".join(names) or "no study"
                    raise StorageError(
                        f"{self.label}: no study {study!r} in it (there: {there}); begin it with --fresh"
                    )
                self._study: Final = optuna.load_study(study_name=study, storage=self._storage)
                self._id: Final = self._storage.get_study_id_from_name(study)
                self._curve: Final[str | None] = self._study.user_attrs.get(CURVE)
                self._next = len(self._trials()) if writer else 0

    @staticmethod
    def exists(place: Place, *, study: str) -> bool:
        """Whether a place holds facts of a study; an empty file holds none."""
        medium = medium_of(place)
        try:
            return medium.exists(study)
        finally:
            medium.close()

    @classmethod
    def create(
        cls,
        place: Place,
        *,
        study: str,
        directions: Sequence[Literal["minimize", "maximize"]],
        attributes: Mapping[str, Any] | None = None,
        monitored: str | None = None,
    ) -> Self:
        """A new study, writable; it is there with all its attributes or not at all, whatever is killed when.

        `directions` ("minimize" or "maximize") has one for each objective. `attributes` are JSON values.
        `monitored` names the curve that Optuna's tools are to see as a trial's intermediate values.

        Raises:
            StorageError: there is one already, or the place cannot be written.
            StudyBusyError: another process writes to it.
        """
        with _closed_on_error(medium_of(place)) as medium:
            if medium.exists(study):
                raise StorageError(
                    f"{medium.label}: there are facts already; open them, or begin a new generation with --fresh"
                )
            with quiet():
                medium.create(
                    study, directions=directions, attributes={**(attributes or {}), CURVE: monitored}
                )
            return cls(medium, study=study, writer=True)

    @staticmethod
    def delete(place: Database, *, study: str) -> None:
        """Delete a study from a database, with all its trials; a journal goes with its directory.

        Raises:
            StorageError: it cannot be deleted. StudyBusyError: another process is running it.
        """
        from hpsearch.search.database import DatabaseMedium  # noqa: PLC0415 - sqlalchemy, where it is used

        with _closed_on_error(DatabaseMedium(place)) as medium:
            medium.delete(study)
            medium.close()

    @classmethod
    def open(cls, place: Place, *, study: str, writer: bool = False) -> Self:
        """An existing study. Only the process that holds the study's lock may ask for a writable one.

        A journal's torn last record is cut off by the writer (see `warnings`); a reader passes over it and changes
        nothing.

        Raises:
            StorageError: no such study, or a damaged record; the message names the place.
            StudyBusyError: a writable one is asked for, and another process writes to it.
        """
        with _closed_on_error(medium_of(place)) as medium:
            if not medium.exists(study):
                raise StorageError(f"{medium.label}: there are no facts; run the study first")
            return cls(medium, study=study, writer=writer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the place, so that another process may write to it."""
        self._medium.close()

    @property
    def directions(self) -> tuple[str, ...]:
        """The direction of each objective, "minimize" or "maximize"."""
        with self._medium.guarded():
            return tuple(direction.name.lower() for direction in self._study.directions)

    @property
    def study(self) -> optuna.Study:
        """The trials as Optuna's own tools see them; for reading."""
        return self._study

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What belongs to the study as a whole, JSON values by key."""
        with self._medium.guarded():
            return {key: value for key, value in self._study.user_attrs.items() if key != CURVE}

    def set_attribute(self, key: str, value: Any) -> None:
        """Set one study-wide JSON value, durably.

        Raises:
            StorageError: the store is open for reading, or cannot be written.
        """
        self._writer()
        json.dumps(value)
        self._medium.set_attribute(self._name, key, value)

    def facts(self) -> list[TrialFact]:
        """All facts, in trial order."""
        return self.since(0)

    def since(self, number: int) -> list[TrialFact]:
        """The facts from a trial number on; cheap to call again, only what was appended since is read.

        Raises:
            StorageError: a damaged record; the message names its place.
        """
        return [self._fact(trial) for trial in self._trials()[number:] if trial.state.is_finished()]

    def append(self, fact: TrialFact) -> TrialFact:
        """Add the next trial's fact, durable when this returns; gives it as it will read back.

        What is told and compared further on must be that returned one: its curves are rounded to single
        precision, and a resumed run knows no others.

        Raises:
            StorageError: not the next trial's fact, the store is open for reading, or cannot be written.
            StudyBusyError: the connection was lost, and another process writes to it since.
        """
        self._writer()
        if fact.number != self._next:
            raise StorageError(
                f"{self.label}: trial {self._next} is the next, got the fact of trial {fact.number}"
            )
        stored = self._medium.append(self._name, to_trial(fact.rounded(), curve=self._curve))
        self._next += 1
        return self._fact(stored)

    def _writer(self) -> None:
        if not self._writable:
            raise StorageError(f"{self.label}: is open for reading only")

    def _trials(self) -> list[optuna.trial.FrozenTrial]:
        with self._medium.guarded():
            return self._storage.get_all_trials(self._id, deepcopy=False)

    def _fact(self, trial: optuna.trial.FrozenTrial) -> TrialFact:
        try:
            return to_fact(trial)
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(
                f"{self.label}: holds a trial that hpsearch did not write ({error!r})"
            ) from error


def medium_of(place: Place) -> Medium:
    """The medium that keeps facts at a place, not opened yet."""
    if not isinstance(place, Database):
        return JournalMedium(place)
    from hpsearch.search.database import DatabaseMedium  # noqa: PLC0415 - sqlalchemy, where it is used

    return DatabaseMedium(place)


@contextmanager
def _closed_on_error(medium: M) -> Iterator[M]:
    try:
        yield medium
    except BaseException:
        medium.close()
        raise
