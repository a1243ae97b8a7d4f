"""A model as one .npz file: its arrays, and what they are as JSON, readable by NumPy alone."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from hpsearch.errors import StorageError
from hpsearch.model import TrainedModel


def write_archive(model: TrainedModel, path: Path) -> None:
    """Write the arrays of a model under their names, and `model.json`, the description that stands beside them.

    `numpy.load(path, allow_pickle=False)` opens it; `json.loads(str(archive["model.json"]))` reads the description.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        with TemporaryDirectory() as directory:
            model.save(Path(directory))
            description = (Path(directory) / "model.json").read_text(encoding="utf-8")
        arrays: dict[str, Any] = {"model.json": np.array(description), **model.weights.arrays()}
        with path.open("wb") as file:
            np.savez(file, **arrays)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error
