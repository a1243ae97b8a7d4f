"""MLflow keeps whole paths of its files: where a store was moved, its database is told where they are now."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

_COLUMNS: Final = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
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
            for table, column in _COLUMNS:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",  # noqa: S608 - our own names
                    (str(artifacts), len(former) + 1, len(former) + 1, f"{former}/"),
                )


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
