"""MLflow keeps whole paths of its files: where a store was moved, its database is told where they are now."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

_MOVES: Final = (
    (
        "UPDATE experiments SET artifact_location = ? || substr(artifact_location, ?) "
        "WHERE substr(artifact_location, 1, ?) = ?"
    ),
    "UPDATE runs SET artifact_uri = ? || substr(artifact_uri, ?) WHERE substr(artifact_uri, 1, ?) = ?",
    (
        "UPDATE logged_models SET artifact_location = ? || substr(artifact_location, ?) "
        "WHERE substr(artifact_location, 1, ?) = ?"
    ),
    "UPDATE model_versions SET source = ? || substr(source, ?) WHERE substr(source, 1, ?) = ?",
    (
        "UPDATE model_versions SET storage_location = ? || substr(storage_location, ?) "
        "WHERE substr(storage_location, 1, ?) = ?"
    ),
)


def relocate(database: Path, artifacts: Path) -> None:
    """Put the store's present artifact directory in place of a former one, in one transaction.

    A former one is named by the database, is not there any more, and its experiments' files are in the present one.
    So a copy beside its original stays with the original's files.

    Raises:
        sqlite3.Error: the database cannot be written.
    """
    with closing(sqlite3.connect(database, timeout=20)) as connection, connection:
        for former in _former(connection, artifacts):
            for move in _MOVES:
                length = len(former) + 1
                connection.execute(move, (str(artifacts), length, length, f"{former}/"))


def _former(connection: sqlite3.Connection, artifacts: Path) -> set[str]:
    rows = connection.execute("SELECT artifact_location FROM experiments WHERE artifact_location LIKE '/%'")
    homes = [Path(location) for (location,) in rows]
    return {
        str(home.parent)
        for home in homes
        if home.parent.name == artifacts.name
        and home.parent != artifacts
        and not home.parent.exists()
        and (artifacts / home.name).exists()
    }
