import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hpsearch.errors import TrackingError
from hpsearch.store import Store
from hpsearch.tracking import bulk, embedded
from hpsearch.tracking.client import ClientSink
from hpsearch.tracking.embedded import BulkSink, open_database, open_embedded
from hpsearch.tracking.place import embedded_uri
from hpsearch.tracking.projection import trial_record
from hpsearch.tracking.record import Point
from hpsearch.tracking.study_run import study_record
from hpsearch.tracking.template import template
from tests.support.facts import fact, facts
from tests.support.tracking import CARD, RESULT, shown


def fill(sink, trials):
    parent = sink.write_study(study_record(CARD, trials, RESULT, running=False))
    sink.write([trial_record(CARD, trial, parent=parent) for trial in trials])


def test_runs_written_in_bulk_are_those_that_the_client_writes(store, tmp_path):
    """Parameters, tags, metrics, histories, status and times agree, also with NaN and a thinned curve."""
    trials = [*facts(14), fact(14, epochs=1100)]
    other = Store(tmp_path / "other")
    other.root.mkdir()
    other.database.write_bytes(store.database.read_bytes())
    in_bulk = open_embedded(store, CARD)
    assert isinstance(in_bulk, BulkSink)
    fill(in_bulk, trials)
    by_client = ClientSink(embedded_uri(other), CARD, artifacts=other.artifacts)
    by_client.survey()
    fill(by_client, trials)
    assert shown(embedded_uri(store), "digits") == shown(embedded_uri(other), "digits")


def test_a_run_s_whole_dictionary_agrees_but_for_its_ids(store):
    sink = open_embedded(store, CARD)
    record = trial_record(CARD, fact(3), parent="p")
    sink.write([record])
    ours = sink.client.get_run(CARD.identity.run_id(3)).to_dictionary()
    run = sink.client.create_run(
        sink.experiment, start_time=record.start, tags=dict(record.tags), run_name=record.name
    )
    other = ClientSink(embedded_uri(store), CARD)
    other._runs["3"] = run.info.run_id
    other.write([record])
    theirs = sink.client.get_run(run.info.run_id).to_dictionary()
    for dictionary in (ours, theirs):
        identifier = dictionary["info"]["run_id"]
        assert identifier in dictionary["info"].pop("artifact_uri")
        del dictionary["info"]["run_id"]
    assert ours == theirs


def test_mlflow_finds_what_was_written_in_bulk(store):
    sink = open_embedded(store, CARD)
    fill(sink, facts(20))
    found = sink.client.search_runs(
        [sink.experiment],
        filter_string="metrics.objective < 99 and params.optimizer = 'adam' and status = 'FINISHED'",
        order_by=["metrics.objective ASC"],
    )
    objectives = [run.data.metrics["objective"] for run in found]
    assert objectives == sorted(objectives)
    expected = [t for t in facts(20) if t.finished and t.params["optimizer"] == "adam"]
    assert len(found) == len(expected) > 0
    history = sink.client.get_metric_history(found[0].info.run_id, "validation/loss")
    assert [point.step for point in history] == list(range(1, len(history) + 1))


def test_writing_twice_is_writing_once(store):
    sink = open_embedded(store, CARD)
    fill(sink, facts(6))
    before = shown(embedded_uri(store), "digits")
    fill(sink, facts(6))
    fill(open_embedded(store, CARD), facts(6))
    assert shown(embedded_uri(store), "digits") == before


def test_what_others_add_to_the_study_s_run_stays(store):
    sink = open_embedded(store, CARD)
    record = study_record(CARD, facts(3), {}, running=True)
    run_id = sink.write_study(record)
    sink.client.set_tag(run_id, "mine", "kept")
    sink.client.log_metric(run_id, "mine", 1.0)
    later = replace(
        record, points=[*record.points, Point(key="best_objective", value=0.1, step=9, timestamp=9)]
    )
    sink.write_study(later)
    run = sink.client.get_run(run_id)
    assert (run.data.tags["mine"], run.data.metrics["mine"]) == ("kept", 1.0)
    assert run.data.metrics["best_objective"] == 0.1
    assert len(sink.client.get_metric_history(run_id, "best_objective")) == len(record.points) + 1


def test_an_unknown_schema_is_written_through_the_client(store, monkeypatch):
    monkeypatch.setattr(bulk, "REVISION", "not-this-one")
    sink = open_embedded(store, CARD)
    assert isinstance(sink, ClientSink)
    fill(sink, facts(3))
    assert [run["name"] for run in shown(embedded_uri(store), "digits")] == [
        "digits",
        *(f"trial-000{number}" for number in range(3)),
    ]


def test_the_known_schema_is_the_installed_one(store):
    """When this fails, MLflow's tables changed: see that the tests of bulk writing hold, renew REVISION."""
    open_database(store)
    with closing(bulk.connect(store.database)) as connection:
        assert bulk.revision(connection) == bulk.REVISION


def test_artifacts_lie_in_the_store(store):
    sink = open_embedded(store, CARD)
    run_id = sink.write_study(study_record(CARD, [], {}, running=True))
    sink.client.log_text(run_id, "hello", "note.txt")
    assert [path.name for path in store.artifacts.rglob("note.txt")] == ["note.txt"]
    assert sink.client.get_run(run_id).info.artifact_uri.startswith(str(store.artifacts))


def test_the_database_lets_readers_in_while_it_is_written(store):
    open_database(store)
    with closing(sqlite3.connect(store.database)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_database_removed_under_the_writer_is_noticed(store):
    sink = open_embedded(store, CARD)
    store.database.unlink()
    with pytest.raises(TrackingError, match="removed or replaced"):
        sink.survey()


def schema(database):
    """All that makes the tables, and all rows but for ids and times."""
    with closing(sqlite3.connect(database)) as connection:
        objects = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
        tables = [name for kind, name, _ in objects if kind == "table"]
        counts = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in tables}
        default = connection.execute("SELECT name, artifact_location FROM experiments").fetchall()
        return objects, counts, [(name, Path(place).parts[-2:]) for name, place in default]


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("own_cache")
def test_the_second_database_is_copied_and_is_as_the_first(tmp_path, monkeypatch):
    first, second = Store(tmp_path / "one" / "mlruns"), Store(tmp_path / "two" / "mlruns")
    open_database(first)
    monkeypatch.setattr(embedded, "_make_by_mlflow", lambda _store: pytest.fail("MLflow was asked"))
    open_database(second)
    assert schema(second.database) == schema(first.database)
    assert str(second.artifacts) in {
        str(Path(place).parent)
        for (place,) in sqlite3.connect(second.database).execute("SELECT artifact_location FROM experiments")
    }


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"x" * 200])
def test_a_damaged_template_is_passed_over(tmp_path, damage):
    file = template()
    file.parent.mkdir(parents=True)
    file.write_bytes(damage)
    store = Store(tmp_path / "mlruns")
    open_database(store)
    with closing(bulk.connect(store.database)) as connection:
        assert bulk.revision(connection) == bulk.REVISION


def test_a_study_is_written_without_importing_mlflow(store):
    """Its import costs more than writing a hundred trials."""
    open_database(store)
    program = """if True:
        import sys
        from pathlib import Path
        from hpsearch.store import Store
        from hpsearch.tracking import sync
        from tests.support.tracking import finish_study, make_study
        study = make_study(Store(Path(sys.argv[1])), count=3)
        finish_study(study)
        sync(study.store, study.home)
        sys.exit("mlflow" in sys.modules or "sqlalchemy" in sys.modules)
    """
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(store.root)], cwd=root, check=False, capture_output=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_processes_that_make_the_same_database_at_once_do_not_fail(tmp_path):
    program = """if True:
        import sys
        from pathlib import Path
        from hpsearch.store import Store
        from hpsearch.tracking.embedded import open_database
        open_database(Store(Path(sys.argv[1])))
    """
    processes = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "new")]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
