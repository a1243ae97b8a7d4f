"""Preprocessing, fitted on some rows and applied to any: missing values, scaling, one-hot codes."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.columns import is_numeric
from hpsearch.data.inputs import as_table, number_block, text_column
from hpsearch.errors import DataError, Problem

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericColumn:
    """One number in, one feature out: (value, or `fill` where it is missing, minus `center`) / `scale`."""

    name: str
    fill: float
    center: float
    scale: float

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column's own name."""
        return (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoricalColumn:
    """One text in, a one-hot feature a category out; a missing or unknown text gives zeros everywhere."""

    name: str
    categories: tuple[str, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """`column=category`, in the order of the categories."""
        return tuple(f"{self.name}={category}" for category in self.categories)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessor:
    """What turns raw inputs into features, as fitted on the training rows."""

    fitted: tuple[NumericColumn | CategoricalColumn, ...]

    @classmethod
    def fit(cls, inputs: "pd.DataFrame", *, numeric: str, missing: str) -> "Preprocessor":
        """Fit to the rows of a tidy table (see `columns.tidy`) in which every numeric column has a value.

        Args:
            inputs: the training rows.
            numeric: "standardize" (mean 0, population standard deviation 1), "min_max" (0 to 1) or "none".
            missing: "median" or "mean", of the values that are there; it fills before scaling is fitted.
        """
        names = [name for name in inputs.columns if is_numeric(inputs[name])]
        scaled = iter(
            _fit_numeric(names, inputs[names].to_numpy(dtype=np.float64), numeric=numeric, missing=missing)
        )
        return cls(
            fitted=tuple(
                next(scaled)
                if is_numeric(inputs[name])
                else CategoricalColumn(name=name, categories=tuple(sorted(inputs[name].dropna().unique())))
                for name in inputs.columns
            )
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the raw input columns, in order."""
        return tuple(column.name for column in self.fitted)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in the order of the columns of `transform`'s result."""
        return tuple(name for column in self.fitted for name in column.feature_names)

    @property
    def tokens(self) -> None:
        """Features are no tokens."""
        return

    def transform(self, inputs: Any) -> NDArray[np.float32]:
        """Raw inputs as features: (N, D) float32, C-contiguous.

        Args:
            inputs: a DataFrame or a mapping of columns (found by name; further ones are ignored), or a 2-D
            array or
                a list of rows (columns by position). Numbers spelled as text are read as numbers.

        Raises:
            DataError: columns are missing, a numeric column holds text or infinity, or a value leaves
            float32.
        """
        table = as_table(inputs, self.columns)
        numeric = [column for column in self.fitted if isinstance(column, NumericColumn)]
        texts = [column for column in self.fitted if isinstance(column, CategoricalColumn)]
        block = number_block(table, [column.name for column in numeric])
        features = np.zeros((len(table), len(self.feature_names)), dtype=np.float32)
        starts = self._starts()
        if numeric:
            features[:, [starts[column.name] for column in numeric]] = _scaled(block, numeric)
        for column in texts:
            _write_one_hot(features, starts[column.name], text_column(table, column.name), column.categories)
        return features

    def prepare(self, inputs: Any) -> tuple[NDArray[np.float32], None]:
        """As `transform`, in the form that all kinds of inputs share (see `kinds.Preparer`)."""
        if hasattr(inputs, "frames"):
            return np.concatenate([self.transform(frame) for frame in inputs.frames()]), None
        return self.transform(getattr(inputs, "frame", inputs)), None

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values; `from_json` gives an equal preprocessor back, to the last bit."""
        kinds = {NumericColumn: "numeric", CategoricalColumn: "categorical"}
        return {"columns": [{"kind": kinds[type(column)], **asdict(column)} for column in self.fitted]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Preprocessor":
        """The preprocessor that `to_json` described."""
        return cls(fitted=tuple(_column_from_json(column) for column in stored["columns"]))

    def _starts(self) -> dict[str, int]:
        widths = [len(column.feature_names) for column in self.fitted]
        return dict(zip(self.columns, np.cumsum([0, *widths[:-1]]).tolist(), strict=True))


def center_and_scale(values: Floats, how: str) -> tuple[Floats, Floats]:
    """What "standardize", "min_max" or "none" subtract and divide by, for each column of (N, D).

    A constant column has scale 1, so that it becomes zeros rather than a division by zero.
    """
    if how == "none":
        return np.zeros(values.shape[1]), np.ones(values.shape[1])
    low, high = values.min(axis=0), values.max(axis=0)
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # overflow gives a scale that is not finite: reported by checks
        if how == "min_max":
            center, scale = low, high - low
        else:
            center, scale = values.mean(axis=0), values.std(axis=0)
    constant = is_constant(values)
    return np.where(constant, values[0], center), np.where(constant, 1.0, scale)


def is_constant(values: Floats) -> NDArray[np.bool_]:
    """For each column of (N, D): whether it varies by no more than the rounding of its mean.

    The bound is that of scikit-learn's StandardScaler.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        variance, mean = values.var(axis=0), values.mean(axis=0)
        epsilon = len(values) * np.finfo(np.float64).eps
        rounding = variance <= epsilon * variance + (epsilon * mean) ** 2
    return np.asarray((values.min(axis=0) == values.max(axis=0)) | rounding)


def _fit_numeric(names: list[str], values: Floats, *, numeric: str, missing: str) -> list[NumericColumn]:
    if not names:
        return []
    fill = _FILLS[missing](values, axis=0)
    center, scale = center_and_scale(np.where(np.isnan(values), fill, values), numeric)
    return [
        NumericColumn(name=name, fill=float(f), center=float(c), scale=float(s))
        for name, f, c, s in zip(names, fill, center, scale, strict=True)
    ]


def _scaled(values: Floats, columns: list[NumericColumn]) -> NDArray[np.float32]:
    fill, center, scale = (
        np.array([getattr(column, field) for column in columns]) for field in ("fill", "center", "scale")
    )
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = ((np.where(np.isnan(values), fill, values) - center) / scale).astype(np.float32)
    beyond = ~np.isfinite(scaled).all(axis=0)
    if beyond.any():
        raise DataError(
            Problem(
                place="inputs",
                key=f"column {columns[i].name!r}",
                rule="holds values too large to compute with",
                remedy="bring its values to a smaller unit",
            )
            for i in np.flatnonzero(beyond)
        )
    return np.asarray(scaled, dtype=np.float32)


def _write_one_hot(
    features: NDArray[np.float32], start: int, values: NDArray[np.object_], categories: tuple[str, ...]
) -> None:
    codes = pd.Index(categories, dtype=object).get_indexer(pd.Index(values, dtype=object))
    rows = np.flatnonzero(codes >= 0)
    features[rows, start + codes[rows]] = 1.0


def _column_from_json(stored: Mapping[str, Any]) -> NumericColumn | CategoricalColumn:
    fields = {key: value for key, value in stored.items() if key != "kind"}
    if stored["kind"] == "numeric":
        return NumericColumn(**fields)
    return CategoricalColumn(name=fields["name"], categories=tuple(fields["categories"]))


_FILLS: Final[dict[str, Callable[..., Floats]]] = {"median": np.nanmedian, "mean": np.nanmean}
