"""A trained network with its preprocessing inside: predicts on raw inputs; kept as arrays and JSON, never pickled."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.kinds import Preparer, preparer_from_json
from hpsearch.data.prepared import Task
from hpsearch.engine import Plan, Weights, forward, probabilities
from hpsearch.errors import InputError, StorageError

_FORMAT: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A network that predicts on raw inputs.

    `about` says where it comes from (study, trial, scores); it has no influence on predictions.
    """

    weights: Weights = field(repr=False)
    loss: str
    task: Task
    preprocessor: Preparer = field(repr=False)
    about: Mapping[str, Any] = field(default_factory=dict)

    def predict(self, inputs: Any) -> NDArray[Any]:
        """Predict classes (N,), or targets (N,) / (N, T) in their own units.

        `inputs`: a DataFrame with the training data's columns, or rows of numbers in their order.

        Raises:
            DataError: a column is missing, or holds what it cannot.
        """
        outputs = self._outputs(inputs)
        if self.task.is_classification:
            ids = probabilities(outputs, self.loss).argmax(axis=-1)
            return np.asarray(self.task.decode(ids))
        values: NDArray[Any] = self.task.unscale(outputs)
        return values[:, 0] if values.shape[1] == 1 else values

    def predict_proba(self, inputs: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, (N, C), in the order of `task.classes`.

        Raises:
            InputError: the model predicts numbers, not classes.
            DataError: as `predict`.
        """
        if not self.task.is_classification:
            raise InputError("predict_proba: this model predicts numbers, not classes; use predict")
        return np.asarray(probabilities(self._outputs(inputs), self.loss), dtype=np.float64)

    def _outputs(self, inputs: Any) -> NDArray[np.float32]:
        x, lengths = self.preprocessor.prepare(inputs)
        return forward(self.weights, x, lengths)

    def save(self, directory: Path) -> None:
        """Write `weights.npz` and `model.json` into an existing directory."""
        arrays: dict[str, Any] = self.weights.arrays()
        np.savez(directory / "weights.npz", **arrays)
        description = {
            "format": _FORMAT,
            "network": self.weights.plan.to_json(),
            "loss": self.loss,
            "task": self.task.to_json(),
            "preprocessor": self.preprocessor.to_json(),
            "about": dict(self.about),
        }
        (directory / "model.json").write_text(json.dumps(description, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> "TrainedModel":
        """Read what `save` wrote. Nothing in the files is executed.

        Raises:
            StorageError: the files are missing, damaged or of a newer format.
        """
        try:
            description = json.loads((directory / "model.json").read_text(encoding="utf-8"))
            if description["format"] not in _WEIGHTS:
                raise StorageError(
                    f"{directory}: model format {description['format']} is not known to this version of "
                    f"hpsearch (it reads up to {_FORMAT}); upgrade hpsearch"
                )
            # opened here: NumPy leaves a damaged archive open
            with (
                (directory / "weights.npz").open("rb") as file,
                np.load(file, allow_pickle=False) as arrays,
            ):
                weights = _WEIGHTS[description["format"]](description, arrays)
            return cls(
                weights=weights,
                loss=description["loss"],
                task=Task.from_json(description["task"]),
                preprocessor=preparer_from_json(description["preprocessor"]),
                about=description["about"],
            )
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise StorageError(
                f"{directory}: the model cannot be read ({error}); refit it by running the study"
            ) from error


def _dense_weights(description: Mapping[str, Any], arrays: Mapping[str, Any]) -> Weights:
    """Format 1: fully connected networks, a weight and a bias a layer."""
    layers = [(arrays[f"weight_{index}"], arrays[f"bias_{index}"]) for index in range(description["layers"])]
    return Weights.dense(layers, description["activation"])


def _weights(description: Mapping[str, Any], arrays: Mapping[str, Any]) -> Weights:
    """Format 2: any network, its layers described, its arrays named after them."""
    plan = Plan.from_json(description["network"], np.dtype(np.float32))
    return Weights.from_arrays(plan, arrays)


_WEIGHTS: Final = {1: _dense_weights, 2: _weights}
"""How each format holds its weights."""


class _PyfuncModel:
    """What `mlflow.pyfunc` calls."""

    def __init__(self, model: TrainedModel) -> None:
        self._model = model

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> NDArray[Any]:
        """Predict classes or values; `params` is accepted as MLflow's protocol asks, and has no use here."""
        del params
        return self._model.predict(model_input)


def _load_pyfunc(path: str) -> _PyfuncModel:
    """MLflow's entry point: the model under a local path."""
    return _PyfuncModel(TrainedModel.load(Path(path)))
