"""What every epoch of every trial is judged on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.parts import in_memory
from hpsearch.data.prepared import Fold, Task, TrainingData
from hpsearch.data.rows import rows_of
from hpsearch.randomness import Address


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """What every epoch is judged on, fold by fold."""

    folds: tuple["FoldEvaluation", ...]

    @classmethod
    def draw(cls, data: TrainingData, seed: int) -> "EvaluationSet":
        """The evaluation set of a study: the same rows for every trial."""
        return cls(tuple(FoldEvaluation.draw(fold, seed, number) for number, fold in enumerate(data.folds)))


@dataclass(frozen=True, slots=True)
class FoldEvaluation:
    """A sample of the training part, as large as the validation part, and that part.

    Both are judged in evaluation mode (no dropout, the epoch's final weights), so that their difference is the
    generalization gap and nothing else. One forward pass serves both. Of a validation part that lies in a file,
    epochs are judged on the rows that 32 MB hold; a trial's final scores are on all of it.
    """

    x: NDArray[Any]
    lengths: NDArray[np.int32] | None
    parts: Mapping[str, tuple[slice, NDArray[np.generic]]]
    task: Task

    @classmethod
    def draw(cls, fold: Fold, seed: int, number: int) -> "FoldEvaluation":
        """The evaluation set of a fold."""
        stream = Address(seed=seed, fold=number).stream("evaluation")
        train, validation = fold.train, in_memory(fold.validation, stream)
        n = min(len(train), len(validation))
        rows = np.sort(stream.choice(len(train), size=n, replace=False))
        lengths = None
        if train.lengths is not None and validation.lengths is not None:
            lengths = np.concatenate([train.lengths[rows], validation.lengths])
        x = np.concatenate([rows_of(train.x, rows), validation.x])
        parts = {"train": (slice(0, n), train.y[rows]), "validation": (slice(n, len(x)), validation.y)}
        return cls(x, lengths, parts, fold.task)
