"""Settings that hold for all tests."""

import os
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

from tests.support.mysql import MariadbServer
from tests.support.postgres import PostgresServer

# Law 1 holds bit for bit with one BLAS thread, which is what workers have; set before numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
if find_spec("tensorflow") is None:
    os.environ.setdefault("KERAS_BACKEND", "torch")

# A property holds or it does not; how long an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
if not os.environ.get(
    "CI"
):  # there, hypothesis has a profile of its own: untimed, and the same examples always
    settings.load_profile("untimed")


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server that the tests of one process share."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def mariadb():
    """A MariaDB server that the tests of one process share."""
    server = MariadbServer()
    yield server
    server.remove()


@pytest.fixture
def database_url(request, tmp_path):
    """The address of an empty database of the kind that the test is run with."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'facts.db'}"
    return request.getfixturevalue(request.param).new_database()
