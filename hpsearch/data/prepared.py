"""The data as training sees it: read-only float32 arrays, the task, and a sealed test part."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

TaskKind = Literal["regression", "binary", "multiclass"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be learned, inferred from the target (or declared).

    `classes` are the original labels in order (classification); class id i in the arrays means `classes[i]`.
    `target_mean` and `target_scale` (one a target) undo the targets' standardization: own unit = scaled * scale + mean.
    """

    kind: TaskKind
    target_names: tuple[str, ...]
    classes: tuple[str | int | float | bool, ...] = ()
    target_mean: tuple[float, ...] = ()
    target_scale: tuple[float, ...] = ()

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
        return {"regression": "mse", "binary": "binary_cross_entropy", "multiclass": "cross_entropy"}[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows of inputs with their targets. `x`: (N, D) float32; `y`: (N,) int32 class ids or (N, T) float32, scaled."""

    x: NDArray[np.float32]
    y: NDArray[np.generic]

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingData:
    """All that a worker gets: never the test part."""

    task: Task
    train: Part
    validation: Part


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
    class_counts: dict[str, int] = field(default_factory=dict)
