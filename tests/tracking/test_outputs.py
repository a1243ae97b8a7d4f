"""The study's files, its data set and its model, as MLflow gives them back."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hpsearch.data.prepared import Task
from hpsearch.data.preprocessing import Preprocessor
from hpsearch.engine import Weights
from hpsearch.model import TrainedModel
from hpsearch.spec import PreprocessSpec
from hpsearch.tracking import model_files, run_id, sync
from hpsearch.tracking.client import log_model
from hpsearch.tracking.outputs import MODEL_URI_TAG
from hpsearch.tracking.place import embedded_uri
from tests.support.tracking import RESULT, finish_study

INPUTS = pd.DataFrame(
    {"age": [20.0, 40.0, 60.0, 30.0], "rooms": [1, 2, 3, 2], "city": ["Rome", "Oslo", "Rome", "Bern"]}
)


def save_model(directory, inputs, task):
    """A small network with weights drawn at random, and its example."""
    draw = np.random.default_rng(0)
    preprocessor = Preprocessor.fit(
        inputs.astype({name: "float64" for name in inputs if name != "city"}),
        PreprocessSpec(),
    )
    shapes = ((len(preprocessor.feature_names), 4), (4, 2))
    model = TrainedModel(
        weights=Weights.dense(
            [(draw.normal(size=shape).astype("f4"), np.zeros(shape[1], "f4")) for shape in shapes], "relu"
        ),
        loss="cross_entropy",
        task=task,
        preprocessor=preprocessor,
    )
    model.save(directory)
    (directory / "example.json").write_text(inputs.to_json(orient="split", index=False), encoding="utf-8")


@pytest.fixture
def finished(study):
    """A finished study with a small model: two numbers and a text in, one of two classes out."""
    finish_study(study)
    study.home.model.mkdir()
    save_model(
        study.home.model, INPUTS, Task(kind="multiclass", target_names=("buys",), classes=("no", "yes"))
    )
    return study


def parent(study):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=embedded_uri(study.store))
    return client, client.get_run(run_id(study.store, study.home, None))


def test_the_study_s_run_holds_its_files_and_its_data_set(finished):
    sync(finished.store, finished.home)
    client, run = parent(finished)
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {
        "study.yaml",
        "best.yaml",
        "result.json",
    }
    [used] = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("digits", "abc123")
    assert json.loads(used.dataset.profile)["rows"] == 1797


def test_mlflow_loads_the_model_and_it_predicts_the_same(finished):
    import mlflow

    sync(finished.store, finished.home)
    _, run = parent(finished)
    mlflow.set_tracking_uri(embedded_uri(finished.store))
    loaded = mlflow.pyfunc.load_model(run.data.tags[MODEL_URI_TAG])
    ours = TrainedModel.load(finished.home.model)
    assert loaded.predict(INPUTS.astype({"rooms": "float64"})).tolist() == ours.predict(INPUTS).tolist()
    assert loaded.metadata.get_input_schema().input_names() == ["age", "rooms", "city"]


def test_the_logged_model_is_data_only(finished):
    """Nothing in it is code or a pickle: the installed package loads it."""
    sync(finished.store, finished.home)
    files = [path for path in (finished.store.artifacts / "digits" / "models").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {"", ".json", ".npz", ".txt", ".yaml", ".yml"}
    [description] = [path for path in files if path.name == "MLmodel"]
    assert "loader_module: hpsearch.model" in description.read_text(encoding="utf-8")
    assert str(finished.store.root) not in "".join(
        p.read_text() for p in files if p.suffix in (".txt", ".yaml")
    )


def logged(client, model_id):
    """What MLflow holds of a logged model, and its files, without what differs from one model to the next."""
    model = client.get_logged_model(model_id)
    directory = Path(model.artifact_location)
    files = {
        str(path.relative_to(directory)): path.read_text("latin-1").replace(model_id, "ID")
        for path in directory.rglob("*")
        if path.is_file()
    }
    files["MLmodel"] = [
        line for line in files["MLmodel"].splitlines() if not line.startswith("utc_time_created")
    ]
    metrics = sorted((m.key, m.value, m.step, m.timestamp, m.run_id) for m in model.metrics)
    return files, model.name, model.status, model.source_run_id, model.params, metrics, set(model.tags)


@pytest.mark.parametrize("columns", [["age", "rooms", "city"], ["age"]])
@pytest.mark.parametrize("classes", [("no", "yes"), (3, 4), (False, True), None])
def test_the_model_is_logged_as_mlflow_would(finished, columns, classes):
    """Files, numbers, parameters and links of a model that we log are those of one that MLflow logs."""
    task = Task(kind="multiclass", target_names=("buys",), classes=classes or ())
    if classes is None:
        task = Task(
            kind="regression", target_names=("a", "b"), target_mean=(0.0, 0.0), target_scale=(1.0, 1.0)
        )
    save_model(finished.home.model, INPUTS[columns], task)
    sync(finished.store, finished.home)
    client, run = parent(finished)
    ours = run.data.tags[MODEL_URI_TAG].removeprefix("models:/")
    params = {"trial": RESULT["trial"], **RESULT["params"]}
    uri = log_model(client, run.info.experiment_id, run.info.run_id, finished.home, params)
    theirs = uri.removeprefix("models:/")
    assert logged(client, ours) == logged(client, theirs)
    run = client.get_run(run.info.run_id)
    assert {output.model_id for output in run.outputs.model_outputs} == {ours, theirs}


def test_what_we_do_not_know_is_logged_by_mlflow(finished, monkeypatch):
    """Gaps among the example's values, another version of MLflow: its own machinery does it."""
    assert model_files.describe(finished.home.model) is not None
    gaps = INPUTS.assign(age=[1.0, None, 2.0, 3.0]).to_json(orient="split", index=False)
    (finished.home.model / "example.json").write_text(gaps, encoding="utf-8")
    assert model_files.describe(finished.home.model) is None
    (finished.home.model / "example.json").write_text(
        INPUTS.to_json(orient="split", index=False), encoding="utf-8"
    )
    monkeypatch.setattr(model_files, "_KNOWN", "0.1.")
    assert model_files.describe(finished.home.model) is None


def test_a_model_is_logged_again_only_when_it_changed(finished):
    for _ in range(2):
        sync(finished.store, finished.home)
    client, run = parent(finished)
    first = run.data.tags[MODEL_URI_TAG]
    assert len(client.search_logged_models([run.info.experiment_id])) == 1
    description = finished.home.model / "model.json"
    description.write_text(description.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    sync(finished.store, finished.home)
    assert parent(finished)[1].data.tags[MODEL_URI_TAG] != first


def test_the_status_is_the_study_s_own_after_the_model_was_logged(finished):
    sync(finished.store, finished.home)
    assert parent(finished)[1].info.status == "FINISHED"


@pytest.mark.slow
def test_mlflow_serves_the_model(finished, unused_port):
    sync(finished.store, finished.home)
    uri = parent(finished)[1].data.tags[MODEL_URI_TAG]
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": embedded_uri(finished.store),
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),  # noqa: PTH120
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    options = ["--env-manager", "local", "-h", "127.0.0.1", "-p", str(unused_port)]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", uri, *options]
    with subprocess.Popen(command, env=environment, start_new_session=True) as server:
        try:
            answer = _ask(unused_port, INPUTS.to_json(orient="split", index=False))
        finally:
            os.killpg(server.pid, 9)
    assert answer == {"predictions": TrainedModel.load(finished.home.model).predict(INPUTS).tolist()}


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _ask(port, rows):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        data=f'{{"dataframe_split": {rows}}}'.encode(),
        headers={"Content-Type": "application/json"},
    )
    deadline = time.monotonic() + 400
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read()) from error
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
