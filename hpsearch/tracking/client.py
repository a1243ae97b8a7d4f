"""Runs through MLflow's client: for servers, other databases, and schemas that we do not know."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature

from hpsearch.store import StudyHome
from hpsearch.tracking.card import StudyCard
from hpsearch.tracking.model_files import EXAMPLE, LOADER, requirement
from hpsearch.tracking.place import artifact_place
from hpsearch.tracking.projection import COMPLETE_TAG, CREATION_TAG, PROJECTION, TRIAL_TAG
from hpsearch.tracking.record import Point, RunRecord
from hpsearch.tracking.registration import Registration, register_by_client
from hpsearch.tracking.sink import DatasetUse

_METRICS: Final = 800  # a request takes 1,000 entries; parameters and tags are at most 100 each
_PAGE: Final = 1000
_STUDY: Final = "study"


def ensure_experiment(client: MlflowClient, card: StudyCard, *, root: Path | None = None) -> str:
    """The id of the study's experiment: made, or brought back from the deleted, when need be.

    `root`: where a new experiment's artifacts go, None to leave it to the server.
    """
    found = client.get_experiment_by_name(card.experiment)
    if found is None:
        location = None if root is None else artifact_place(root, card.experiment)
        try:
            return str(client.create_experiment(card.experiment, artifact_location=location))
        except MlflowException as error:
            found = client.get_experiment_by_name(card.experiment)  # perhaps someone else was faster
            if found is None:
                raise error from None
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def runs_of(uri: str, creation: str) -> tuple[MlflowClient, list[str]]:
    """A client, and the ids of all active runs of the study with this creation id, whatever their experiment."""
    client = MlflowClient(tracking_uri=uri)
    experiments = [each.experiment_id for each in client.search_experiments(view_type=ViewType.ACTIVE_ONLY)]
    found: list[str] = []
    token = None
    while experiments:
        page: Any = client.search_runs(
            experiments,
            filter_string=f"tags.`{CREATION_TAG}` = '{creation}'",
            max_results=_PAGE,
            page_token=token,
        )
        found += [str(run.info.run_id) for run in page]
        if not (token := page.token):
            break
    return client, found


class ClientSink:
    """Writes runs one by one; finds those that are there by their tags.

    A run bears the tag `hpsearch.projection` last: one without it was cut off halfway, and is written over.
    MLflow keeps equal parameters and points once, so that completes it.
    """

    def __init__(self, uri: str, card: StudyCard, *, artifacts: Path | None = None) -> None:
        self.client = MlflowClient(tracking_uri=uri)
        self._creation = card.identity.creation
        self.experiment = ensure_experiment(self.client, card, root=artifacts)
        self._runs: dict[str, str] = {}
        self._whole: set[int] = set()
        self._sent: set[Point] = set()

    def projected(self, numbers: Sequence[int]) -> set[int]:
        """Those of the trials that were whole at the last survey, or were written since."""
        return self._whole & set(numbers)

    def write(self, records: Sequence[RunRecord]) -> None:
        """Write trials one by one, each marked as whole when it is."""
        for record in records:
            self._write(str(record.number), record)
            if record.number is not None:
                self._whole.add(record.number)

    def write_study(self, record: RunRecord) -> str:
        """As it is written again and again, only points that are new since the last survey are sent."""
        new = [point for point in record.points if point not in self._sent]
        run_id = self._write(_STUDY, replace(record, points=new))
        self._sent.update(new)
        return run_id

    def run_ids(self) -> dict[str, str]:
        """The ids that MLflow gave to the runs, by trial number, and to the study's under "study"."""
        return dict(self._runs)

    def tag_experiment(self, key: str, value: str) -> None:
        """Set one tag of the experiment."""
        self.client.set_experiment_tag(self.experiment, key, value)

    def tag_of_run(self, run_id: str, key: str) -> str | None:
        """One tag of a run."""
        found = self.client.get_run(run_id).data.tags.get(key)
        return None if found is None else str(found)

    def tag_run(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run."""
        for key, value in tags.items():
            self.client.set_tag(run_id, key, value)

    def attach_file(self, run_id: str, path: Path) -> None:
        """Put a file among a run's artifacts."""
        self.client.log_artifact(run_id, str(path))

    def use_dataset(self, run_id: str, dataset: DatasetUse) -> None:
        """Link a data set to a run, unless it is."""
        inputs = self.client.get_run(run_id).inputs
        if inputs and any(known.dataset.digest == dataset.digest for known in inputs.dataset_inputs):
            return
        entity = Dataset(
            name=dataset.name,
            digest=dataset.digest,
            source_type=dataset.source_type,
            source=dataset.source,
            profile=dataset.profile,
        )
        tag = InputTag("mlflow.data.context", dataset.context)
        self.client.log_inputs(run_id, [DatasetInput(entity, [tag])])

    def log_model(self, run_id: str, home: StudyHome, params: Mapping[str, Any]) -> str:
        """Log the model of a study's home; its URI."""
        return log_model(self.client, self.experiment, run_id, home, params)

    def register(self, new: Registration) -> None:
        """Enter a version of the study's model, and move the alias to it if it is better."""
        register_by_client(self.client, new)

    def survey(self) -> None:
        """Find the study's runs; bring deleted ones back, and put those of an older projection away."""
        self._runs, self._whole, self._sent = {}, set(), set()
        for run in self._search():
            tags, run_id = run.data.tags, run.info.run_id
            name = tags.get(TRIAL_TAG, _STUDY)
            deleted = run.info.lifecycle_stage == "deleted"
            outdated = tags.get(COMPLETE_TAG, PROJECTION) != PROJECTION
            if name in self._runs or (outdated and deleted):
                continue
            if outdated:
                self.client.delete_run(run_id)  # parameters of a run cannot be changed
                continue
            if deleted:
                self.client.restore_run(run_id)
            self._runs[name] = run_id
            if name != _STUDY and COMPLETE_TAG in tags:
                self._whole.add(int(name))

    def _search(self) -> Iterator[Run]:
        """The study's runs, active ones first."""
        for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY):
            token = None
            while True:
                page: Any = self.client.search_runs(
                    [self.experiment],
                    filter_string=f"tags.`{CREATION_TAG}` = '{self._creation}'",
                    run_view_type=view,
                    max_results=_PAGE,
                    page_token=token,
                )
                yield from page
                if not (token := page.token):
                    break

    def _write(self, name: str, record: RunRecord) -> str:
        """Three requests for a new run: made with its tags, given its status, filled."""
        late_tags: Mapping[str, str] = record.tags
        if name not in self._runs:
            run = self.client.create_run(
                self.experiment, start_time=record.start, tags=dict(record.tags), run_name=record.name
            )
            self._runs[name], late_tags = str(run.info.run_id), {}
        run_id = self._runs[name]
        if record.status == "RUNNING":
            self.client.update_run(run_id, status="RUNNING")
        else:
            self.client.set_terminated(run_id, status=record.status, end_time=record.end)
        self._fill(run_id, record, {**late_tags, COMPLETE_TAG: PROJECTION})
        return run_id

    def _fill(self, run_id: str, record: RunRecord, tags: Mapping[str, str]) -> None:
        """Within one request MLflow writes parameters, then metrics, then tags."""
        metrics = [Metric(point.key, point.value, point.timestamp, point.step) for point in record.points]
        while len(metrics) > _METRICS:
            self.client.log_batch(run_id, metrics=metrics[:_METRICS])
            metrics = metrics[_METRICS:]
        self.client.log_batch(
            run_id,
            metrics=metrics,
            params=[Param(key, value) for key, value in record.params.items()],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )


def log_model(
    client: MlflowClient, experiment: str, run_id: str, home: StudyHome, params: Mapping[str, Any]
) -> str:
    """Log the model of a study's home by MLflow itself; its URI."""
    # a logged model belongs to the active experiment, whatever run it comes from
    mlflow.set_tracking_uri(client.tracking_uri)
    mlflow.set_experiment(experiment_id=experiment)
    example, signature = _example(home)
    info = Model.log(
        artifact_path=None,
        name=home.name,
        flavor=mlflow.pyfunc,
        run_id=run_id,
        loader_module=LOADER,
        data_path=str(home.model),
        signature=signature,
        input_example=example,
        pip_requirements=[requirement()],
        params=dict(params),
    )
    return str(info.model_uri)


def _example(home: StudyHome) -> tuple[Any, ModelSignature | None]:
    """Raw input rows (`example.json` beside the weights, a frame in "split" form) and their signature."""
    path = home.model / EXAMPLE
    if not path.exists():
        return None, None
    import pandas as pd  # noqa: PLC0415
    from mlflow.models import infer_signature  # noqa: PLC0415

    from hpsearch.model import TrainedModel  # noqa: PLC0415

    frame = pd.DataFrame(**json.loads(path.read_text(encoding="utf-8")))
    whole = frame.select_dtypes("integer").columns  # as whole numbers, MLflow would refuse fractions and gaps
    frame = frame.astype(dict.fromkeys(whole, "float64"))
    return frame, infer_signature(frame, TrainedModel.load(home.model).predict(frame))
