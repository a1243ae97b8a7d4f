"""What the study's run carries besides numbers: files, the data set's name, the model."""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.models import Model, ModelSignature

from hpsearch.store import StudyHome
from hpsearch.tracking.sink import Sink

MODEL_TAG: Final = "hpsearch.model"
MODEL_URI_TAG: Final = "hpsearch.model_uri"
_LOADER: Final = "hpsearch.model"
_EXAMPLE: Final = "example.json"


def attach_outputs(sink: Sink, run_id: str, home: StudyHome, result: Mapping[str, Any]) -> None:
    """Attach to the study's run what its home holds by now; doing it again changes nothing."""
    for path in (home.study_file, home.best, home.result):
        if path.exists():
            sink.client.log_artifact(run_id, str(path))
    if result.get("data"):
        _attach_dataset(sink, run_id, home, result)
    if home.model.is_dir():
        _attach_model(sink, run_id, home, result)


def _attach_dataset(sink: Sink, run_id: str, home: StudyHome, result: Mapping[str, Any]) -> None:
    """The data set by name and fingerprint: MLflow keeps one of each, and one link to the run."""
    data = result["data"]
    source = str(data.get("source", home.name))
    dataset = Dataset(
        name=source.rsplit("/", 1)[-1][:500],
        digest=str(result.get("fingerprint") or data.get("fingerprint", ""))[:36],
        source_type="local",
        source=json.dumps({"uri": source}),
        profile=json.dumps(data),
    )
    inputs = sink.client.get_run(run_id).inputs
    if inputs and any(known.dataset.digest == dataset.digest for known in inputs.dataset_inputs):
        return
    sink.client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])


def _attach_model(sink: Sink, run_id: str, home: StudyHome, result: Mapping[str, Any]) -> None:
    """The refitted winner as a pyfunc model, data only: the installed package loads it."""
    digest = _digest(home)
    if sink.client.get_run(run_id).data.tags.get(MODEL_TAG) == digest:
        return
    # a logged model belongs to the active experiment, whatever run it comes from
    mlflow.set_tracking_uri(sink.client.tracking_uri)
    mlflow.set_experiment(experiment_id=sink.experiment)
    example, signature = _example(home)
    info = Model.log(
        artifact_path=None,
        name=home.name,
        flavor=mlflow.pyfunc,
        run_id=run_id,
        loader_module=_LOADER,
        data_path=str(home.model),
        signature=signature,
        input_example=example,
        pip_requirements=[_requirement()],
        params={"trial": result.get("trial", ""), **result.get("params", {})},
    )
    sink.client.set_tag(run_id, MODEL_URI_TAG, info.model_uri)
    sink.client.set_tag(run_id, MODEL_TAG, digest)


def _digest(home: StudyHome) -> str:
    digest = hashlib.sha256()
    for path in sorted(home.model.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _example(home: StudyHome) -> tuple[Any, ModelSignature | None]:
    """Raw input rows (`example.json` beside the weights, a frame in "split" form) and their signature."""
    path = home.model / _EXAMPLE
    if not path.exists():
        return None, None
    import pandas as pd  # noqa: PLC0415
    from mlflow.models import infer_signature  # noqa: PLC0415

    from hpsearch.model import TrainedModel  # noqa: PLC0415

    frame = pd.DataFrame(**json.loads(path.read_text(encoding="utf-8")))
    whole = frame.select_dtypes("integer").columns  # as whole numbers, MLflow would refuse fractions and gaps
    frame = frame.astype(dict.fromkeys(whole, "float64"))
    return frame, infer_signature(frame, TrainedModel.load(home.model).predict(frame))


def _requirement() -> str:
    try:
        return f"hpsearch>={version('hpsearch')}"
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "hpsearch"
