"""One network with given parameters, as scikit-learn's classifier and regressor."""

from collections.abc import Mapping, Sequence
from typing import Any

from hpsearch.data.prepared import frozen
from hpsearch.data.tables import TableInputs
from hpsearch.data.targets import Targets, scaled_task
from hpsearch.engine import Cohort, Member
from hpsearch.execution.blas import one_blas_thread
from hpsearch.model import TrainedModel
from hpsearch.randomness import Address
from hpsearch.sklearn.base import TableClassifier, TableEstimator, TableRegressor
from hpsearch.spec import StudySpec, parse_study
from hpsearch.spec.document import PARAMETERS
from hpsearch.spec.yaml_text import dump


class _Network(TableEstimator):
    """A fully connected network.

    Args:
        hidden: the widths of its layers.
        activation: as in a study file, like all that follow.
        optimizer: sgd, momentum, nesterov, adagrad, rmsprop, adam or adamw.
        learning_rate: the step size.
        batch_size: rows a step.
        epochs: how often all rows are learned from.
        dropout: the share of units that are left out at random while training.
        l2: the strength of the penalty on squared weights.
        parameters: any other hyperparameters by their names, such as `best_params(...)`; they go before the above.
        random_state: a seed, a RandomState, or None for numpy's own.
    """

    def __init__(
        self,
        hidden: Sequence[int] = (64,),
        *,
        activation: str = "relu",
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        batch_size: int = 32,
        epochs: int = 100,
        dropout: float = 0.0,
        l2: float = 0.0,
        parameters: Mapping[str, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.dropout = dropout
        self.l2 = l2
        self.parameters = parameters
        self.random_state = random_state

    def _train(self, inputs: TableInputs, targets: Targets, seed: int) -> TrainedModel:
        spec = self._spec()
        preprocessor = inputs.fit(spec.data)
        task = scaled_task(targets.question(), targets.content, how=spec.data.preprocess.target)
        x, _ = preprocessor.prepare(inputs)
        recipe = spec.resolve({}, default_loss=task.default_loss())
        cohort = Cohort(
            [Member(recipe, Address(seed=seed))],
            frozen(x, task.encode(targets.content)),
            outputs=task.outputs(recipe.loss),
        )
        with one_blas_thread():
            for _ in range(recipe.epochs):
                cohort.train_epoch()
        weights = cohort.weights(0)
        if not weights.is_finite:
            raise ValueError("the network diverged; lower learning_rate, or set clip_norm in parameters")
        self.n_iter_ = recipe.epochs
        return TrainedModel(weights=weights, loss=recipe.loss, task=task, preprocessor=preprocessor)

    def _spec(self) -> StudySpec:
        """The parameters as a study whose space is fixed: checked by its rules."""
        space: dict[str, Any] = {
            "optimizer": self.optimizer,
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "epochs": self.epochs,
            "dropout": self.dropout,
            "l2": self.l2,
        }
        space |= dict(self.parameters or {})
        model: dict[str, Any] = {} if "activation" in space else {"activation": self.activation}
        if not {"hidden", "depth", "width"} & space.keys():
            model["hidden"] = [int(width) for width in self.hidden]
        study = {"study": type(self).__name__, "data": {"source": "X.csv", "target": "y"}}
        return parse_study(dump({**study, "model": model, "space": space}), name=PARAMETERS)


class NetworkClassifier(TableClassifier, _Network):  # noqa: D101 - that of its base, with its own first words
    __doc__ = (_Network.__doc__ or "").replace("A fully connected", "A classifier: a fully connected", 1)


class NetworkRegressor(TableRegressor, _Network):  # noqa: D101 - that of its base, with its own first words
    __doc__ = (_Network.__doc__ or "").replace("A fully connected", "A regressor: a fully connected", 1)
