"""The data as training sees it: read-only float32 arrays, the task, and a sealed test part."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpsearch.data.curves import Curve
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    from hpsearch.data.kinds import Preparer

Label = str | int | float | bool
TaskKind = Literal["regression", "binary", "multiclass"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be learned, inferred from the target (or declared).

    `classes` are the original labels in order (classification); class id i in the arrays means `classes[i]`.
    `target_mean` and `target_scale` (one a target) undo the targets' scaling: own unit = scaled * scale + mean, which
    lies on the target's curve where there are `target_curves`.
    """

    kind: TaskKind
    target_names: tuple[str, ...]
    classes: tuple[Label, ...] = ()
    target_mean: tuple[float, ...] = ()
    target_scale: tuple[float, ...] = ()
    target_curves: tuple[Curve, ...] = ()

    @property
    def is_classification(self) -> bool:
        """Whether targets are classes."""
        return self.kind != "regression"

    def outputs(self, loss: str) -> int:
        """How many numbers the network's last layer gives under a loss (binary cross entropy needs one)."""
        if not self.is_classification:
            return len(self.target_names)
        return 1 if loss == "binary_cross_entropy" else len(self.classes)

    def default_loss(self) -> str:
        """The loss that maximum likelihood suggests for the task."""
        return {"regression": "mse", "binary": "binary_cross_entropy", "multiclass": "cross_entropy"}[
            self.kind
        ]

    def encode(self, targets: ArrayLike) -> NDArray[np.generic]:
        """Targets as training sees them: labels (N,) -> int32 ids (N,); numbers (N, T) -> scaled float32.

        Raises:
            DataError: a label is none of `classes`.
        """
        if not self.is_classification:
            values = np.asarray(targets, dtype=np.float64).reshape(-1, len(self.target_names))
            straight = self._on_curves(values, Curve.apply)
            scaled = (straight - np.array(self.target_mean)) / np.array(self.target_scale)
            return np.ascontiguousarray(scaled, dtype=np.float32)
        labels = np.asarray(targets, dtype=object).reshape(-1)
        ids = {label: i for i, label in enumerate(self.classes)}
        unknown = next((label for label in labels if label not in ids), None)
        if unknown is not None:
            name = self.target_names[0]
            raise DataError(
                Problem(place="targets", key=f"column {name!r}", rule=f"{unknown!r} is not a known class")
            )
        return np.array([ids[label] for label in labels], dtype=np.int32)

    def decode(self, ids: ArrayLike) -> NDArray[Any]:
        """Class ids as the original labels, in their own type."""
        return np.asarray(np.array(self.classes)[np.asarray(ids)])

    def unscale(self, y: ArrayLike) -> NDArray[np.float64]:
        """Scaled regression targets (..., T) in their own units."""
        scaled: NDArray[np.float64] = np.asarray(y, dtype=np.float64)
        straight = np.asarray(scaled * np.array(self.target_scale) + np.array(self.target_mean))
        return self._on_curves(straight, Curve.undo)

    def _on_curves(
        self, values: NDArray[np.float64], step: Callable[[Curve, NDArray[np.float64]], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """A step of each target's curve done to (..., T) values."""
        if not self.target_curves:
            return values
        targets = [step(curve, values[..., i]) for i, curve in enumerate(self.target_curves)]
        return np.stack(targets, axis=-1)

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values; `from_json` gives an equal task back."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Task":
        """The task that `to_json` described."""
        sequences = ("target_names", "classes", "target_mean", "target_scale")
        curves = tuple(map(Curve.from_json, stored.get("target_curves", ())))
        return cls(
            kind=stored["kind"], target_curves=curves, **{name: tuple(stored[name]) for name in sequences}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Inputs and their targets.

    `x`: tables (N, D), images (N, H, W, C) or sequences (N, T, D) float32, tokens (N, T) int32. `lengths`: of
    sequences of different length, the (N,) int32 steps that each has; behind them x is zero (token 0). `y`:
    (N,) int32 ids or (N, T) float32, scaled. `weights`: (N,) what each sample's loss is multiplied by in training;
    `epoch`: the rows of an epoch, where some come more than once.
    """

    x: NDArray[Any]
    y: NDArray[np.generic]
    lengths: NDArray[np.int32] | None = None
    weights: NDArray[np.float32] | None = None
    epoch: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one input: (D,), (H, W, C), (T, D) or (T,)."""
        return self.x.shape[1:]


def frozen(x: NDArray[Any], y: NDArray[np.generic], lengths: NDArray[np.int32] | None = None) -> Part:
    """A part whose arrays are C-contiguous and cannot be written to."""
    arrays = [np.ascontiguousarray(array) for array in (x, y)]
    if lengths is not None:
        arrays.append(np.ascontiguousarray(lengths, dtype=np.int32))
    for array in arrays:
        array.setflags(write=False)
    return Part(x=arrays[0], y=arrays[1], lengths=arrays[2] if arrays[2:] else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedColumn:
    """A place along the last axis of `x` that numbers categories, from 1 to `categories`; 0 is no known one."""

    name: str
    place: int
    categories: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """What one network learns from and is judged on. `task` has the targets' scaling as fitted on `train`."""

    train: Part
    validation: Part
    task: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Trained arrays that networks begin from, each with its name."""

    names: tuple[str, ...]
    arrays: tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingData:
    """All that a worker gets: never the test part.

    A trial trains a network for each fold and, from other random numbers, each of `seeds`: its members, in the order
    of the seeds and within each of the folds. `tokens` is how many token numbers there are, where inputs are tokens;
    `embedded` are the columns of a table that hold numbers of categories.
    """

    folds: tuple[Fold, ...]
    seeds: int = 1
    tokens: int | None = None
    embedded: tuple[EmbeddedColumn, ...] = ()
    start: Start | None = None

    @property
    def members(self) -> int:
        """How many networks a trial trains."""
        return len(self.folds) * self.seeds

    def fold_of(self, member: int) -> int:
        """The fold from which a member learns."""
        return member % len(self.folds)

    @property
    def task(self) -> Task:
        """The task, with the scaling of the first fold."""
        return self.folds[0].task

    @property
    def train(self) -> Part:
        """The training part of the first fold."""
        return self.folds[0].train

    @property
    def validation(self) -> Part:
        """The validation part of the first fold."""
        return self.folds[0].validation


@dataclass(frozen=True, slots=True, kw_only=True)
class RefitData:
    """Training and validation rows as one part, with preprocessing and target scaling fitted on both."""

    part: Part
    preprocessor: "Preparer"
    task: Task

    @property
    def tokens(self) -> int | None:
        """How many token numbers there are; None where inputs are no tokens."""
        return self.preprocessor.tokens

    @property
    def embedded(self) -> tuple[EmbeddedColumn, ...]:
        """The columns of a table that hold numbers of categories."""
        return self.preprocessor.embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSummary:
    """The data in numbers, for people and for MLflow."""

    source: str
    rows: int
    inputs: int
    features: int
    targets: tuple[str, ...]
    train_rows: int
    validation_rows: int
    test_rows: int
    fingerprint: str
    folds: int = 1
    seeds: int = 1
    class_counts: dict[str, int] = field(default_factory=dict)
