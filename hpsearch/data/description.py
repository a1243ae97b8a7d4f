"""What data are, before anything is trained on them: facts for people and programs, and for the picture.

Everything is of the training and validation rows, but for `drift`: it compares the inputs of the training part with
those of the validation and of the test part, and gives two numbers a column. No target of the test part is looked at.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.columns import is_numeric
from hpsearch.data.dates import is_date
from hpsearch.data.images import ImageInputs
from hpsearch.data.large import LargeInputs
from hpsearch.data.preparation import PreparedData
from hpsearch.data.sequences import SequenceInputs
from hpsearch.data.tables import TableInputs
from hpsearch.data.text import TextInputs

BINS: Final = 24
COMPARED: Final = 5000
"""Rows of a part that are compared with the training part's."""
_EXAMPLES: Final = 24
_DRIFTS: Final = 0.15
_CATEGORIES: Final = 8

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column, channel or value: its kind, gaps and values.

    `histogram`: counts in BINS equal steps from low to high; `common`: the most frequent labels.
    """

    name: str
    kind: str
    missing: int
    distinct: int
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    histogram: tuple[int, ...] = ()
    common: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_constant(self) -> bool:
        """Whether nothing can be learned from it."""
        return self.distinct <= 1 and not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far a part's inputs are from the training part's, in one column.

    `distance`: the largest difference between the shares of rows below any value (Kolmogorov-Smirnov, 0 to 1);
    `shift`: the difference of the means in standard deviations.
    """

    column: str
    part: str
    distance: float
    shift: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Everything that `hpsearch data` shows.

    `duplicates`: rows whose inputs another one has; `examples`: raw inputs, for the picture.
    """

    source: str
    kind: str
    shape: tuple[int, ...]
    rows: Mapping[str, int]
    task: str
    targets: tuple[Column, ...]
    columns: tuple[Column, ...]
    lengths: Column | None
    duplicates: int
    drift: tuple[Drift, ...]
    warnings: tuple[str, ...]
    fingerprint: str
    examples: tuple[Any, ...] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """The facts, without examples."""
        return {name: value for name, value in asdict(self).items() if name != "examples"}


def describe(data: PreparedData) -> Description:
    """The description of prepared data."""
    inputs, targets = data.development_rows()
    kind, columns, lengths = _facts(inputs)
    summary = data.summary
    return Description(
        source=summary.source,
        kind=kind,
        shape=data.training.train.shape,
        rows={
            "training": summary.train_rows,
            "validation": summary.validation_rows,
            "test": summary.test_rows,
        },
        task=data.task.kind,
        targets=tuple(
            numeric_or_labels(name, targets[:, i]) for i, name in enumerate(data.task.target_names)
        ),
        columns=columns,
        lengths=lengths,
        duplicates=len(inputs) - len(np.unique(inputs.row_codes())),
        drift=_drifts(data),
        warnings=data.warnings,
        fingerprint=data.fingerprint,
        examples=_examples(inputs),
    )


def numeric_or_labels(name: str, values: NDArray[Any]) -> Column:
    """A column of numbers, or of labels."""
    if values.dtype != object:
        return _numeric(name, "number", np.asarray(values, dtype=np.float64))
    return _labels(name, "class", [None if value is None else str(value) for value in values])


def _facts(inputs: Any) -> tuple[str, tuple[Column, ...], Column | None]:
    match inputs:
        case TableInputs():
            frame = inputs.frame
            return "table", tuple(_column(str(name), frame[name]) for name in frame.columns), None
        case LargeInputs():
            frame = pd.concat(inputs.take(evenly(len(inputs), COMPARED)).frames())
            return "table", tuple(_column(str(name), frame[name]) for name in frame.columns), None
        case ImageInputs():
            sample = inputs.take(evenly(len(inputs), 1000))
            pixels = np.concatenate(list(sample.chunks())).astype(np.float64)
            names = {1: ("gray",), 3: ("red", "green", "blue")}.get(inputs.columns) or [
                f"channel_{i}" for i in range(inputs.columns)
            ]
            return (
                "image",
                tuple(_numeric(n, "pixels", pixels[..., i].ravel()) for i, n in enumerate(names)),
                None,
            )
        case SequenceInputs():
            sample_of = inputs.take(evenly(len(inputs), 1000))
            steps = np.concatenate([values[there] for values, there in sample_of.chunks()])
            columns = tuple(_numeric(n, "steps", steps[:, i]) for i, n in enumerate(inputs.names))
            lengths = inputs.lengths_here()
            told = None if lengths is None else _numeric("length", "steps", lengths.astype(np.float64))
            return ("window" if inputs.windows else "sequence"), columns, told
        case TextInputs():
            texts = inputs.column.fillna("").astype(str)
            words = np.array([len(text.split()) for text in texts], dtype=np.float64)
            return (
                "text",
                (_labels(str(inputs.column.name), "text", list(texts)),),
                _numeric("words", "texts", words),
            )
    raise TypeError(f"{type(inputs).__name__} is no kind of inputs")


def _column(name: str, column: "pd.Series[Any]") -> Column:
    if is_numeric(column):
        return _numeric(name, "number", column.to_numpy(dtype=np.float64))
    kind = "date" if is_date(column) else "category"
    return _labels(name, kind, [None if pd.isna(value) else str(value) for value in column])


def _numeric(name: str, kind: str, values: Floats) -> Column:
    known = values[~np.isnan(values)]
    if not len(known):
        return Column(name=name, kind=kind, missing=len(values), distinct=0)
    low, high = float(known.min()), float(known.max())
    edges = (low, high if high > low else low + 1)
    counts, _ = np.histogram(known, bins=BINS, range=edges)
    return Column(
        name=name,
        kind=kind,
        missing=len(values) - len(known),
        distinct=len(np.unique(known)),
        low=low,
        mean=float(known.mean()),
        high=high,
        histogram=tuple(counts.tolist()),
    )


def _labels(name: str, kind: str, values: list[str | None]) -> Column:
    counts = pd.Series(values, dtype=object).value_counts()
    common = (
        {str(label): int(count) for label, count in counts.head(_CATEGORIES).items()}
        if kind != "text"
        else {}
    )
    missing = sum(value is None for value in values)
    return Column(name=name, kind=kind, missing=missing, distinct=len(counts), common=common)


def _drifts(data: PreparedData) -> tuple[Drift, ...]:
    """The columns that differ most, at most ten a part, of those that differ by more than chance and _DRIFTS."""
    names = data.preprocessor.feature_names
    train = columns_of(data.training.train.x, data.training.train.lengths)
    parts = {
        "validation": columns_of(data.training.validation.x, data.training.validation.lengths),
        "test": data.sealed.columns(data.preprocessor),
    }
    found = [
        Drift(column=_named(names, i), part=part, distance=distance, shift=shift)
        for part, values in parts.items()
        for i in range(train.shape[1])
        for distance, shift in [_distance(train[:, i], values[:, i])]
        if distance > max(_DRIFTS, 1.95 * np.sqrt(1 / len(train) + 1 / max(1, len(values))))
    ]
    ranked = sorted(found, key=lambda drift: -drift.distance)
    return tuple(d for part in parts for d in [r for r in ranked if r.part == part][:10])


def columns_of(x: NDArray[Any], lengths: NDArray[np.int32] | None) -> Floats:
    """(N, columns): a table's features; of pictures and series the mean of each channel; of tokens the length."""
    rows = evenly(len(x), COMPARED)
    if x.ndim == 2 and x.dtype.kind == "i":
        return np.asarray(lengths, dtype=np.float64)[rows, None]
    some = np.asarray(x[rows], dtype=np.float64)
    if some.ndim == 2:
        return some
    axes = tuple(range(1, some.ndim - 1))
    if lengths is None:
        return np.asarray(some.mean(axis=axes))
    return np.asarray(some.sum(axis=axes) / lengths[rows][:, None])


def _distance(one: Floats, other: Floats) -> tuple[float, float]:
    """Kolmogorov-Smirnov distance, and the difference of the means by the first one's standard deviation."""
    if not len(other):
        return 0.0, 0.0
    every = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(part), every, side="right") / len(part) for part in (one, other)]
    deviation = one.std()
    shift = (other.mean() - one.mean()) / deviation if deviation > 0 else 0.0
    return float(np.abs(below[0] - below[1]).max()), float(shift)


def _examples(inputs: Any) -> tuple[Any, ...]:
    rows = evenly(len(inputs), _EXAMPLES)
    match inputs:
        case ImageInputs():
            return tuple(picture for chunk in inputs.take(rows).chunks() for picture in chunk)
        case SequenceInputs():
            return tuple(
                series[present]
                for values, there in inputs.take(rows).chunks()
                for series, present in zip(values, there, strict=True)
            )
        case TextInputs():
            return tuple(inputs.column.iloc[rows].fillna("").astype(str))
    return ()


def evenly(count: int, most: int) -> NDArray[np.int64]:
    """At most so many row numbers, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _named(names: tuple[str, ...], position: int) -> str:
    return names[position] if position < len(names) else f"column {position}"
