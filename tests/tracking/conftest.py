"""One MLflow database is made for all tests (its migrations take two seconds); each test gets a copy."""

import os
import shutil
import sqlite3
import warnings
from contextlib import closing

import pytest

from hpsearch.store import Store
from hpsearch.tracking.embedded import open_database
from hpsearch.tracking.environment import quieten
from tests.support.tracking import make_study

quieten(os.environ)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # importing MLflow warns of its own uses of SQLAlchemy and pydantic
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401


@pytest.fixture(scope="session")
def database(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("template") / "mlruns")
    open_database(store)
    with closing(sqlite3.connect(store.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store.database


@pytest.fixture
def store(database, tmp_path):
    """A store with an empty MLflow database, in a directory whose name has a space."""
    fresh = Store(tmp_path / "my runs")
    fresh.root.mkdir()
    shutil.copy(database, fresh.database)
    return fresh


@pytest.fixture
def study(store):
    """A study of eight trials: finished, pruned, diverged."""
    return make_study(store, count=8)
