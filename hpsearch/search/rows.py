"""Studies and trials as rows of Optuna's own tables, written by a handful of statements in one transaction.

Optuna's `add_trial` looks before each of its rows and tries again by itself when a connection breaks, also where the
trial had been committed: a fact could be there twice. The tables are Optuna's at the schema that it checks when it
opens the database; a test holds what is written equal to what `add_trial` writes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from sqlalchemy import Table, delete, func, insert, inspect, select, text
from sqlalchemy.dialects.mysql import LONGTEXT

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult

Row = dict[str, Any]

_TABLES: Final[Mapping[str, Table]] = models.BaseModel.metadata.tables
_STUDIES: Final = _TABLES["studies"]
_TRIALS: Final = _TABLES["trials"]
_STUDY_ATTRIBUTES: Final = _TABLES["study_user_attributes"]
_TRIAL_ATTRIBUTES: Final = _TABLES["trial_user_attributes"]


def insert_study(
    connection: "Connection", name: str, *, directions: Sequence[str], attributes: Mapping[str, Any]
) -> None:
    """A study with all that belongs to it."""
    study = _key(connection.execute(insert(_STUDIES).values(study_name=name)))
    named = [StudyDirection[direction.upper()] for direction in directions]
    rows = [{"study_id": study, "objective": i, "direction": named[i]} for i in range(len(named))]
    connection.execute(insert(_TABLES["study_directions"]), rows)
    connection.execute(
        insert(_STUDY_ATTRIBUTES), [_attribute("study_id", study, *a) for a in attributes.items()]
    )


def replace_attribute(connection: "Connection", study: str, key: str, value: Any) -> None:
    """One attribute of a study, in place of what is there of it."""
    number = study_id(connection, study)
    table = _STUDY_ATTRIBUTES.c
    connection.execute(delete(_STUDY_ATTRIBUTES).where(table.study_id == number, table.key == key))
    connection.execute(insert(_STUDY_ATTRIBUTES).values(_attribute("study_id", number, key, value)))


def study_names(connection: "Connection") -> list[str]:
    """The names of all studies."""
    return list(connection.execute(select(_STUDIES.c.study_name).order_by(_STUDIES.c.study_id)).scalars())


def study_id(connection: "Connection", name: str) -> int:
    """The key of a study that is there."""
    return int(
        connection.execute(select(_STUDIES.c.study_id).where(_STUDIES.c.study_name == name)).scalar_one()
    )


def next_number(connection: "Connection", study: int) -> int:
    """The number of the trial that would come next."""
    count = select(func.count()).select_from(_TRIALS).where(_TRIALS.c.study_id == study)
    return int(connection.execute(count).scalar_one())


def is_there(connection: "Connection", study: int, trial: FrozenTrial) -> bool:
    """Whether the study holds this very trial."""
    query = (
        select(_TRIAL_ATTRIBUTES.c.key, _TRIAL_ATTRIBUTES.c.value_json)
        .join(_TRIALS, _TRIALS.c.trial_id == _TRIAL_ATTRIBUTES.c.trial_id)
        .where(_TRIALS.c.study_id == study, _TRIALS.c.number == trial.number)
    )
    stored = {key: value for key, value in connection.execute(query)}  # noqa: C416 - rows are no pairs to mypy
    return stored == {key: json.dumps(value) for key, value in trial.user_attrs.items()}


def insert_trial(connection: "Connection", study: int, trial: FrozenTrial) -> None:
    """A trial with its parameters, values, attributes and intermediate values."""
    row = {
        "study_id": study,
        "number": trial.number,
        "state": trial.state,
        "datetime_start": _in_utc(trial.datetime_start),
        "datetime_complete": _in_utc(trial.datetime_complete),
    }
    number = _key(connection.execute(insert(_TRIALS).values(row)))
    for table, rows in _contents(number, trial):
        if rows:
            connection.execute(insert(table), rows)


def make_room(connection: "Connection") -> None:
    """Let attributes be longer than the 64 KB of MySQL's TEXT, which a thousand epochs' curves are."""
    for table, widened in (
        (_STUDY_ATTRIBUTES, text("ALTER TABLE study_user_attributes MODIFY value_json LONGTEXT")),
        (_TRIAL_ATTRIBUTES, text("ALTER TABLE trial_user_attributes MODIFY value_json LONGTEXT")),
    ):
        there = {column["name"]: column["type"] for column in inspect(connection).get_columns(table.name)}
        if not isinstance(there["value_json"], LONGTEXT):
            connection.execute(widened)


def _key(inserted: "CursorResult[Any]") -> int:
    """The key that the database has made up for a row."""
    assert inserted.inserted_primary_key is not None  # noqa: S101 - one row with a key of its own
    return int(inserted.inserted_primary_key[0])


def _contents(number: int, trial: FrozenTrial) -> Iterator[tuple[Table, list[Row]]]:
    yield (
        _TABLES["trial_params"],
        [
            {
                "trial_id": number,
                "param_name": name,
                "param_value": trial.distributions[name].to_internal_repr(value),
                "distribution_json": distribution_to_json(trial.distributions[name]),
            }
            for name, value in trial.params.items()
        ],
    )
    yield (
        _TABLES["trial_values"],
        [
            {
                "trial_id": number,
                "objective": index,
                **_stored("value", value, models.TrialValueModel.value_to_stored_repr),
            }
            for index, value in enumerate(trial.values or ())
        ],
    )
    yield _TRIAL_ATTRIBUTES, [_attribute("trial_id", number, *item) for item in trial.user_attrs.items()]
    represent = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr
    yield (
        _TABLES["trial_intermediate_values"],
        [
            {"trial_id": number, "step": step, **_stored("intermediate_value", value, represent)}
            for step, value in trial.intermediate_values.items()
        ],
    )


def _attribute(owner: str, number: int, key: str, value: Any) -> Row:
    return {owner: number, "key": key, "value_json": json.dumps(value)}


def _stored(column: str, value: float, represent: Any) -> Row:
    """Optuna keeps infinity and NaN apart from numbers, which not every database has."""
    stored, kind = represent(float(value))
    return {column: stored, f"{column}_type": kind}


def _in_utc(moment: datetime | None) -> datetime | None:
    """Without its time zone, as Optuna keeps it."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
