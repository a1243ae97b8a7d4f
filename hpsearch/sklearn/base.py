"""What all estimators share: from what scikit-learn hands over to tables and targets, and back to predictions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from hpsearch.data.tables import TableInputs
from hpsearch.data.targets import Targets
from hpsearch.engine import Weights
from hpsearch.errors import InputError
from hpsearch.model import TrainedModel
from hpsearch.spec import PreprocessSpec

_SEEDS: Final = 2**31 - 1


@contextmanager
def as_value_errors() -> Iterator[None]:
    """What cannot be used is a ValueError to scikit-learn."""
    try:
        yield
    except InputError as error:
        raise ValueError(str(error)) from error


class TableEstimator(BaseEstimator):  # type: ignore[misc]
    """Learns from tables: of numbers, with NaN where they are missing, and in DataFrames of texts as well.

    A subclass has `_train(inputs, targets, seed)`, which gives a trained model.
    """

    model_: TrainedModel

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn from rows X (N, D) and their targets y."""
        with as_value_errors():
            frame, y = self._checked(X, y)
            inputs = TableInputs(frame).tidy(PreprocessSpec())
            self._check_columns(inputs.frame)
            seed = int(check_random_state(self.random_state).randint(_SEEDS))
            self.model_ = self._train(inputs, self._targets(y), seed)
        return self

    def _train(self, inputs: TableInputs, targets: Targets, seed: int) -> TrainedModel:
        raise NotImplementedError

    def _targets(self, y: NDArray[Any]) -> Targets:
        raise NotImplementedError

    def _checked(self, X: Any, y: Any) -> tuple["pd.DataFrame", NDArray[Any]]:  # noqa: N803 - likewise
        raise NotImplementedError

    def _frame(self, X: Any, checked: Any) -> "pd.DataFrame":  # noqa: N803 - likewise
        """The rows as a table: a DataFrame keeps the types of its columns."""
        names = list(getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)]))
        if isinstance(X, pd.DataFrame):
            return X.reset_index(drop=True).set_axis(names, axis=1)
        return pd.DataFrame(np.asarray(checked), columns=names)

    def _check_columns(self, frame: "pd.DataFrame") -> None:
        empty = [str(name) for name in frame.columns if frame[name].isna().all()]
        if empty:
            raise ValueError(f"column {empty[0]!r} holds no value; leave it out")
        infinite = [name for name in frame.select_dtypes("float64") if np.isinf(frame[name]).any()]
        if infinite:
            raise ValueError(f"column {infinite[0]!r} holds infinity, or a value too large")

    def _predicting(self, X: Any) -> tuple[TrainedModel, "pd.DataFrame"]:  # noqa: N803 - likewise
        """The model, in double precision: a row's prediction does not depend on the rows beside it, and the rows."""
        check_is_fitted(self)
        checked = validate_data(self, X, reset=False, dtype=None, ensure_all_finite="allow-nan")
        weights = self.model_.weights
        wide = Weights(weights.plan, weights.parameters.astype(np.float64), weights.state.astype(np.float64))
        return replace(self.model_, weights=wide), self._frame(X, checked)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


class TableClassifier(ClassifierMixin, TableEstimator):  # type: ignore[misc]
    """Predicts classes, of any labels."""

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803 - likewise
        """The class of each row, (N,)."""
        chances = self.predict_proba(X)
        return np.asarray(self.classes_[chances.argmax(axis=1)])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803 - likewise
        """The probability of each class, (N, C), in the order of `classes_`."""
        with as_value_errors():
            model, frame = self._predicting(X)
            return model.predict_proba(frame)

    def _checked(self, X: Any, y: Any) -> tuple["pd.DataFrame", NDArray[Any]]:  # noqa: N803 - likewise
        checked, _ = validate_data(self, X, y, dtype=None, ensure_all_finite="allow-nan")
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, ids = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier needs at least two classes; y has 1 class: {self.classes_[0]!r}")
        return self._frame(X, checked), ids

    def _targets(self, y: NDArray[Any]) -> Targets:
        content = np.empty(len(y), dtype=object)
        content[:] = self.classes_[y].tolist()
        return Targets(names=("y",), content=content, rows=np.arange(len(y)), is_classification=True)


class TableRegressor(RegressorMixin, TableEstimator):  # type: ignore[misc]
    """Predicts numbers, one or several."""

    def predict(self, X: Any) -> NDArray[np.float64]:  # noqa: N803 - likewise
        """The target of each row, (N,) or (N, T)."""
        with as_value_errors():
            model, frame = self._predicting(X)
            return np.asarray(model.predict(frame))

    def _checked(self, X: Any, y: Any) -> tuple["pd.DataFrame", NDArray[Any]]:  # noqa: N803 - likewise
        checked, y = validate_data(
            self, X, y, dtype=None, ensure_all_finite="allow-nan", multi_output=True, y_numeric=True
        )
        return self._frame(X, checked), np.asarray(y, dtype=np.float64)

    def _targets(self, y: NDArray[Any]) -> Targets:
        content = y.reshape(len(y), -1)
        names = ("y",) if content.shape[1] == 1 else tuple(f"y{i}" for i in range(content.shape[1]))
        return Targets(names=names, content=content, rows=np.arange(len(y)), is_classification=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
