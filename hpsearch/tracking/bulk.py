"""Runs into MLflow's own tables, many in one transaction: 4 ms a trial where its client takes 40.

The tables are private to MLflow: used only at the schema revision that `REVISION` names, and tests hold what is
written equal to what the client writes. Nothing of MLflow is imported: its import costs more than a hundred trials.
"""

import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from hpsearch.tracking.projection import COMPLETE_TAG, PROJECTION
from hpsearch.tracking.record import Point, RunRecord

REVISION: Final = "dc11669786a5"
_CONTENTS: Final = ("tags", "params", "metrics", "latest_metrics")
_DELETIONS: Final = (
    "DELETE FROM tags WHERE run_uuid = ?",
    "DELETE FROM params WHERE run_uuid = ?",
    "DELETE FROM metrics WHERE run_uuid = ?",
    "DELETE FROM latest_metrics WHERE run_uuid = ?",
    "DELETE FROM runs WHERE run_uuid = ?",
)
_KEYED: Final = ("tags", "params", "latest_metrics")  # one row a key and run
_NAMES: Final = ("key", "run_uuid")
_ENDS: Final = ("source_type", "source_id", "destination_type", "destination_id")
_READY: Final = 2  # of a model's states
_PATIENCE: Final = 20.0  # seconds, as MLflow's own

Row = dict[str, Any]
Connection = sqlite3.Connection


def connect(database: Path) -> Connection:
    """A connection with MLflow's settings. A crash of the machine may lose the last trials: the facts have them."""
    connection = sqlite3.connect(database, timeout=_PATIENCE, isolation_level=None)
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """All that is written inside, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def revision(connection: Connection) -> str | None:
    """The schema revision of an MLflow database; None where there is none, or not yet."""
    with suppress(sqlite3.OperationalError):
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])
    return None


def experiment(connection: Connection, name: str, *, location: str) -> tuple[str, str]:
    """The id of an experiment and where its artifacts are: made, or brought back from the deleted, when need be."""
    now = round(time.time() * 1000)
    connection.execute(
        "INSERT INTO experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time) "
        "VALUES (?, ?, 'active', ?, ?) ON CONFLICT DO NOTHING",
        (name, location, now, now),
    )
    connection.execute(
        "UPDATE experiments SET lifecycle_stage = 'active', last_update_time = ? "
        "WHERE workspace = 'default' AND name = ? AND lifecycle_stage = 'deleted'",
        (now, name),
    )
    query = (
        "SELECT experiment_id, artifact_location FROM experiments WHERE workspace = 'default' AND name = ?"
    )
    identifier, place = connection.execute(query, (name,)).fetchone()
    return str(identifier), str(place)


def tag_experiment(connection: Connection, identifier: str, key: str, value: str) -> None:
    """Set one tag of an experiment."""
    row = {"key": key, "value": value, "experiment_id": int(identifier)}
    insert(connection, "experiment_tags", [row], over=("key", "experiment_id"))


def tag_run(connection: Connection, run_id: str, tags: Mapping[str, str]) -> None:
    """Set tags of a run."""
    insert(connection, "tags", [_text(run_id, *item) for item in tags.items()], over=_NAMES)


def tag_of_run(connection: Connection, run_id: str, key: str) -> str | None:
    """One tag of a run."""
    row = connection.execute(
        "SELECT value FROM tags WHERE run_uuid = ? AND key = ?", (run_id, key)
    ).fetchone()
    return None if row is None else str(row[0])


def use_dataset(connection: Connection, run_id: str, identifier: str, dataset: Row, *, context: str) -> None:
    """Link a data set to a run, once: MLflow keeps one of each name and digest in an experiment."""
    row = {"dataset_uuid": uuid.uuid4().hex, "experiment_id": int(identifier), **dataset}
    names = ("experiment_id", "name", "digest")
    insert(connection, "datasets", [row], over=names, changing=())
    query = "SELECT dataset_uuid FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?"
    (known,) = connection.execute(query, tuple(row[name] for name in names)).fetchone()
    link = {"input_uuid": uuid.uuid4().hex, **_link("DATASET", known, "RUN", run_id)}
    if insert(connection, "inputs", [link], over=_ENDS, changing=()):
        tag = {"input_uuid": link["input_uuid"], "name": "mlflow.data.context", "value": context}
        insert(connection, "input_tags", [tag])


def add_model(
    connection: Connection, identifier: str, run_id: str, model: Row, *, params: Mapping[str, Any], tags: Row
) -> None:
    """Enter a model whose files are in place, as what came out of a run, with the run's parameters and numbers.

    `model` has its `model_id`, `name` and `artifact_location`.
    """
    now, owner = round(time.time() * 1000), {"model_id": model["model_id"], "experiment_id": int(identifier)}
    times = {"creation_timestamp_ms": now, "last_updated_timestamp_ms": now}
    state = {"status": _READY, "lifecycle_stage": "active", "source_run_id": run_id}
    insert(connection, "logged_models", [{**model, **owner, **times, **state}])
    of_run = connection.execute("SELECT key, value FROM params WHERE run_uuid = ?", (run_id,)).fetchall()
    texts = {key: str(value) for key, value in {**params, **dict(of_run)}.items()}
    rows = [{**owner, "param_key": key, "param_value": value} for key, value in texts.items()]
    insert(connection, "logged_model_params", rows)
    rows = [{**owner, "tag_key": key, "tag_value": value} for key, value in tags.items()]
    insert(connection, "logged_model_tags", rows)
    link = {"input_uuid": uuid.uuid4().hex, **_link("RUN_OUTPUT", run_id, "MODEL_OUTPUT", model["model_id"])}
    insert(connection, "inputs", [link])
    connection.execute(
        "INSERT INTO logged_model_metrics (model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, "
        "experiment_id, run_id) SELECT ?, key, timestamp, step, value, ?, run_uuid FROM metrics "
        "WHERE run_uuid = ? AND step = 0 AND NOT is_nan",
        (model["model_id"], int(identifier), run_id),
    )


def _link(source_type: str, source: str, destination_type: str, destination: str) -> Row:
    return {**dict(zip(_ENDS, (source_type, source, destination_type, destination), strict=True)), "step": 0}


def whole_runs(connection: Connection, run_ids: Iterable[str]) -> set[str]:
    """Which of the runs are there, active, and marked as whole."""
    query = (
        "SELECT runs.run_uuid FROM runs JOIN tags ON tags.run_uuid = runs.run_uuid "
        "WHERE tags.key = ? AND tags.value = ? AND runs.lifecycle_stage = 'active'"
    )
    return set(run_ids) & {run_id for (run_id,) in connection.execute(query, (COMPLETE_TAG, PROJECTION))}


def replace_runs(
    connection: Connection, records: Mapping[str, RunRecord], *, experiment: int, artifact_root: str
) -> None:
    """Write runs by id, in place of whatever is there under these ids."""
    for statement in _DELETIONS:
        connection.executemany(statement, [(run_id,) for run_id in records])
    runs = [_run(run_id, r, experiment, artifact_root) for run_id, r in records.items()]
    insert(connection, "runs", runs)
    for table, rows in _contents(records).items():
        insert(connection, table, rows)


def renew_run(
    connection: Connection, run_id: str, record: RunRecord, *, experiment: int, artifact_root: str
) -> None:
    """Write one run over what is there under its id; what others added to it stays."""
    row = _run(run_id, record, experiment, artifact_root)
    changing = ("name", "status", "start_time", "end_time", "lifecycle_stage", "deleted_time")
    insert(connection, "runs", [row], over=("run_uuid",), changing=changing)
    ours = {point.key for point in record.points}
    connection.executemany(
        "DELETE FROM metrics WHERE run_uuid = ? AND key = ?", [(run_id, key) for key in ours]
    )
    for table, rows in _contents({run_id: record}).items():
        insert(connection, table, rows, over=_NAMES if table in _KEYED else ())


def insert(
    connection: Connection,
    table: str,
    rows: Sequence[Row],
    *,
    over: Sequence[str] = (),
    changing: Sequence[str] | None = None,
) -> int:
    """Insert rows of equal columns; where one agrees with a row that is there in the columns `over`, change that.

    `changing` are the columns that change then, None for all others. Returns the number of rows written.
    """
    if not rows:
        return 0
    columns = list(rows[0])
    names, values = ", ".join(columns), ", ".join(f":{column}" for column in columns)
    statement = f"INSERT INTO {table} ({names}) VALUES ({values})"  # noqa: S608 - names from this package
    if over:
        changed = [c for c in columns if c not in over] if changing is None else changing
        what = ", ".join(f"{column} = excluded.{column}" for column in changed)
        statement += f" ON CONFLICT ({', '.join(over)}) DO {f'UPDATE SET {what}' if what else 'NOTHING'}"
    return connection.executemany(statement, rows).rowcount


def _run(run_id: str, record: RunRecord, experiment: int, artifact_root: str) -> Row:
    return {
        "run_uuid": run_id,
        "name": record.name,
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "user_id": record.tags.get("mlflow.user", "unknown"),
        "status": record.status,
        "start_time": record.start,
        "end_time": record.end,
        "deleted_time": None,
        "source_version": "",
        "lifecycle_stage": "active",
        "artifact_uri": f"{artifact_root}/{run_id}/artifacts",
        "experiment_id": experiment,
    }


def _contents(records: Mapping[str, RunRecord]) -> dict[str, list[Row]]:
    contents: dict[str, list[Row]] = {table: [] for table in _CONTENTS}
    for run_id, record in records.items():
        tags = {**record.tags, COMPLETE_TAG: PROJECTION}
        contents["tags"] += [_text(run_id, *item) for item in tags.items()]
        contents["params"] += [_text(run_id, *item) for item in record.params.items()]
        contents["metrics"] += [_metric(run_id, point) for point in record.points]
        contents["latest_metrics"] += [_metric(run_id, point) for point in latest_points(record.points)]
    return contents


def latest_points(points: Sequence[Point]) -> list[Point]:
    """Of each metric the point at its greatest step, which MLflow shows in tables."""
    latest: dict[str, Point] = {}
    for point in points:
        known = latest.get(point.key)
        if known is None or (point.step, point.timestamp) > (known.step, known.timestamp):
            latest[point.key] = point
    return list(latest.values())


def _text(run_id: str, key: str, value: str) -> Row:
    return {"run_uuid": run_id, "key": key, "value": value}


def _metric(run_id: str, point: Point) -> Row:
    nan = point.value != point.value
    return {
        "run_uuid": run_id,
        "key": point.key,
        "value": 0.0 if nan else point.value,
        "timestamp": point.timestamp,
        "step": point.step,
        "is_nan": nan,
    }
