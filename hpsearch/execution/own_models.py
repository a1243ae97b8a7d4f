"""What the model of a trainer of one's own says, as hpsearch's networks say it: outputs before softmax."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import Part, Task
from hpsearch.errors import TrainingError
from hpsearch.judgment.metrics import metrics_of

LOSS: Final = "cross_entropy"
"""What the outputs of a classifier mean: one a class, of which softmax gives the probabilities."""

_RARE: Final = 1e-12  # the probability of a class that a model rules out
_OF_LABELS: Final = ("accuracy", "macro_f1")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnModel:
    """A model with `predict_proba`, (N, classes), or `predict`: class ids (N,), scaled numbers (N,) or (N, targets)."""

    model: Any
    task: Task

    @property
    def gives_labels(self) -> bool:
        """Whether it tells classes, and not how sure it is of them."""
        return self.task.is_classification and not hasattr(self.model, "predict_proba")

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that its predictions can be judged by: of mere labels only some."""
        return _OF_LABELS if self.gives_labels else metrics_of(self.task)

    def outputs(self, part: Part) -> NDArray[np.float64]:
        """What it says of a part's inputs, (N, outputs); of series of unequal length it is told their lengths too.

        Raises:
            TrainingError: it cannot predict, or what it gives has another shape.
        """
        by_class = self.task.is_classification and not self.gives_labels
        said = self._asked("predict_proba" if by_class else "predict", part)
        wanted = (len(part), self.task.outputs(LOSS))
        if self.gives_labels:
            if said.size and not 0 <= said.min() <= said.max() < wanted[1]:
                raise TrainingError(
                    f"the trainer's model predicts class ids that are not from 0 to {wanted[1] - 1}"
                )
            said = np.eye(wanted[1])[said.astype(np.intp).reshape(-1)] if said.size == len(part) else said
        if said.ndim == 1 and wanted[1] == 1:
            said = said[:, None]
        if said.shape != wanted:
            raise TrainingError(f"the trainer's model predicts an array of shape {said.shape}, not {wanted}")
        return np.log(np.maximum(said, _RARE)) if self.task.is_classification else said

    def _asked(self, method: str, part: Part) -> NDArray[np.float64]:
        ask = getattr(self.model, method, None)
        if ask is None:
            raise TrainingError(
                f"the trainer's model ({type(self.model).__name__}) has neither predict_proba nor predict"
            )
        lengths = () if part.lengths is None else (part.lengths,)
        try:
            return np.asarray(ask(part.x, *lengths), dtype=np.float64)
        except Exception as error:  # it is somebody else's code
            raise TrainingError(
                f"the trainer's model cannot predict: {type(error).__name__}: {error}"
            ) from error
