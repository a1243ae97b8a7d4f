"""What the study's run carries besides numbers: files, the data set's name, the model."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from hpsearch.store import StudyHome
from hpsearch.tracking.registration import registration
from hpsearch.tracking.sink import DatasetUse, Sink

MODEL_TAG: Final = "hpsearch.model"
MODEL_URI_TAG: Final = "hpsearch.model_uri"


def attach_outputs(
    sink: Sink, run_id: str, home: StudyHome, result: Mapping[str, Any], *, split: str | None
) -> None:
    """Attach to the study's run what its home holds by now; doing it again changes nothing."""
    for path in (
        home.study_file,
        home.best,
        home.result,
        home.nested,
        home.card,
        *home.pictures,
        home.report,
    ):
        if path.exists():
            sink.attach_file(run_id, path)
    if result.get("data"):
        _attach_dataset(sink, run_id, home, result)
    if home.model.is_dir():
        _attach_model(sink, run_id, home, result, split)


def _attach_dataset(sink: Sink, run_id: str, home: StudyHome, result: Mapping[str, Any]) -> None:
    """The data set by name and fingerprint: MLflow keeps one of each, and one link to the run."""
    data = result["data"]
    source = str(data.get("source", home.name))
    sink.use_dataset(
        run_id,
        DatasetUse(
            name=source.rsplit("/", 1)[-1][:500],
            digest=str(result.get("fingerprint") or data.get("fingerprint", ""))[:36],
            source_type="local",
            source=json.dumps({"uri": source}),
            profile=json.dumps(data),
            context="training",
        ),
    )


def _attach_model(
    sink: Sink, run_id: str, home: StudyHome, result: Mapping[str, Any], split: str | None
) -> None:
    """The refitted winner as a pyfunc model, data only, which the installed package loads; and its version."""
    digest = _digest(home)
    if sink.tag_of_run(run_id, MODEL_TAG) == digest:
        return
    uri = sink.log_model(run_id, home, {"trial": result.get("trial", ""), **result.get("params", {})})
    if new := registration(home, uri, run_id, result, split=split):
        sink.register(new)
    sink.tag_run(run_id, {MODEL_URI_TAG: uri, MODEL_TAG: digest})


def _digest(home: StudyHome) -> str:
    digest = hashlib.sha256()
    for path in sorted(home.model.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
