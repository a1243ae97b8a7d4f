"""Facts in a database that Optuna knows: PostgreSQL, MySQL or MariaDB, for a team, or SQLite.

One connection writes. On a server it also bears the study's lock, so that whatever it commits was written under the
lock; the server frees the lock with the connection, whatever ends it.
"""

import copy
import json
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Final

from optuna.storages import BaseStorage, RDBStorage, get_storage
from optuna.trial import FrozenTrial
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from hpsearch.errors import StorageError
from hpsearch.search import rows
from hpsearch.search.advisory import Holder, take_lock
from hpsearch.search.lock import StudyLock
from hpsearch.search.named_lock import NamedLock
from hpsearch.search.places import Database
from hpsearch.search.sql import reason, sql_errors

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
_CONNECT_SECONDS: Final = 10
_SILENCE_SECONDS: Final = 60  # of MySQL, in the middle of a statement
_BUSY_SECONDS: Final = 30  # that SQLite waits for another process's transaction
_KEEPALIVE: Final = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
_AWAY: Final = (OperationalError, InterfaceError)


class DatabaseMedium:
    """Studies in a database; see `Medium`."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database
        self._reading: Engine | None = None
        self._writing: Engine | None = None
        self._optuna: RDBStorage | None = None
        self._file_lock: StudyLock | None = None

    @property
    def label(self) -> str:
        """The address, without its password."""
        return self._database.address

    def exists(self, study: str) -> bool:
        """Whether the database holds the study."""
        return study in self.studies()

    def studies(self) -> list[str]:
        """The studies' names."""
        file = self._database.file
        if file is not None and not file.exists():
            return []
        with self.guarded():
            if not inspect(self._engine()).has_table("studies"):
                return []
            with self._engine().connect() as connection:
                return rows.study_names(connection)

    def create(self, study: str, *, directions: Sequence[str], attributes: Mapping[str, Any]) -> None:
        """A new study, in one transaction; Optuna's tables are made where there are none."""
        self._take(study)
        with self.guarded():
            self._storage(make_tables=True)
            if self._database.kind == "mysql":
                with self._writer(study).begin() as connection:
                    rows.make_room(connection)
            with self._writer(study).begin() as connection:
                rows.insert_study(connection, study, directions=directions, attributes=attributes)

    def delete(self, study: str) -> None:
        """Delete a study with all its trials.

        Raises:
            StudyBusyError: another process is running it.
        """
        self._take(study)
        with self.guarded(), self._writer(study).connect():
            storage = self._storage(make_tables=False)
            storage.delete_study(storage.get_study_id_from_name(study))

    def open(self, study: str, *, writer: bool) -> tuple[BaseStorage, str | None]:
        """Optuna's storage for reading; the writer takes the lock as well. Nothing has to be repaired."""
        if writer:
            self._take(study)
            with self.guarded(), self._writer(study).connect():
                pass
        with self.guarded():
            return get_storage(self._storage(make_tables=False)), None

    def append(self, study: str, trial: FrozenTrial) -> FrozenTrial:
        """One transaction; begun again, at most for `max_outage` seconds, while the server is away."""

        def work(connection: Connection) -> None:
            number = rows.study_id(connection, study)
            following = rows.next_number(connection, number)
            if following == trial.number:
                rows.insert_trial(connection, number, trial)
            elif not rows.is_there(
                connection, number, trial
            ):  # it is, where only the server's answer was lost
                raise StorageError(
                    f"{self.label}: trial {following} is the next, got trial {trial.number}: another process has "
                    "written to the study meanwhile; run it again, it goes on from what is there"
                )

        self._patiently(study, work)
        return _read_back(trial)

    def set_attribute(self, study: str, key: str, value: Any) -> None:
        """One transaction."""
        self._patiently(study, lambda connection: rows.replace_attribute(connection, study, key, value))

    def guarded(self) -> AbstractContextManager[None]:
        """What a database raises, as a StorageError in one line."""
        return sql_errors(self.label)

    def close(self) -> None:
        """End all connections, and with them the lock."""
        for engine in (self._reading, self._writing, self._optuna.engine if self._optuna else None):
            if engine is not None:
                engine.dispose()
        self._reading = self._writing = self._optuna = None
        if self._file_lock is not None:
            self._file_lock.__exit__(None, None, None)
            self._file_lock = None

    def _patiently(self, study: str, work: Callable[[Connection], None]) -> None:
        """Do work in a transaction, whole, however often the server goes away, within the bound."""
        deadline, pause = time.monotonic() + self._database.max_outage, _FIRST_PAUSE
        while True:
            try:
                with self._writer(study).begin() as connection:
                    work(connection)
            except _AWAY as error:
                if self._database.file is not None or time.monotonic() + pause > deadline:
                    raise self._given_up(error) from None
                if pause == _FIRST_PAUSE:
                    self._database.notify(f"{self.label} is away ({reason(error)}); the search waits for it")
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except SQLAlchemyError as error:
                raise StorageError(f"{self.label}: cannot be written: {reason(error)}") from None
            else:
                if pause > _FIRST_PAUSE:
                    self._database.notify(f"{self.label} is back; the search goes on")
                return

    def _given_up(self, error: BaseException) -> StorageError:
        waited = "" if self._database.file else f" for {self._database.max_outage:g} s"
        return StorageError(
            f"{self.label}: cannot be written{waited} ({reason(error)}); the trials before this one are stored: "
            "run the study again when it can be, it goes on from there"
        )

    def _take(self, study: str) -> None:
        """The lock of a study in an SQLite file; on a server it comes with the writer's connection."""
        file = self._database.file
        if file is not None and self._file_lock is None:
            lock = StudyLock(file.with_name(f"{file.name}.{study}.lock"))
            lock.__enter__()
            self._file_lock = lock

    def _engine(self) -> Engine:
        if self._reading is None:
            self._reading = self._connectable()
        return self._reading

    def _writer(self, study: str) -> Engine:
        """The engine of the one connection that writes, and holds the lock."""
        if self._writing is None:
            self._writing = self._connectable(pool_size=1, max_overflow=0)
            take = _lock_taker(self._database, study)
            event.listen(self._writing, "connect", lambda raw, _: take(raw))
        return self._writing

    def _connectable(self, **pool: Any) -> Engine:
        with self.guarded():
            engine = create_engine(self._database.url, **_engine_settings(self._database), **pool)
        weakref.finalize(self, engine.dispose)
        return engine

    def _storage(self, *, make_tables: bool) -> RDBStorage:
        if self._optuna is None:
            settings = _engine_settings(self._database)
            self._optuna = RDBStorage(
                self._database.url, engine_kwargs=settings, skip_table_creation=not make_tables
            )
            weakref.finalize(self, self._optuna.engine.dispose)
        return self._optuna


def _lock_taker(database: Database, study: str) -> Callable[[Any], None]:
    """What a connection that writes begins with."""
    if database.kind == "postgresql":
        return partial(take_lock, study=study, holder=Holder.this_process())
    if database.kind == "mysql":
        return NamedLock(study).take
    return lambda _: None  # SQLite's is a file


def _engine_settings(database: Database) -> dict[str, Any]:
    connect: dict[str, dict[str, Any]] = {
        "sqlite": {"timeout": _BUSY_SECONDS},
        # the keepalives let the server notice within a minute that a driver's whole machine is gone
        "postgresql": {"connect_timeout": _CONNECT_SECONDS, "options": _KEEPALIVE},
        # a server whose machine is gone is noticed by its silence
        "mysql": {
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": _SILENCE_SECONDS,
            "write_timeout": _SILENCE_SECONDS,
        },
    }
    return {
        "hide_parameters": True,
        "pool_pre_ping": database.file is None,
        "connect_args": connect[database.kind],
    }


def _read_back(trial: FrozenTrial) -> FrozenTrial:
    """The trial as the database gives it: its attributes went through JSON."""
    stored = copy.copy(trial)
    stored.user_attrs = json.loads(json.dumps(trial.user_attrs))
    return stored
