"""The embedded MLflow: an SQLite database and an artifact directory in the store, written in bulk."""

import fcntl
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpsearch.errors import TrackingError
from hpsearch.store import Store, StudyHome
from hpsearch.tracking import bulk, model_files
from hpsearch.tracking.card import StudyCard
from hpsearch.tracking.place import artifact_place, embedded_uri
from hpsearch.tracking.record import RunRecord
from hpsearch.tracking.registration import Registration, register_in_tables
from hpsearch.tracking.relocation import relocate
from hpsearch.tracking.sink import DatasetUse, Sink
from hpsearch.tracking.template import copy_template, keep_template

if TYPE_CHECKING:
    from mlflow import MlflowClient


def open_embedded(store: Store, card: StudyCard) -> Sink:
    """The study's place in the embedded database: in bulk where we know its schema, else by the client.

    Raises:
        MlflowException: the database belongs to another version of MLflow, or cannot be opened.
    """
    open_database(store)
    with closing(bulk.connect(store.database)) as connection:
        known = bulk.revision(connection) == bulk.REVISION
    if known:
        return BulkSink(store, card)
    from hpsearch.tracking.client import ClientSink  # noqa: PLC0415 - imports mlflow

    return ClientSink(embedded_uri(store), card, artifacts=store.artifacts)


def open_database(store: Store) -> None:
    """Make the embedded database where there is none; of another schema than ours, MLflow says what it thinks of it.

    MLflow fails when two processes make the same database at once, so it is made under a lock.
    """
    store.root.mkdir(parents=True, exist_ok=True)
    with _creation_lock(store.root / "mlflow.lock"):
        new = not store.database.exists() or not store.database.stat().st_size
        copied = new and copy_template(store.database, store.artifacts)
        try:
            _settle(store)
        except BaseException:
            if new:  # half of a database, on a disk that is full, would only be in the way
                _remove(store.database)
            raise
        if new and not copied:
            keep_template(store.database)


def _settle(store: Store) -> None:
    with closing(sqlite3.connect(store.database)) as connection:
        if bulk.revision(connection) != bulk.REVISION:
            _make_by_mlflow(store)
        # Readers (the UI) and writers do not wait for each other; the setting stays in the file.
        connection.execute("PRAGMA journal_mode=WAL")
    relocate(store.database, store.artifacts)


def _remove(database: Path) -> None:
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink(missing_ok=True)


def _make_by_mlflow(store: Store) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: PLC0415 - imports mlflow

    made = SqlAlchemyStore(embedded_uri(store), str(store.artifacts))  # type: ignore[no-untyped-call]
    made.engine.dispose()


@contextmanager
def _creation_lock(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class BulkSink:
    """Writes runs in bulk; their ids follow from the study's identity, so writing twice is writing once."""

    def __init__(self, store: Store, card: StudyCard) -> None:
        self._store, self._identity = store, card.identity
        self._key = card.key
        self._inode = store.database.stat().st_ino
        self._connection = bulk.connect(store.database)
        location = artifact_place(store.artifacts, card.experiment)
        with bulk.transaction(self._connection):
            self.experiment, root = bulk.experiment(self._connection, card.experiment, location=location)
        self._artifact_root = root.rstrip("/")

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's client, imported on first use."""
        from mlflow import MlflowClient  # noqa: PLC0415

        return MlflowClient(tracking_uri=embedded_uri(self._store))

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
        return {ids[run_id] for run_id in bulk.whole_runs(self._connection, ids)}

    def write(self, records: Sequence[RunRecord]) -> None:
        """Write trials in one transaction: all of them or none."""
        with bulk.transaction(self._connection):
            bulk.replace_runs(
                self._connection,
                {self._identity.run_id(record.number): record for record in records},
                experiment=int(self.experiment),
                artifact_root=self._artifact_root,
            )

    def write_study(self, record: RunRecord) -> str:
        """Write the study's run over what is there of it."""
        run_id = self._identity.run_id(None)
        with bulk.transaction(self._connection):
            bulk.renew_run(
                self._connection,
                run_id,
                record,
                experiment=int(self.experiment),
                artifact_root=self._artifact_root,
            )
        return run_id

    def run_ids(self) -> None:
        """None: they follow from the study's identity."""
        return

    def tag_experiment(self, key: str, value: str) -> None:
        """Set one tag of the experiment."""
        with bulk.transaction(self._connection):
            bulk.tag_experiment(self._connection, self.experiment, key, value)

    def tag_of_run(self, run_id: str, key: str) -> str | None:
        """One tag of a run."""
        return bulk.tag_of_run(self._connection, run_id, key)

    def tag_run(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run."""
        with bulk.transaction(self._connection):
            bulk.tag_run(self._connection, run_id, tags)

    def attach_file(self, run_id: str, path: Path) -> None:
        """Copy a file to where MLflow looks for a run's artifacts; elsewhere than on this machine, by the client."""
        if not self._is_local:
            self.client.log_artifact(run_id, str(path))
            return
        directory = Path(self._artifact_root, run_id, "artifacts")
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, directory / path.name)

    def use_dataset(self, run_id: str, dataset: DatasetUse) -> None:
        """Link a data set to a run, once."""
        with bulk.transaction(self._connection):
            bulk.use_dataset(
                self._connection,
                run_id,
                self.experiment,
                {
                    "name": dataset.name,
                    "digest": dataset.digest,
                    "dataset_source_type": dataset.source_type,
                    "dataset_source": dataset.source,
                    "dataset_profile": dataset.profile,
                },
                context=dataset.context,
            )

    def log_model(self, run_id: str, home: StudyHome, params: Mapping[str, Any]) -> str:
        """Log the model of a study's home; its URI."""
        description = model_files.describe(home.model) if self._is_local else None
        if description is None:
            from hpsearch.tracking.client import log_model  # noqa: PLC0415 - imports mlflow

            return log_model(self.client, self.experiment, run_id, home, params)
        model = model_files.ModelFiles(
            root=Path(self._artifact_root), run_id=run_id, source=home.model, description=description
        )
        model.write()
        with bulk.transaction(self._connection):
            bulk.add_model(
                self._connection,
                self.experiment,
                run_id,
                {"model_id": model.model_id, "name": home.name, "artifact_location": str(model.directory)},
                params=params,
                tags={
                    "mlflow.user": self._identity.user or "unknown",
                    "mlflow.source.name": f"hpsearch run {self._key}",
                    "mlflow.source.type": "LOCAL",
                },
            )
        return f"models:/{model.model_id}"

    def register(self, new: Registration) -> None:
        """Enter a version of the study's model, and move the alias to it if it is better; all or nothing."""
        model = new.uri.removeprefix("models:/")
        with bulk.transaction(self._connection):
            register_in_tables(self._connection, new, model=model)

    @property
    def _is_local(self) -> bool:
        return self._artifact_root.startswith("/")
