"""Runs into MLflow's own tables, many in one transaction: 4 ms a trial where its client takes 40.

The tables are private to MLflow: used only at the schema revision that `REVISION` names, and a test holds
what is written equal to what the client writes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag
from sqlalchemy import Select, delete, select, text
from sqlalchemy.dialects.sqlite import insert

from hpsearch.tracking.projection import COMPLETE_TAG, PROJECTION
from hpsearch.tracking.record import Point, RunRecord

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

REVISION: Final = "dc11669786a5"
_CONTENTS: Final = (SqlTag, SqlParam, SqlMetric, SqlLatestMetric)
_KEYED: Final[list[Any]] = [SqlTag, SqlParam, SqlLatestMetric]  # one row a key and run
_NAMES: Final = ("key", "run_uuid")
_ROWS_OF_A_STATEMENT: Final = 5000

Row = dict[str, Any]


def revision(session: "Session") -> str:
    """The schema revision of an MLflow database."""
    return str(session.execute(text("SELECT version_num FROM alembic_version")).scalar())


def whole_runs(session: "Session", run_ids: Iterable[str]) -> set[str]:
    """Which of the runs are there, active, and marked as whole."""
    query: Select[tuple[str]] = (
        select(SqlRun.run_uuid)
        .join(SqlTag, SqlTag.run_uuid == SqlRun.run_uuid)
        .where(SqlTag.key == COMPLETE_TAG, SqlTag.value == PROJECTION, SqlRun.lifecycle_stage == "active")
    )
    return set(run_ids) & set(session.execute(query).scalars())


def replace_runs(
    session: "Session", records: Mapping[str, RunRecord], *, experiment: int, artifact_root: str
) -> None:
    """Write runs by id, in place of whatever is there under these ids."""
    for model in (*_CONTENTS, SqlRun):
        session.execute(delete(model).where(model.run_uuid.in_(list(records))))
    runs = [_run(run_id, r, experiment, artifact_root) for run_id, r in records.items()]
    session.execute(insert(SqlRun), runs)
    for model, rows in _contents(records):
        if rows:
            session.execute(insert(model), rows)


def renew_run(
    session: "Session", run_id: str, record: RunRecord, *, experiment: int, artifact_root: str
) -> None:
    """Write one run over what is there under its id; what others added to it stays."""
    row = _run(run_id, record, experiment, artifact_root)
    changing = {
        key: row[key]
        for key in ("name", "status", "start_time", "end_time", "lifecycle_stage", "deleted_time")
    }
    session.execute(
        insert(SqlRun).values(row).on_conflict_do_update(index_elements=["run_uuid"], set_=changing)
    )
    ours, metric = {point.key for point in record.points}, cast("Any", SqlMetric)
    session.execute(delete(metric).where(metric.run_uuid == run_id, metric.key.in_(ours)))
    for model, rows in _contents({run_id: record}):
        for start in range(0, len(rows), _ROWS_OF_A_STATEMENT):
            statement = insert(model)
            changed = [column for column in rows[0] if column not in _NAMES]
            if model in _KEYED:
                statement = statement.on_conflict_do_update(
                    index_elements=_NAMES, set_={column: statement.excluded[column] for column in changed}
                )
            session.execute(statement, rows[start : start + _ROWS_OF_A_STATEMENT])


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


def _contents(records: Mapping[str, RunRecord]) -> list[tuple[type[Any], list[Row]]]:
    tags, params, metrics, latest = [], [], [], []
    for run_id, record in records.items():
        tags += [_text(run_id, *item) for item in {**record.tags, COMPLETE_TAG: PROJECTION}.items()]
        params += [_text(run_id, *item) for item in record.params.items()]
        metrics += [_metric(run_id, point) for point in record.points]
        latest += [_metric(run_id, point) for point in latest_points(record.points)]
    return [(SqlTag, tags), (SqlParam, params), (SqlMetric, metrics), (SqlLatestMetric, latest)]


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
