"""Preprocessing of tables, fitted on some rows and applied to any; every setting is one column's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.columns import is_numeric
from hpsearch.data.dates import DateColumn, is_date
from hpsearch.data.inputs import as_table, date_column, number_block, text_column
from hpsearch.data.numeric import (
    NumericColumn,
    NumericSettings,
    center_and_scale,
    fit_numeric,
    is_constant,
    scaled,
)
from hpsearch.data.prepared import EmbeddedColumn

if TYPE_CHECKING:
    from hpsearch.spec import PreprocessSpec

__all__ = [
    "CategoricalColumn",
    "Components",
    "NumericColumn",
    "Preprocessor",
    "center_and_scale",
    "is_constant",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoricalColumn:
    """One text in; a missing or unknown text is as if there were none.

    `encode`: "one_hot" gives a feature a category, 1 in its own and zeros for no text; "ordinal" one feature, the
    category's place from 0 to 1, the middle for no text; "hashing" so many features as `buckets`, 1 in the one that
    the text's CRC-32 falls into, unknown texts included; "embedding" one feature, which the network takes for a vector:
    the category's number from 1, 0 for no text.
    """

    name: str
    categories: tuple[str, ...]
    encode: str = "one_hot"
    buckets: int = 0

    @property
    def feature_names(self) -> tuple[str, ...]:
        """`column=category`, the column's own name, or `column#bucket`."""
        if self.encode in ("ordinal", "embedding"):
            return (self.name,)
        if self.encode == "hashing":
            return tuple(f"{self.name}#{bucket}" for bucket in range(self.buckets))
        return tuple(f"{self.name}={category}" for category in self.categories)

    def write(self, values: NDArray[np.object_], features: NDArray[np.float32]) -> None:
        """The codes of (N,) texts into (N, D) features that are zero."""
        if self.encode == "hashing":
            there = np.flatnonzero([value is not None for value in values])
            features[there, [crc32(values[row].encode()) % self.buckets for row in there]] = 1.0
            return
        codes = pd.Index(self.categories, dtype=object).get_indexer(pd.Index(values, dtype=object))
        if self.encode == "embedding":
            features[:, 0] = codes + 1
            return
        rows = np.flatnonzero(codes >= 0)
        if self.encode == "ordinal":
            features[:, 0] = 0.5
            features[rows, 0] = codes[rows] / max(1, len(self.categories) - 1)
        else:
            features[rows, codes[rows]] = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Principal components: (features minus `mean`) times each of `axes`."""

    mean: tuple[float, ...]
    axes: tuple[tuple[float, ...], ...]

    @classmethod
    def fit(cls, features: NDArray[np.float32], wanted: float) -> Self:
        """So many components, or the fewest that hold such a share of the variance; never more than there can be."""
        from sklearn.decomposition import PCA  # noqa: PLC0415 - heavy

        most = min(features.shape)
        number = wanted if wanted < 1 else min(int(wanted), most)
        fitted = PCA(number, svd_solver="full").fit(features.astype(np.float64))
        return cls(mean=tuple(fitted.mean_.tolist()), axes=tuple(map(tuple, fitted.components_.tolist())))

    def apply(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, D) -> (N, components)."""
        centred = features.astype(np.float64) - np.array(self.mean)
        return np.ascontiguousarray(centred @ np.array(self.axes).T, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessor:
    """What turns raw inputs into features, as fitted on the training rows.

    `room`: the features that each column has at least, or all components together: zeros behind its own.
    """

    fitted: tuple["FittedColumn", ...]
    components: Components | None = None
    room: tuple[int, ...] = ()

    @classmethod
    def fit(cls, inputs: "pd.DataFrame", settings: "PreprocessSpec") -> "Preprocessor":
        """Fit to the rows of a tidy table (see `columns.tidy`) in which every numeric column has a value."""
        names = [name for name in inputs.columns if is_numeric(inputs[name])]
        hows = [
            NumericSettings(scale=settings.scale_of(name), missing=settings.missing_of(name))
            for name in names
        ]
        numbers = fit_numeric(names, inputs[names].to_numpy(dtype=np.float64), hows)
        by_name = dict(zip(names, numbers, strict=True))
        fitted = tuple(by_name.get(name) or _fit_other(inputs[name], settings) for name in inputs.columns)
        made = cls(fitted=fitted)
        if settings.pca is None:
            return made
        return cls(fitted=fitted, components=Components.fit(made.transform(inputs), settings.pca))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the raw input columns, in order."""
        return tuple(column.name for column in self.fitted)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in the order of the columns of `transform`'s result."""
        if self.components is not None:
            return tuple(f"component_{number + 1}" for number in range(*self._widths))
        spare = [
            (f"{column.name} (in other folds)",) * (width - len(column.feature_names))
            for column, width in zip(self.fitted, self._widths, strict=True)
        ]
        return tuple(
            name
            for column, more in zip(self.fitted, spare, strict=True)
            for name in (*column.feature_names, *more)
        )

    @property
    def blocks(self) -> dict[str, slice]:
        """Which features come from each raw column; with components there is one block a component."""
        if self.components is not None:
            return {name: slice(place, place + 1) for place, name in enumerate(self.feature_names)}
        ends = np.cumsum(self._widths).tolist()
        return {
            column.name: slice(end - width, end)
            for column, width, end in zip(self.fitted, self._widths, ends, strict=True)
        }

    @property
    def _widths(self) -> tuple[int, ...]:
        """How many features each column has; with components, how many these are."""
        if self.components is not None:
            own: tuple[int, ...] = (len(self.components.axes),)
        else:
            own = tuple(len(column.feature_names) for column in self.fitted)
        return tuple(map(max, own, self.room)) if self.room else own

    def in_step(self, others: "Sequence[Preprocessor]") -> "Preprocessor":
        """The same, with as many features of each column as the fold with the most has.

        Folds differ where a category, or a gap that is told, is in the training rows of some alone.
        """
        room = tuple(map(max, *(each._widths for each in others))) if others[1:] else ()  # noqa: SLF001 - its own kind
        return replace(self, room=room)

    @property
    def embedded(self) -> tuple[EmbeddedColumn, ...]:
        """The columns whose feature is the number of a category."""
        return tuple(
            EmbeddedColumn(
                name=column.name, place=self.blocks[column.name].start, categories=len(column.categories)
            )
            for column in self.fitted
            if isinstance(column, CategoricalColumn) and column.encode == "embedding"
        )

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
        if self.components is not None:
            made = self.components.apply(replace(self, components=None, room=()).transform(table))
            return np.pad(made, ((0, 0), (0, sum(self._widths) - made.shape[1])))
        numeric = [column for column in self.fitted if isinstance(column, NumericColumn)]
        starts = {name: block.start for name, block in self.blocks.items()}
        block = number_block(table, [number.name for number in numeric])
        features = np.zeros((len(table), sum(self._widths)), dtype=np.float32)
        if numeric:
            features[:, [starts[number.name] for number in numeric]] = scaled(block, numeric)
        for i, number in enumerate(numeric):
            if number.indicator:
                features[:, starts[number.name] + 1] = np.isnan(block[:, i])
        for column in self.fitted:
            own = features[:, starts[column.name] :][:, : len(column.feature_names)]
            if isinstance(column, CategoricalColumn):
                column.write(text_column(table, column.name), own)
            elif isinstance(column, DateColumn):
                column.write(date_column(table, column.name), own)
        return features

    def prepare(self, inputs: Any) -> tuple[NDArray[np.float32], None]:
        """As `transform`, in the form that all kinds of inputs share (see `kinds.Preparer`)."""
        if hasattr(inputs, "frames"):
            return np.concatenate([self.transform(frame) for frame in inputs.frames()]), None
        return self.transform(getattr(inputs, "frame", inputs)), None

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values; `from_json` gives an equal preprocessor back, to the last bit."""
        kinds = {NumericColumn: "numeric", CategoricalColumn: "categorical", DateColumn: "date"}
        columns = [{"kind": kinds[type(column)], **asdict(column)} for column in self.fitted]
        components = {} if self.components is None else {"components": asdict(self.components)}
        return {"columns": columns, **components, **({"room": list(self.room)} if self.room else {})}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Preprocessor":
        """The preprocessor that `to_json` described."""
        components = stored.get("components")
        return cls(
            fitted=tuple(_column_from_json(column) for column in stored["columns"]),
            components=None
            if components is None
            else Components(mean=tuple(components["mean"]), axes=tuple(map(tuple, components["axes"]))),
            room=tuple(stored.get("room", ())),
        )


FittedColumn = NumericColumn | CategoricalColumn | DateColumn


def _fit_other(column: "pd.Series[Any]", settings: "PreprocessSpec") -> CategoricalColumn | DateColumn:
    if not is_date(column):
        return _fit_texts(column, settings)
    name = str(column.name)
    how = NumericSettings(scale=settings.scale_of(name), missing=settings.missing_of(name))
    cyclic = settings.date_of(name) == "cyclic"
    return DateColumn.fit(name, column.to_numpy(dtype="datetime64[us]"), how, cyclic=cyclic)


def _fit_texts(column: "pd.Series[Any]", settings: "PreprocessSpec") -> CategoricalColumn:
    name, encode = str(column.name), settings.encode_of(str(column.name))
    if encode == "hashing":
        return CategoricalColumn(name=name, categories=(), encode=encode, buckets=settings.hash_features)
    return CategoricalColumn(name=name, categories=tuple(sorted(column.dropna().unique())), encode=encode)


def _column_from_json(stored: Mapping[str, Any]) -> FittedColumn:
    fields = {key: value for key, value in stored.items() if key != "kind"}
    if stored["kind"] == "numeric":
        return NumericColumn.from_json(fields)
    if stored["kind"] == "date":
        return DateColumn.from_json(fields)
    return CategoricalColumn(**{**fields, "categories": tuple(fields["categories"])})
