"""Facts in a database: PostgreSQL that goes away and comes back, its lock, and secrets that are shown nowhere."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from urllib.parse import quote

import optuna
import pytest
import sqlalchemy

from hpsearch.errors import InputError, StorageError, StudyBusyError
from hpsearch.search import rows
from hpsearch.search.advisory import lock_key
from hpsearch.search.database import DatabaseMedium
from hpsearch.search.facts import FactStore
from hpsearch.search.places import STORAGE_VARIABLE, Database, chosen_database
from hpsearch.search.quiet import quiet
from hpsearch.search.records import to_trial
from tests.support.facts import fact, facts
from tests.support.postgres import PASSWORD, PostgresServer


@pytest.fixture
def address(postgres):
    return postgres.new_database()


@pytest.fixture(scope="module")
def own_server():
    """A server that may be stopped without harm to other tests."""
    server = PostgresServer()
    yield server
    server.remove()


def create(database, study="digits"):
    return FactStore.create(database, study=study, directions=["minimize"], monitored="validation_loss")


def dump(url, study):
    """All rows of a study's trials, but for the keys that the database makes up."""
    engine = sqlalchemy.create_engine(Database.at(url).url)
    tables = {
        "trials": "number, state, datetime_start, datetime_complete",
        "trial_params": "number, param_name, param_value, distribution_json",
        "trial_values": "number, objective, value, value_type",
        "trial_user_attributes": "number, trial_user_attributes.key, value_json",
        "trial_intermediate_values": "number, step, intermediate_value, intermediate_value_type",
    }
    found = {}
    with engine.connect() as connection:
        for table, columns in tables.items():
            join = "" if table == "trials" else f"JOIN {table} USING (trial_id)"
            query = (
                f"SELECT {columns} FROM trials {join} JOIN studies USING (study_id) WHERE study_name = :study"
            )
            found[table] = sorted(map(repr, connection.execute(sqlalchemy.text(query), {"study": study})))
    engine.dispose()
    return found


KINDS = pytest.mark.parametrize("database_url", ["sqlite", "postgres", "mariadb"], indirect=True)


@KINDS
def test_rows_are_those_that_optunas_add_trial_writes(database_url):
    """Every state, NaN and infinity in curves: the two ways leave equal tables."""
    url = database_url
    with create(Database.at(url)) as ours:
        for one in facts(16):
            ours.append(one)
    storage = optuna.storages.RDBStorage(Database.at(url).url)
    with quiet():
        theirs = optuna.create_study(storage=storage, study_name="theirs")
        for one in facts(16):
            theirs.add_trial(to_trial(one.rounded(), curve="validation_loss"))
    storage.engine.dispose()
    assert dump(url, "digits") == dump(url, "theirs")
    assert dump(url, "digits")["trial_intermediate_values"]


@contextmanager
def outage(server, seconds, mode="fast"):
    """A stop for so many seconds, which begins now."""
    server.stop(mode)
    back = threading.Timer(seconds, server.start)
    back.start()
    yield
    back.join()


def outlasts_outages(server):
    """A server stops twice while it is written to: each fact is there once, and the user hears of it."""
    told = []
    place = Database.at(server.new_database()).told(told.append, max_outage=60)
    with create(place) as store:
        stored = [store.append(fact(0))]
        for number, mode in ((1, "fast"), (2, "immediate")):
            with outage(server, 2.0, mode):
                stored.append(store.append(fact(number)))
        assert list(map(repr, store.facts())) == list(map(repr, stored))
    assert [text.split(" is ")[1].split(" (")[0] for text in told] == [
        "away",
        "back; the search goes on",
    ] * 2


def test_a_server_that_stops_for_a_while_is_waited_for(own_server):
    """Told or as by a crash, while it is written to."""
    outlasts_outages(own_server)


def test_an_outage_longer_than_the_bound_is_an_error_that_says_how_to_go_on(own_server):
    place = Database.at(own_server.new_database()).told(lambda _: None, max_outage=1)
    with create(place) as store:
        store.append(fact(0))
        own_server.stop("immediate")
        try:
            with pytest.raises(StorageError, match=r"cannot be written for 1 s .*run the study again"):
                store.append(fact(1))
        finally:
            own_server.start()
        assert store.append(fact(1)).number == 1


def test_a_commit_whose_answer_was_lost_is_not_repeated(postgres, address, monkeypatch):
    """The transaction is done, the session ended before the driver heard of it."""
    real = rows.insert_trial

    def commit_and_lose(connection, study, trial):
        real(connection, study, trial)
        monkeypatch.setattr(rows, "insert_trial", real)
        raw = connection.connection.dbapi_connection
        raw.commit()
        postgres.query(address, "SELECT pg_terminate_backend(%s)", raw.info.backend_pid)
        connection.execute(sqlalchemy.text("SELECT 1"))

    with create(Database.at(address)) as store:
        store.append(fact(0))
        monkeypatch.setattr(rows, "insert_trial", commit_and_lose)
        store.append(fact(1))
        store.append(fact(2))
        assert [one.number for one in store.facts()] == [0, 1, 2]


def test_a_session_that_only_the_server_believes_in_does_not_block_its_own_driver(postgres, address):
    """The connection broke on our side alone: its lock is ours, and is taken over."""
    with create(Database.at(address)) as store:
        store.append(fact(0))
        engine = store._medium._writing
        abandoned = engine.raw_connection()
        abandoned.detach()
        store.append(fact(1))
        with pytest.raises(sqlalchemy.exc.OperationalError, match="terminat"):
            sqlalchemy_ping(abandoned)
        abandoned.close()
        assert len(store.facts()) == 2


def sqlalchemy_ping(fairy):
    try:
        fairy.dbapi_connection.execute("SELECT 1")
    except Exception as error:
        raise sqlalchemy.exc.OperationalError("ping", None, error) from error


def test_whoever_lost_the_lock_meanwhile_writes_nothing(postgres, address):
    """Its session ended, another driver took the study: the first is told so, and adds nothing."""
    with create(Database.at(address)) as first:
        first.append(fact(0))
        end_sessions(postgres, address)
        with FactStore.open(Database.at(address), study="digits", writer=True) as second:
            second.append(fact(1))
            with pytest.raises(StudyBusyError, match=f"process {os.getpid()} on"):
                first.append(fact(1))
        with pytest.raises(StorageError, match="trial 2 is the next, got trial 1: another process"):
            first.append(fact(1, values=(0.5,), verdict="other"))
    assert [one.number for one in FactStore.open(Database.at(address), study="digits").facts()] == [0, 1]


def end_sessions(postgres, address):
    postgres.query(
        address,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'hpsearch %%'",
    )


HOLD = """
import sys, time
from hpsearch.search.facts import FactStore
from hpsearch.search.places import Database
with FactStore.open(Database.at(sys.argv[1]), study="digits", writer=True):
    print("held", flush=True)
    time.sleep(60)
"""


@KINDS
def test_a_second_driver_is_told_who_holds_the_study_and_a_dead_one_holds_nothing(database_url):
    url = database_url
    create(Database.at(url)).close()
    holder = subprocess.Popen([sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        since = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
        host = re.escape(socket.gethostname()[:20])
        said = rf"run by process {holder.pid} on {host}\S* since {since}"
        if url.startswith("mysql"):
            said = r"run by session \d+ of the database, hpsearch from 127\.0\.0\.1:\d+ \(named lock"
        with pytest.raises(StudyBusyError, match=said):
            FactStore.open(Database.at(url), study="digits", writer=True)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
    began = time.monotonic()
    with FactStore.open(Database.at(url), study="digits", writer=True) as store:
        store.append(fact(0))
    assert time.monotonic() - began < 5


def test_studies_in_one_database_have_locks_of_their_own(address):
    with create(Database.at(address), "wine") as wine, create(Database.at(address), "beer") as beer:
        wine.append(fact(0))
        beer.append(fact(0))
        assert len(wine.facts()) == len(beer.facts()) == 1
    assert len({lock_key(name) for name in ("wine", "beer", "wine~2")}) == 3
    assert all(0 <= lock_key(name) < 2**63 for name in ("wine", "beer"))


def test_a_database_that_is_not_there_is_an_error_in_a_line():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(StorageError, match="onnection refused") as caught:
        FactStore.open(Database.at(f"postgresql://127.0.0.1:{port}/facts"), study="digits")
    assert "\n" not in str(caught.value)


def test_a_password_is_taken_from_the_environment_and_shown_nowhere(postgres, monkeypatch, caplog):
    """Right and wrong ones, by libpq's variable and by the whole address."""
    bare = postgres.url("guarded")
    with pytest.raises(StorageError, match=r"no password supplied.*PGPASSWORD"):
        FactStore.exists(Database.at(bare), study="digits")
    monkeypatch.setenv("PGPASSWORD", "wrong-horse")
    with pytest.raises(StorageError, match="password authentication failed") as caught:
        FactStore.exists(Database.at(bare), study="digits")
    assert "wrong-horse" not in str(caught.value)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert not FactStore.exists(Database.at(bare), study="digits")
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv(STORAGE_VARIABLE, bare.replace("hpsearch@", f"hpsearch:{quote(PASSWORD, safe='')}@"))
    chosen = chosen_database(None, None, base=None)
    assert not FactStore.exists(chosen, study="digits")
    assert "horse" not in repr(chosen) + chosen.address + DatabaseMedium(chosen).label + caplog.text
    assert chosen_database(bare, None, base=None).url == chosen.url, (
        "the option's password is the environment's"
    )


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://me:s3cret@db/facts", "--storage: holds a password"),
        ("postgresql://db/facts?user=me&password=s3cret", "holds the secret 'password'"),
        (
            "oracle://db/facts",
            "must be the address of a PostgreSQL, MySQL, MariaDB or SQLite database, got 'oracle://db/facts'",
        ),
        ("mysql://me:s3cret@db/facts", "holds a password"),
        ("facts.db", "write postgresql://"),
        ("sqlite://", "must be the address"),
    ],
)
def test_an_option_that_is_no_address_or_holds_a_secret_is_refused(address, said):
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        chosen_database(address, None, base=None)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "driver", "name", "extra"),
    [("postgresql", "psycopg", "PostgreSQL", "postgres"), ("mysql", "pymysql", "MySQL", "mysql")],
)
def test_a_missing_driver_is_named_with_the_command_that_installs_it(kind, driver, name, extra):
    code = (
        f"import sys; sys.modules[{driver!r}] = None\n"
        "from hpsearch.search.facts import FactStore; from hpsearch.search.places import Database\n"
        f"FactStore.exists(Database.at('{kind}://db/facts'), study='s')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"InputError: {kind}+{driver}://db/facts: {name} needs the package {driver}" in done.stderr
    assert f"pip install 'hpsearch[{extra}]'" in done.stderr
