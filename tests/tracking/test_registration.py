"""The registered model of a study: a version each, and an alias that only a better one gets."""

import sqlite3
from contextlib import closing

import pandas as pd
import pytest

from hpsearch.tracking import bulk
from hpsearch.tracking.registration import Registration, register_by_client, register_in_tables
from tests.support.studies import run_quick

TABLES = ("registered_models", "model_versions", "model_version_tags", "registered_model_aliases")
CLOCKS = {"creation_time", "last_updated_time"}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study that has been run, and MLflow's client for its database."""
    from mlflow import MlflowClient

    root = tmp_path_factory.mktemp("registered")
    run_quick(root, budget__trials=2)
    return root, MlflowClient(f"sqlite:///{root / 'mlflow.db'}")


@pytest.fixture
def tracked_at():
    """Sets MLflow's own tracking address for one test."""
    import mlflow

    before = mlflow.get_tracking_uri()
    yield lambda root: mlflow.set_tracking_uri(f"sqlite:///{root / 'mlflow.db'}")
    mlflow.set_tracking_uri(before)


def content(root, name):
    with closing(sqlite3.connect(root / "mlflow.db")) as connection:
        connection.row_factory = sqlite3.Row
        for table in TABLES:
            for row in connection.execute(f"SELECT * FROM {table} WHERE name = ? ORDER BY rowid", (name,)):
                shown = {key: value for key, value in dict(row).items() if key not in {*CLOCKS, "name"}}
                yield table, shown | {"description": (shown.get("description") or "").replace(name, "NAME")}


def test_a_run_registers_its_model_which_mlflow_loads(study, tracked_at):
    """`models:/quick@best` predicts as the model itself."""
    import mlflow

    root, client = study
    assert client.get_model_version_by_alias("quick", "best").tags["hpsearch.test_metric"] == "accuracy"
    tracked_at(root)
    model = mlflow.pyfunc.load_model("models:/quick@best")
    names = [column.name for column in model.metadata.signature.inputs.inputs]
    assert len(model.predict(pd.DataFrame([[5.1, 3.5, 1.4, 0.2]], columns=names))) == 1


def test_the_version_carries_its_card_and_descriptions_lead_everywhere(study):
    """Data, scores, limits, how to call it; best trial, files and model from the study's run and its experiment."""
    _, client = study
    version = client.get_model_version_by_alias("quick", "best")
    for part in (
        "30 sealed test rows",
        "## Limits",
        "models:/quick@best",
        "fingerprint",
        "logistic regression",
    ):
        assert part in version.description
    run = client.get_run(version.run_id)
    best = client.search_runs(
        [run.info.experiment_id], f"tags.`hpsearch.trial` = '{int(run.data.metrics['winner/trial'])}'"
    )
    experiment = client.get_experiment(run.info.experiment_id)
    for note in (run.data.tags["mlflow.note.content"], experiment.tags["mlflow.note.content"]):
        assert f"/runs/{best[0].info.run_id}?workflowType=machine_learning)" in note
        assert "(#/models/quick?" in note
    attached = {file.path for file in client.list_artifacts(version.run_id)}
    assert {"card.md", "curves.svg", "search.svg", "result.json"} <= attached


def test_what_is_written_is_what_mlflows_client_writes(study):
    """Row by row, but for the clock."""
    root, client = study
    uri = client.get_model_version_by_alias("quick", "best").source
    run_id = client.get_model_version_by_alias("quick", "best").run_id
    tags = {"hpsearch.sealed": "s", "hpsearch.test_metric": "accuracy", "hpsearch.test_score": "0.5"}
    register_by_client(client, Registration(name="pear", uri=uri, run_id=run_id, tags=tags))
    with closing(bulk.connect(root / "mlflow.db")) as connection, bulk.transaction(connection):
        new = Registration(name="plum", uri=uri, run_id=run_id, tags=tags)
        register_in_tables(connection, new, model=uri.removeprefix("models:/"))
    assert list(content(root, "plum")) == list(content(root, "pear"))


@pytest.mark.parametrize("way", ["client", "tables"])
def test_the_alias_moves_to_a_better_model_on_the_same_rows_alone(study, way):
    """Not to a worse one, nor to one that was tested on other rows."""
    root, client = study
    uri = client.get_model_version_by_alias("quick", "best").source
    run_id = client.get_model_version_by_alias("quick", "best").run_id
    for sealed, score, best in (("a", 0.8, 1), ("a", 0.7, 1), ("b", 0.9, 1), ("a", 0.9, 4), ("a", 0.9, 4)):
        tags = {
            "hpsearch.sealed": sealed,
            "hpsearch.test_metric": "accuracy",
            "hpsearch.test_score": str(score),
        }
        new = Registration(name=way, uri=uri, run_id=run_id, tags=tags)
        if way == "client":
            register_by_client(client, new)
        else:
            with closing(bulk.connect(root / "mlflow.db")) as connection, bulk.transaction(connection):
                register_in_tables(connection, new, model=uri.removeprefix("models:/"))
        assert int(client.get_model_version_by_alias(way, "best").version) == best


def test_errors_are_better_when_they_are_less():
    """By the metric's own direction."""
    tags = {"hpsearch.sealed": "a", "hpsearch.test_metric": "rmse", "hpsearch.test_score": "1.0"}
    new = Registration(name="n", uri="u", run_id="r", tags=tags)
    assert new.beats({**tags, "hpsearch.test_score": "2.0"})
    assert not new.beats({**tags, "hpsearch.test_score": "0.5"})
    assert new.beats(None)
