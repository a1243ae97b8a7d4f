"""A study's model under its name: `models:/digits@best` is the one that did best on the sealed test rows.

Every refitted winner becomes a version of the registered model. The alias moves to it where there is none, or where it
beats the one that has it on the very same sealed rows; scores on other rows say nothing of each other.
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hpsearch.store import StudyHome
from hpsearch.tracking.bulk import insert
from hpsearch.tracking.record import shortened

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS: Final = "best"
_CARD: Final = 5000  # characters of a description that MLflow keeps
_SEALED: Final = "hpsearch.sealed"
_METRIC: Final = "hpsearch.test_metric"
_SCORE: Final = "hpsearch.test_score"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A model to be registered: what it is called, where it is, its card, and how it did on which sealed rows."""

    name: str
    uri: str
    run_id: str
    tags: Mapping[str, str]
    card: str | None = None

    @property
    def about(self) -> str:
        """What all versions are, for the model's page."""
        return (
            f"Winners of the study {self.name}, each refitted on training and validation rows. "
            f"`models:/{self.name}@{ALIAS}` is the best of them on the same sealed test rows. Each version's "
            "description is its card: data, scores, limits, how to call it."
        )

    def beats(self, present: Mapping[str, str] | None) -> bool:
        """Whether the alias is to move here from a version with these tags; None where nothing has it."""
        if present is None:
            return True
        if any(present.get(key) != self.tags[key] for key in (_SEALED, _METRIC)):
            return False
        from hpsearch.judgment.metrics import direction  # noqa: PLC0415 - numpy

        ours, theirs = float(self.tags[_SCORE]), float(present[_SCORE])
        return ours < theirs if direction(self.tags[_METRIC]) == "minimize" else ours > theirs


def registration(
    home: StudyHome, uri: str, run_id: str, result: Mapping[str, Any], *, split: str | None
) -> Registration | None:
    """How a study's model is registered; None where it is not, or before its test. `split`: see `StudyCard`."""
    if split is None or not result.get("test"):
        return None
    metric, score = next(iter(result["test"].items()))
    sealed = f"{result.get('fingerprint')}/{split}"
    tags = {_SEALED: sealed, _METRIC: metric, _SCORE: repr(float(score["value"]))}
    card = home.card.read_text(encoding="utf-8") if home.card.exists() else ""
    return Registration(
        name=home.name, uri=uri, run_id=run_id, tags=tags, card=shortened(card, _CARD) or None
    )


def register_by_client(client: "MlflowClient", new: Registration) -> None:
    """Enter a version through MLflow's client."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - imported by the client already

    try:
        client.create_registered_model(new.name, description=new.about)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    model = new.uri.removeprefix("models:/")
    with _tracked_at(client.tracking_uri):  # where MLflow itself looks the model up
        version = client.create_model_version(
            new.name,
            source=new.uri,
            run_id=new.run_id,
            tags=dict(new.tags),
            model_id=model,
            description=new.card,
        )
    aliases = client.get_registered_model(new.name).aliases
    present = client.get_model_version(new.name, aliases[ALIAS]).tags if ALIAS in aliases else None
    if new.beats(present):
        client.set_registered_model_alias(new.name, ALIAS, version.version)


@contextmanager
def _tracked_at(uri: str) -> Iterator[None]:
    """MLflow's own tracking address is this one for a while."""
    import mlflow  # noqa: PLC0415 - imported by the client already

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


def register_in_tables(connection: sqlite3.Connection, new: Registration, *, model: str) -> None:
    """Enter a version in MLflow's tables, as its client does; `model` is the id of the logged model."""
    (location,) = connection.execute(
        "SELECT artifact_location FROM logged_models WHERE model_id = ?", (model,)
    ).fetchone()
    now = round(time.time() * 1000)
    times = {"creation_time": now, "last_updated_time": now}
    known = connection.execute("SELECT 1 FROM registered_models WHERE name = ?", (new.name,)).fetchone()
    if known is None:
        insert(connection, "registered_models", [{"name": new.name, "description": new.about, **times}])
    (version,) = connection.execute(
        "SELECT coalesce(max(version), 0) + 1 FROM model_versions WHERE name = ?", (new.name,)
    ).fetchone()
    row = {"name": new.name, "version": version, "description": new.card, "current_stage": "None", **times}
    row |= {"source": new.uri, "run_id": new.run_id, "status": "READY", "storage_location": location}
    insert(connection, "model_versions", [row])
    tags = [
        {"name": new.name, "version": version, "key": key, "value": value} for key, value in new.tags.items()
    ]
    insert(connection, "model_version_tags", tags)
    if new.beats(_present(connection, new.name)):
        connection.execute(
            "DELETE FROM registered_model_aliases WHERE name = ? AND alias = ?", (new.name, ALIAS)
        )
        insert(
            connection, "registered_model_aliases", [{"name": new.name, "alias": ALIAS, "version": version}]
        )
    connection.execute("UPDATE registered_models SET last_updated_time = ? WHERE name = ?", (now, new.name))


def _present(connection: sqlite3.Connection, name: str) -> dict[str, str] | None:
    """The tags of the version that has the alias; None where none has it."""
    query = "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?"
    found = connection.execute(query, (name, ALIAS)).fetchone()
    if found is None:
        return None
    query = "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?"
    return dict(connection.execute(query, (name, *found)).fetchall())
