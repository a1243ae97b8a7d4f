"""A fully connected network as an ONNX file, with the preprocessing of tables of numbers inside, and checked.

What cannot be said in ONNX is left to the caller: a model with columns of texts, or of other curves than a straight
line, takes features, which `model.preprocessor` makes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from hpsearch.data.curves import STRAIGHT
from hpsearch.data.numeric import NumericColumn
from hpsearch.data.preprocessing import Preprocessor
from hpsearch.engine import forward, probabilities
from hpsearch.errors import HpsearchError, InputError, StorageError
from hpsearch.export.onnx_graph import GraphBuilder, is_writable
from hpsearch.model import TrainedModel

TOLERANCE: Final = 1e-5
_OPSET: Final = 20  # the first that has Gelu
_ROWS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxFile:
    """What was written: whether it takes raw numbers ("inputs") or "features", and the greatest deviation found."""

    path: Path
    takes: str
    columns: tuple[str, ...]
    outputs: tuple[str, ...]
    deviation: float


def write_onnx(model: TrainedModel, path: Path) -> OnnxFile:
    """Write a model, run it by onnxruntime, and compare.

    A classifier gives `probabilities` (N, C) and `class`, its position among the labels; a regression gives
    `prediction` (N, T) in the targets' own units. Labels and columns are in the file's metadata.

    Raises:
        InputError: the network is not fully connected, or onnx and onnxruntime are not installed.
        HpsearchError: onnxruntime computes something else, by more than 1e-5.
        StorageError: it cannot be written.
    """
    try:
        import onnx  # noqa: PLC0415 - an extra
        import onnxruntime  # noqa: F401, PLC0415 - likewise
    except ImportError as error:
        raise InputError("ONNX needs onnx and onnxruntime: pip install 'hpsearch[onnx]'") from error
    if not is_writable(model.weights.plan):
        raise InputError(
            "only fully connected networks are written as ONNX; .npz holds networks of all layers"
        )
    graph, takes, columns = _graph(model)
    written = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", _OPSET)], producer_name="hpsearch"
    )
    written.ir_version = 10
    labels = ",".join(map(str, model.task.classes))
    onnx.helper.set_model_props(written, {"columns": ",".join(columns), "classes": labels, "takes": takes})
    onnx.checker.check_model(written)
    try:
        path.write_bytes(written.SerializeToString())
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error
    outputs = ("probabilities", "class") if model.task.is_classification else ("prediction",)
    deviation = _deviation(model, path, raw=takes == "inputs", columns=len(columns))
    if not deviation <= TOLERANCE:
        raise HpsearchError(
            f"{path}: onnxruntime deviates from this model by {deviation:.2g}, more than {TOLERANCE:g}"
        )
    return OnnxFile(path=path, takes=takes, columns=tuple(columns), outputs=outputs, deviation=deviation)


def _graph(model: TrainedModel) -> tuple[Any, str, Sequence[str]]:
    import onnx  # noqa: PLC0415 - an extra

    preprocessor = model.preprocessor
    numeric = _straight(preprocessor)
    builder = GraphBuilder()
    if numeric is not None:
        takes, columns, kind = "inputs", preprocessor.feature_names, onnx.TensorProto.DOUBLE
        builder.scale_inputs(numeric)
    else:
        takes, columns, kind = "features", preprocessor.feature_names, onnx.TensorProto.FLOAT
        builder.last = takes
    builder.network(model)
    outputs = builder.classes(model) if model.task.is_classification else builder.numbers(model)
    given = [onnx.helper.make_tensor_value_info(takes, kind, ["rows", *_shape(model, len(columns))])]
    graph = onnx.helper.make_graph(builder.nodes, "hpsearch", given, outputs, list(builder.constants))
    return graph, takes, columns


def _shape(model: TrainedModel, columns: int) -> tuple[int, ...]:
    shape = model.weights.plan.inputs.shape
    return shape if len(shape) > 1 else (columns,)


def _straight(preprocessor: Any) -> list[NumericColumn] | None:
    """The columns of a table of numbers that are only shifted and scaled; None of anything else."""
    if not isinstance(preprocessor, Preprocessor) or preprocessor.components is not None:
        return None
    numeric = [column for column in preprocessor.fitted if isinstance(column, NumericColumn)]
    straight = all(column.curve == STRAIGHT and not column.indicator for column in numeric)
    return numeric if straight and len(numeric) == len(preprocessor.fitted) else None


def _deviation(model: TrainedModel, path: Path, *, raw: bool, columns: int) -> float:
    """The greatest difference of onnxruntime's outputs from the model's: of probabilities, or relative to targets."""
    import onnxruntime  # noqa: PLC0415 - an extra

    rng = np.random.default_rng(0)
    shape = (_ROWS, *_shape(model, columns))
    features = rng.standard_normal(shape).astype(np.float32)
    for column in model.weights.plan.inputs.embedded:
        features[:, column.place] = rng.integers(0, column.categories + 1, _ROWS)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    if raw:
        fitted: Any = model.preprocessor
        center, scale = (
            np.array([getattr(each, name) for each in fitted.fitted]) for name in ("center", "scale")
        )
        given = {"inputs": features * scale + center}
        features = fitted.transform(given["inputs"])
    else:
        given = {"features": features}
    found = session.run(None, given)[0]
    outputs = forward(model.weights, features)
    if model.task.is_classification:
        return float(np.abs(found - probabilities(outputs, model.loss)).max())
    expected = model.task.unscale(outputs)
    return float((np.abs(found - expected) / (np.array(model.task.target_scale) + np.abs(expected))).max())
