"""MLflow's empty database: made by MLflow once on a machine, copied from then on.

MLflow takes over two seconds to be imported and to make its sixty tables. The copy is kept in the user's cache
directory, one for each version of MLflow; where there is none, or it cannot be kept, MLflow makes the database.
"""

import os
import sqlite3
import time
from contextlib import closing, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hpsearch.tracking import bulk
from hpsearch.tracking.place import artifact_place


def template() -> Path | None:
    """Where the empty database of the installed MLflow is kept, or would be; None without MLflow or a home."""
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(cache) / "hpsearch" / f"mlflow-{version('mlflow')}.db"
    except (PackageNotFoundError, RuntimeError):
        return None


def copy_template(database: Path, artifacts: Path) -> bool:
    """Make the database from the template; False where there is none of the schema that we know."""
    source, draft = template(), database.with_name(f".{database.name}.{os.getpid()}")
    if source is None or not source.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as empty:
            if bulk.revision(empty) != bulk.REVISION:
                return False
            with closing(sqlite3.connect(draft)) as new:
                empty.backup(new)
                _settle(new, artifacts)
        draft.replace(database)
    except (OSError, sqlite3.Error):  # a damaged template is no reason to fail
        draft.unlink(missing_ok=True)
        return False
    return True


def keep_template(database: Path) -> None:
    """Keep a copy of a database that MLflow has just made; best effort."""
    target = template()
    if target is None or target.exists():
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    with suppress(OSError, sqlite3.Error):
        target.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database)) as made, closing(sqlite3.connect(draft)) as copy:
            made.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        draft.replace(target)
    with suppress(OSError):
        draft.unlink(missing_ok=True)


def _settle(new: sqlite3.Connection, artifacts: Path) -> None:
    """MLflow's default experiment keeps its files here, and was made now."""
    now = round(time.time() * 1000)
    new.execute(
        "UPDATE experiments SET artifact_location = ?, creation_time = ?, last_update_time = ?",
        (artifact_place(artifacts, "0"), now, now),
    )
    new.commit()
