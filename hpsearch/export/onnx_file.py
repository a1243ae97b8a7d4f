"""A fully connected network as an ONNX file, with the preprocessing of tables of numbers inside, and checked.

What cannot be said in ONNX is left to the caller: a model with columns of texts, or of other curves than a straight
line, takes features, which `model.preprocessor` makes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.curves import STRAIGHT
from hpsearch.data.numeric import NumericColumn
from hpsearch.data.preprocessing import Preprocessor
from hpsearch.engine import forward, probabilities
from hpsearch.engine.layout import Block
from hpsearch.errors import HpsearchError, InputError, StorageError
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
    if not model.weights.plan.is_chain:
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
    builder = _Builder()
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


def _target_curve(model: TrainedModel) -> str:
    """The curve that all targets were put on, of those that ONNX can undo.

    Raises:
        InputError: it is another one, or targets differ in it.
    """
    kinds = {curve.kind for curve in model.task.target_curves} or {"none"}
    if len(kinds) > 1 or not kinds <= {"none", "log", "sqrt"}:
        raise InputError(
            f"targets scaled by {', '.join(sorted(kinds))} are not written as ONNX; .npz holds every model"
        )
    return kinds.pop()


class _Builder:
    """Nodes and constants, one behind the other; `last` names what the last node gives."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.last = "inputs"

    def constant(self, value: NDArray[Any]) -> str:
        from onnx import numpy_helper  # noqa: PLC0415 - an extra

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, *operands: str, to: str | None = None, **attributes: Any) -> str:
        """A node on operands; its result becomes the last one."""
        from onnx import helper  # noqa: PLC0415 - an extra

        result = to or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(operands), [result], **attributes))
        self.last = result
        return result

    def scale_inputs(self, columns: Sequence[NumericColumn]) -> None:
        """Fill, shift and scale in double precision, as the preprocessor does."""
        fill, center, scale = (
            self.constant(np.array([getattr(column, name) for column in columns], np.float64))
            for name in ("fill", "center", "scale")
        )
        missing = self.add("IsNaN", "inputs")
        filled = self.add("Where", missing, fill, "inputs")
        shifted = self.add("Sub", filled, center)
        self._cast(self.add("Div", shifted, scale), np.float32)

    def _cast(self, operand: str, kind: Any) -> str:
        from onnx import helper  # noqa: PLC0415 - an extra

        result = f"n{len(self.nodes)}"
        code = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
        self.nodes.append(helper.make_node("Cast", [operand], [result], to=code))
        self.last = result
        return result

    def network(self, model: TrainedModel) -> None:
        """The layers, from the inputs to the raw outputs."""
        weights = model.weights
        for node in weights.plan.nodes:
            match node.layer.kind:
                case "flatten":
                    self.add("Flatten", self.last)
                case "dense":
                    (block,) = node.blocks
                    weight, bias = _arrays(block, weights.parameters)
                    self.add("Gemm", self.last, self.constant(weight), self.constant(bias))
                case "activation":
                    if node.layer["function"] != "identity":
                        _ACTIVATIONS[node.layer["function"]](self)

    def classes(self, model: TrainedModel) -> list[Any]:
        """Probabilities, and the position of the greatest."""
        from onnx import TensorProto, helper  # noqa: PLC0415 - an extra

        if model.loss == "binary_cross_entropy":
            chance = self.add("Sigmoid", self.last)
            other = self.add("Sub", self.constant(np.array(1, np.float32)), chance)
            self.add("Concat", other, chance, to="probabilities", axis=1)
        else:
            self.add("Softmax", self.last, to="probabilities", axis=1)
        self.add("ArgMax", "probabilities", to="class", axis=1, keepdims=0)
        width = len(model.task.classes)
        return [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", width]),
            helper.make_tensor_value_info("class", TensorProto.INT64, ["rows"]),
        ]

    def numbers(self, model: TrainedModel) -> list[Any]:
        """Targets in their own units, in double precision."""
        from onnx import TensorProto, helper  # noqa: PLC0415 - an extra

        task = model.task
        scaled = self._cast(self.last, np.float64)
        grown = self.add("Mul", scaled, self.constant(np.array(task.target_scale, np.float64)))
        own = self.add("Add", grown, self.constant(np.array(task.target_mean, np.float64)))
        curve = _target_curve(model)
        if curve != "none":
            size = self.add("Abs", own)
            if curve == "log":
                grown = self.add("Exp", size)
                size = self.add("Sub", grown, self.constant(np.array(1, np.float64)))
            else:
                size = self.add("Mul", size, size)
            own = self.add("Mul", self.add("Sign", own), size)
        self.add("Identity", own, to="prediction")
        width = len(task.target_names)
        return [helper.make_tensor_value_info("prediction", TensorProto.DOUBLE, ["rows", width])]


def _arrays(block: Block, parameters: NDArray[Any]) -> Iterator[NDArray[Any]]:
    yield block.weights_of(parameters)
    yield parameters[block.biases]


def _silu(builder: _Builder) -> None:
    before = builder.last
    builder.add("Mul", before, builder.add("Sigmoid", before))


_ACTIVATIONS: Final = {
    "relu": lambda builder: builder.add("Relu", builder.last),
    "leaky_relu": lambda builder: builder.add("LeakyRelu", builder.last, alpha=0.01),
    "sigmoid": lambda builder: builder.add("Sigmoid", builder.last),
    "tanh": lambda builder: builder.add("Tanh", builder.last),
    "gelu": lambda builder: builder.add("Gelu", builder.last, approximate="tanh"),
    "silu": _silu,
}


def _deviation(model: TrainedModel, path: Path, *, raw: bool, columns: int) -> float:
    """The greatest difference of onnxruntime's outputs from the model's: of probabilities, or relative to targets."""
    import onnxruntime  # noqa: PLC0415 - an extra

    rng = np.random.default_rng(0)
    shape = (_ROWS, *_shape(model, columns))
    features = rng.standard_normal(shape).astype(np.float32)
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
