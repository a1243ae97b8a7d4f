"""The embedded MLflow: an SQLite database and an artifact directory in the store, written in bulk."""

import fcntl
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from mlflow import MlflowClient
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from hpsearch.errors import TrackingError
from hpsearch.store import Store
from hpsearch.tracking import bulk
from hpsearch.tracking.card import StudyCard
from hpsearch.tracking.client import ClientSink, ensure_experiment
from hpsearch.tracking.place import embedded_uri
from hpsearch.tracking.record import RunRecord
from hpsearch.tracking.sink import Sink


def open_embedded(store: Store, card: StudyCard) -> Sink:
    """The study's place in the embedded database: in bulk where we know its schema, else by the client.

    Raises:
        MlflowException: the database belongs to another version of MLflow, or cannot be opened.
    """
    tracking = open_database(store)
    with tracking.ManagedSessionMaker() as session:
        known = bulk.revision(session) == bulk.REVISION
    return (
        BulkSink(store, tracking, card)
        if known
        else ClientSink(embedded_uri(store), card, artifacts=store.artifacts)
    )


def open_database(store: Store) -> SqlAlchemyStore:
    """The embedded database, made on first use.

    MLflow fails when two processes make the same database at once, so it is made under a lock.
    """
    store.root.mkdir(parents=True, exist_ok=True)
    with _creation_lock(store.root / "mlflow.lock"):
        tracking = SqlAlchemyStore(embedded_uri(store), str(store.artifacts))  # type: ignore[no-untyped-call]
        with closing(sqlite3.connect(store.database)) as connection:
            # Readers (the UI) and writers do not wait for each other; the setting stays in the file.
            connection.execute("PRAGMA journal_mode=WAL")
    return tracking


@contextmanager
def _creation_lock(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class BulkSink:
    """Writes runs in bulk; their ids follow from the study's identity, so writing twice is writing once."""

    def __init__(self, store: Store, tracking: SqlAlchemyStore, card: StudyCard) -> None:
        self._store, self._tracking, self._identity = store, tracking, card.identity
        self._key = card.key
        self._inode = store.database.stat().st_ino
        self.client = MlflowClient(tracking_uri=embedded_uri(store))
        self.experiment = ensure_experiment(self.client, card, root=store.artifacts)
        self._artifact_root = self.client.get_experiment(self.experiment).artifact_location.rstrip("/")

    def survey(self) -> None:
        """See that the database is still the one that was opened.

        Raises:
            TrackingError: it was removed or replaced.
        """
        database = self._store.database
        if not database.exists() or database.stat().st_ino != self._inode:
            raise TrackingError(
                f"{database} was removed or replaced while the study was being written to it; "
                f"run `hpsearch sync {self._key}` to write the study to the new one"
            )

    def projected(self, numbers: Sequence[int]) -> set[int]:
        """Those of the trials whose runs are there, whole."""
        ids = {self._identity.run_id(number): number for number in numbers}
        with self._tracking.ManagedSessionMaker() as session:
            return {ids[run_id] for run_id in bulk.whole_runs(session, ids)}

    def write(self, records: Sequence[RunRecord]) -> None:
        """Write trials in one transaction: all of them or none."""
        with self._tracking.ManagedSessionMaker(read_only=False) as session:
            bulk.replace_runs(
                session,
                {self._identity.run_id(record.number): record for record in records},
                experiment=int(self.experiment),
                artifact_root=self._artifact_root,
            )

    def write_study(self, record: RunRecord) -> str:
        """Write the study's run over what is there of it."""
        run_id = self._identity.run_id(None)
        with self._tracking.ManagedSessionMaker(read_only=False) as session:
            bulk.renew_run(
                session, run_id, record, experiment=int(self.experiment), artifact_root=self._artifact_root
            )
        return run_id

    def run_ids(self) -> None:
        """None: they follow from the study's identity."""
        return
