"""What a constant guess comes to: the loss of a network that has learned nothing, against which others are measured."""

from collections.abc import Mapping, Sequence

from hpsearch.data.prepared import TrainingData
from hpsearch.judgment.metrics import mean_baseline_loss
from hpsearch.spec.hyperparameters import Hyperparameters


class ConstantGuess:
    """The validation loss of a constant guess on a study's data, under whatever loss its trials train."""

    def __init__(self, data: TrainingData) -> None:
        self._data = data
        self._losses: dict[tuple[str, float], float] = {}

    def loss(self, h: Hyperparameters) -> float:
        """Under the loss of a recipe; the mean over the folds."""
        key = (h.loss, h.huber_delta)
        if key not in self._losses:
            self._losses[key] = mean_baseline_loss(self._data, loss=h.loss, huber_delta=h.huber_delta)
        return self._losses[key]

    def ratio(self, curves: Mapping[str, Sequence[float]], h: Hyperparameters) -> float:
        """The least validation loss of a trial's curves in units of it; NaN where there is none."""
        reached = min(curves.get("validation_loss", ()), default=float("nan"))
        return reached / (self.loss(h) or 1.0)
