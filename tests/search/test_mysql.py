"""Facts in MySQL and MariaDB, beyond what they share with other databases: outages, the named lock, long curves."""

import json

import pymysql
import pytest
import sqlalchemy

from hpsearch.errors import StorageError, StudyBusyError
from hpsearch.search.facts import FactStore
from hpsearch.search.named_lock import lock_name
from hpsearch.search.places import STORAGE_VARIABLE, Database, chosen_database
from tests.search.test_database import create, outlasts_outages
from tests.support.facts import fact


@pytest.fixture
def address(mariadb):
    return mariadb.new_database()


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql"])
def test_the_ways_to_write_an_address_are_one(scheme):
    found = Database.at(f"{scheme}://me:s3cret@db/facts")
    assert (found.kind, found.url) == ("mysql", "mysql+pymysql://me:s3cret@db/facts")
    assert found.address == "mysql+pymysql://me@db/facts"


def test_a_server_that_stops_for_a_while_is_waited_for(mariadb):
    """Told or as by a crash."""
    outlasts_outages(mariadb)


def test_curves_of_thousands_of_epochs_are_kept_whole(address):
    """MySQL's TEXT, which Optuna's tables have, ends after 64 KB."""
    curve = tuple(1 / (1 + epoch) for epoch in range(10_000))
    with create(Database.at(address)) as store:
        stored = store.append(fact(0, curves={"validation_loss": curve}))
        assert len(json.dumps(stored.curves["validation_loss"])) > 1 << 16
        assert store.facts() == [stored]


def test_whoever_lost_the_lock_meanwhile_writes_nothing(mariadb, address):
    """Its session ended, another driver took the study: the first is told so, and adds nothing."""
    with create(Database.at(address)) as first:
        first.append(fact(0))
        for (session,) in mariadb.query(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = %s", address.rsplit("/", 1)[1]
        ):
            mariadb.query("KILL %s", session)
        with FactStore.open(Database.at(address), study="digits", writer=True) as second:
            second.append(fact(1))
            with pytest.raises(StudyBusyError, match=r"run by session \d+ of the database, hpsearch from"):
                first.append(fact(1))
        with pytest.raises(StorageError, match="trial 2 is the next, got trial 1: another process"):
            first.append(fact(1, values=(0.5,), verdict="other"))
    assert [one.number for one in FactStore.open(Database.at(address), study="digits").facts()] == [0, 1]


def test_a_session_that_only_the_server_believes_in_does_not_block_its_own_driver(address):
    """The connection broke on our side alone: its lock is ours, and is taken over."""
    with create(Database.at(address)) as store:
        store.append(fact(0))
        abandoned = store._medium._writing.raw_connection()
        abandoned.detach()
        store.append(fact(1))
        with pytest.raises(pymysql.err.OperationalError):
            abandoned.dbapi_connection.ping(reconnect=False)
        abandoned.close()
        assert len(store.facts()) == 2


def test_databases_of_one_server_have_locks_of_their_own(mariadb):
    """The server's locks have no database in them, so their names have."""
    names = {lock_name(database, study) for database in ("a", "b") for study in ("wine", "wine~2", "w" * 200)}
    assert len(names) == 6
    assert all(len(name) <= 64 for name in names)
    here, there = (Database.at(mariadb.new_database()) for _ in range(2))
    with create(here) as one, create(there) as other:
        one.append(fact(0))
        other.append(fact(0))


def test_a_password_is_taken_from_the_environment_and_shown_nowhere(mariadb, monkeypatch):
    bare = mariadb.url("guarded", user="guarded")
    with pytest.raises(StorageError, match=r"Access denied.*HPSEARCH_STORAGE_URL"):
        FactStore.exists(Database.at(bare), study="digits")
    monkeypatch.setenv(STORAGE_VARIABLE, bare.replace("guarded@", "guarded:s3cret%20horse@"))
    chosen = chosen_database(None, None, base=None)
    assert not FactStore.exists(chosen, study="digits")
    assert "s3cret" not in repr(chosen) + chosen.address
    assert chosen_database(bare, None, base=None).url == chosen.url


def test_optuna_reads_what_is_written(address):
    """Its own storage, and the tables as it would have made them but for longer texts."""
    import optuna

    with create(Database.at(address)) as store:
        store.append(fact(0))
    storage = optuna.storages.RDBStorage(Database.at(address).url)
    assert len(optuna.load_study(study_name="digits", storage=storage).trials) == 1
    columns = sqlalchemy.inspect(storage.engine).get_columns("trial_user_attributes")
    assert [str(column["type"]) for column in columns if column["name"] == "value_json"] == ["LONGTEXT"]
    storage.engine.dispose()
