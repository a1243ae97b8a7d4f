"""The trial facts on disk: an Optuna study in a journal file, one whole line a trial, in trial order."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, Self

import optuna
from optuna.storages import JournalStorage

from hpsearch.errors import StorageError
from hpsearch.search.fact import TrialFact
from hpsearch.search.journal import Journal, repair
from hpsearch.search.lock import StudyLock
from hpsearch.search.quiet import quiet
from hpsearch.search.records import to_fact, to_trial

__all__ = ["FactStore", "StudyLock"]

_CURVE: Final = "objective_curve"


class FactStore:
    """The facts of one study, and values that belong to the study as a whole.

    Plain Optuna reads the file: `optuna.load_study(study_name=key,
    storage=JournalStorage(JournalFileBackend(path)))`. One process writes (it holds the study's lock), others
    may read at the same time. Nothing but whole trials is ever written, so a kill loses at most the record
    being written, and none is there twice.
    """

    def __init__(self, path: Path, *, study: str, writer: bool, warnings: tuple[str, ...] = ()) -> None:
        """Use `create` or `open`."""
        self.path: Final = path
        self.warnings: Final = warnings
        self._writable: Final = writer
        self._journal: Final = Journal(path)
        with quiet():
            self._storage: Final = self._replay()
            names = [known.study_name for known in self._storage.get_all_studies()]
            if study not in names:
                there = ", ".join(names) or "no study"
                raise StorageError(
                    f"{path}: no study {study!r} in it (there: {there}); begin it with --fresh"
                )
            self._study: Final = optuna.load_study(study_name=study, storage=self._storage)
        self._id: Final = self._storage.get_study_id_from_name(study)
        self._curve: Final[str | None] = self._study.user_attrs.get(_CURVE)

    @staticmethod
    def exists(path: Path) -> bool:
        """Whether there is a store at a path; an empty file is none."""
        return path.is_file() and path.stat().st_size > 0

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        study: str,
        directions: Sequence[Literal["minimize", "maximize"]],
        attributes: Mapping[str, Any] | None = None,
        monitored: str | None = None,
    ) -> Self:
        """A new store, writable; it is there with all its attributes or not at all, whatever is killed when.

        `directions` ("minimize" or "maximize") has one for each objective. `attributes` are JSON values.
        `curve` names the curve that Optuna's tools are to see as a trial's intermediate values.

        Raises:
            StorageError: there is a store already, or the file cannot be written.
        """
        if cls.exists(path):
            raise StorageError(
                f"{path}: there are facts already; open them, or begin a new generation with --fresh"
            )
        draft = path.with_name(path.name + ".new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.unlink(missing_ok=True)
            with quiet():
                new = optuna.create_study(
                    study_name=study, storage=JournalStorage(Journal(draft)), directions=list(directions)
                )
                for key, value in {**(attributes or {}), _CURVE: monitored}.items():
                    new.set_user_attr(key, value)
            draft.replace(path)
            _sync_directory(path.parent)
        except OSError as error:
            raise StorageError(f"{path}: cannot be made: {error.strerror}") from error
        return cls(path, study=study, writer=True)

    @classmethod
    def open(cls, path: Path, *, study: str, writer: bool = False) -> Self:
        """An existing store. Only the process that holds the study's lock may ask for a writable one.

        A torn last record is cut off by the writer (see `warnings`); a reader passes over it and changes
        nothing.

        Raises:
            StorageError: no such file or study, or a damaged line; the message names file and line.
        """
        if not cls.exists(path):
            raise StorageError(f"{path}: there are no facts; run the study first")
        warning = repair(path) if writer else None
        return cls(path, study=study, writer=writer, warnings=(warning,) if warning else ())

    @property
    def directions(self) -> tuple[str, ...]:
        """The direction of each objective, "minimize" or "maximize"."""
        return tuple(direction.name.lower() for direction in self._study.directions)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What belongs to the study as a whole, JSON values by key."""
        return {key: value for key, value in self._study.user_attrs.items() if key != _CURVE}

    def set_attribute(self, key: str, value: Any) -> None:
        """Set one study-wide JSON value, durably.

        Raises:
            StorageError: the store is open for reading, or cannot be written.
        """
        self._writer()
        json.dumps(value)
        self._study.set_user_attr(key, value)

    def facts(self) -> list[TrialFact]:
        """All facts, in trial order."""
        return self.since(0)

    def since(self, number: int) -> list[TrialFact]:
        """The facts from a trial number on; cheap to call again, only what was appended since is read.

        Raises:
            StorageError: a damaged line; the message names file and line.
        """
        trials = self._trials()[number:]
        try:
            return [to_fact(trial) for trial in trials if trial.state.is_finished()]
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(
                f"{self.path}: holds a trial that hpsearch did not write ({error!r})"
            ) from error

    def append(self, fact: TrialFact) -> TrialFact:
        """Add the next trial's fact, on the disk when this returns; gives it as it will read back.

        What is told and compared further on must be that returned one: its curves are rounded to single
        precision, and a resumed run knows no others.

        Raises:
            StorageError: not the next trial's fact, the store is open for reading, or the disk is full.
        """
        self._writer()
        expected = len(self._trials())
        if fact.number != expected:
            raise StorageError(
                f"{self.path}: trial {expected} is the next, got the fact of trial {fact.number}"
            )
        self._study.add_trial(to_trial(fact.rounded(), curve=self._curve))
        return self.since(fact.number)[0]

    def _writer(self) -> None:
        if not self._writable:
            raise StorageError(f"{self.path}: is open for reading only")

    def _trials(self) -> list[optuna.trial.FrozenTrial]:
        with self._journal.damage_named():
            return self._storage.get_all_trials(self._id, deepcopy=False)

    def _replay(self) -> JournalStorage:
        with self._journal.damage_named():
            return JournalStorage(self._journal)


def _sync_directory(path: Path) -> None:
    """Make a renaming durable, where the file system lets a directory be synced."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
