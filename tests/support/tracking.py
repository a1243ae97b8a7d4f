"""Studies on disk, as the tracking package finds them, and what MLflow holds of them."""

import http.client
import http.server
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hpsearch.search.fact import TrialFact
from hpsearch.search.facts import FactStore
from hpsearch.store import Store, StudyHome
from hpsearch.tracking.card import StudyCard
from hpsearch.tracking.identity import Identity
from tests.support.facts import facts
from tests.support.servers import served

STUDY_FILE = """
study: {name}
data: {{source: sklearn/digits}}
space:
  epochs: {{min: 5, max: 50}}
  batch_size: [16, 32, 64, 128]
  learning_rate: {{min: 1.0e-4, max: 0.1, log: true}}
  optimizer: [sgd, momentum, adam, rmsprop]
  dropout: {{min: 0.0, max: 0.5}}
  l2: {{min: 1.0e-6, max: 0.1, log: true}}
"""
RESULT = {
    "study": "digits",
    "trial": 5,
    "params": {"learning_rate": 0.0074, "optimizer": "sgd"},
    "test": {"accuracy": {"value": 0.97, "low": 0.95, "high": 0.98}},
    "baselines": {"majority class": {"accuracy": 0.1}, "logistic regression": {"accuracy": 0.95}},
    "data": {"source": "sklearn/digits", "rows": 1797, "features": 64, "fingerprint": "abc123"},
    "fingerprint": "abc123",
    "epochs": 17,
    "seconds": 1.5,
}
CARD = StudyCard(
    key="digits",
    identity=Identity(creation="c0ffee" * 5 + "00", user="ann", versions={"python": "3.11.0"}),
    objectives=(("validation_loss", "minimize"),),
    searched=("epochs", "batch_size", "learning_rate", "optimizer", "dropout", "l2"),
    log_scaled=frozenset({"learning_rate", "l2"}),
    settings={"seed": 0, "sampler": "tpe"},
)


@dataclass
class Study:
    """A study's home and its open facts."""

    store: Store
    home: StudyHome
    facts: FactStore

    def add(self, *more: TrialFact) -> None:
        """Append trials."""
        for fact in more:
            self.facts.append(fact)


def make_study(store: Store, *, count: int, name: str = "digits") -> Study:
    """A new generation of a study with made-up trials."""
    home = store.new_generation(name)
    home.path.mkdir(parents=True)
    home.study_file.write_text(STUDY_FILE.format(name=name), encoding="utf-8")
    study = Study(store, home, FactStore.create(home.facts, study=home.key, directions=["minimize"]))
    study.add(*facts(count))
    return study


def finish_study(study: Study) -> None:
    """What a finished search leaves besides its facts (but for the model)."""
    study.home.result.write_text(json.dumps(RESULT), encoding="utf-8")
    study.home.best.write_text("learning_rate: 0.0074\n", encoding="utf-8")


def shown(uri: str, experiment: str) -> list[dict[str, Any]]:
    """All that MLflow holds of an experiment's active runs by name, without what MLflow makes up."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name(experiment)
    runs = client.search_runs([found.experiment_id], max_results=1000)
    return sorted((_content(client, run) for run in runs), key=lambda run: run["name"])


def alike(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What `shown` gives, without what is another in every place: the user, the model's address, ids in links."""
    return [
        {
            **{key: value for key, value in run.items() if key != "user"},
            "tags": {
                key: re.sub(r"#/experiments/\d+/runs(/[0-9a-f]{32})?", "#", value)
                for key, value in run["tags"].items()
                if key != "hpsearch.model_uri"
            },
        }
        for run in runs
    ]


def _content(client: Any, run: Any) -> dict[str, Any]:
    histories = {
        key: sorted(
            (p.step, p.timestamp, repr(p.value)) for p in client.get_metric_history(run.info.run_id, key)
        )
        for key in run.data.metrics
    }
    info = run.info
    return {
        "name": info.run_name,
        "status": info.status,
        "start": info.start_time,
        "end": info.end_time,
        "user": info.user_id,
        "params": run.data.params,
        "tags": {key: value for key, value in run.data.tags.items() if key != "mlflow.parentRunId"},
        "latest": {key: repr(value) for key, value in run.data.metrics.items()},
        "histories": histories,
        "datasets": [(d.dataset.name, d.dataset.digest) for d in run.inputs.dataset_inputs],
    }


@contextmanager
def broken_server(status: int = 500):
    """A server that answers every request with an error. Its address and the list of paths asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def _refuse(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PATCH = do_PUT = _refuse  # noqa: N815 - http.server's names

        def log_message(self, *arguments: Any) -> None:
            """Nothing on stderr."""

    with served(Handler) as address:
        yield address, asked


@contextmanager
def counting_proxy(target: str):
    """A server that hands every request on to another. Its address and the list of paths asked for."""
    asked: list[str] = []
    there = urlsplit(target)

    class Handler(http.server.BaseHTTPRequestHandler):
        def _hand_on(self) -> None:
            asked.append(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection(there.hostname or "", there.port, timeout=60)
            kept = {name: value for name, value in self.headers.items() if name != "Host"}
            connection.request(self.command, self.path, body=body or None, headers=kept)
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _hand_on  # noqa: N815 - http.server's names

        def log_message(self, *arguments: Any) -> None:
            """Nothing on stderr."""

    with served(Handler) as address:
        yield address, asked
