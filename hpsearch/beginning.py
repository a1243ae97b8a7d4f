"""Where a study's networks begin: at random, or from trained weights that `model.initialize_from` names."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from hpsearch.architecture import inputs_of_data
from hpsearch.data import PreparedData
from hpsearch.data.prepared import Start
from hpsearch.engine import plan_of
from hpsearch.engine.warm_start import start_of, taken
from hpsearch.errors import HpsearchError, SpecError
from hpsearch.model import TrainedModel
from hpsearch.spec import StudySpec
from hpsearch.spec.hyperparameters import Hyperparameters
from hpsearch.store import Store


def with_start(spec: StudySpec, data: PreparedData, store: Store) -> PreparedData:
    """The data with the weights that networks begin from, if the study names any.

    Raises:
        SpecError: there is no such study or model, or it cannot be read.
    """
    if spec.model.initialize_from is None:
        return data
    start = start_of(_model(spec, store).weights)
    return replace(data, training=replace(data.training, start=start))


def fingerprint(start: Start | None) -> str | None:
    """The first 16 hexadecimal digits of a SHA-256 of names, shapes and numbers; None where there is no start."""
    if start is None:
        return None
    digest = hashlib.sha256()
    for name, array in zip(start.names, start.arrays, strict=True):
        digest.update(f"{name} {array.shape} {array.dtype.str}\0".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def beginning(spec: StudySpec, data: PreparedData, h: Hyperparameters) -> str | None:
    """What a trial's network takes from where the study begins, in words; None where it begins at random."""
    start = data.training.start
    if start is None:
        return None
    plan = plan_of(h, inputs_of_data(data), data.task.outputs(h.loss), np.dtype(np.float32))
    return f"{taken(plan, start)} from {spec.model.initialize_from}"


def _model(spec: StudySpec, store: Store) -> TrainedModel:
    """The model in a directory, seen from the study file, or that of a study in the store."""
    named = str(spec.model.initialize_from)
    path = ("model", "initialize_from")
    directory = spec.base / Path(named).expanduser()
    try:
        if (directory / "model.json").is_file():
            return TrainedModel.load(directory)
        home = store.find(named)
        if (home.model / "model.json").is_file():
            return TrainedModel.load(home.model)
    except HpsearchError as error:
        remedy = "name a study of the store that has come to its end, or the directory of a saved model"
        raise SpecError(spec.problem(path, str(error), remedy)) from error
    rule = f"study {home.key!r} has no refitted winner yet"
    raise SpecError(spec.problem(path, rule, "let `hpsearch run` come to its end there first"))
