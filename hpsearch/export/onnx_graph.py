"""The graph of a model in ONNX: nodes and constants, layer by layer."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.numeric import NumericColumn
from hpsearch.engine import Plan
from hpsearch.engine.layout import Block
from hpsearch.engine.planner import Node
from hpsearch.errors import InputError
from hpsearch.model import TrainedModel

_LAYERS: Final = {"column_embedding", "flatten", "dense", "activation", "dropout"}


def is_writable(plan: Plan) -> bool:
    """Whether ONNX is told of all layers of a network."""
    return {node.layer.kind for node in plan.nodes} <= _LAYERS


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


class GraphBuilder:
    """Nodes and constants, one behind the other; `last` names what the last node gives."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.last = "inputs"

    def constant(self, value: NDArray[Any]) -> str:
        """The name of a constant."""
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
                case "column_embedding":
                    self._vectors(node, weights.parameters)
                case "flatten":
                    self.add("Flatten", self.last)
                case "dense":
                    (block,) = node.blocks
                    weight, bias = _arrays(block, weights.parameters)
                    self.add("Gemm", self.last, self.constant(weight), self.constant(bias))
                case "activation":
                    if node.layer["function"] != "identity":
                        _ACTIVATIONS[node.layer["function"]](self)

    def _vectors(self, node: Node, parameters: NDArray[Any]) -> None:
        """A vector for each number of a category, beside the other features."""
        features, parts, start = self.last, [], 0
        for place, block in zip(node.layer["places"], node.blocks, strict=True):
            parts += self._slice(features, start, place)
            (number,) = self._slice(features, place, place + 1)
            ids = self.add("Squeeze", self._cast(number, np.int64), self.constant(np.array([1])))
            parts.append(self.add("Gather", self.constant(block.weights_of(parameters)), ids))
            start = place + 1
        parts += self._slice(features, start, *node.before)
        self.add("Concat", *parts, axis=1)

    def _slice(self, features: str, start: int, end: int) -> list[str]:
        """Some of the features, if these are any."""
        if start == end:
            return []
        bounds = [self.constant(np.array([number])) for number in (start, end, 1)]
        return [self.add("Slice", features, *bounds)]

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


def _silu(builder: GraphBuilder) -> None:
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
