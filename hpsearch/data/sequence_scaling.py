"""How the values of series are scaled: from sums over the steps that they have, a few megabytes at a time."""

from typing import TYPE_CHECKING, Final

import numpy as np

from hpsearch.data.numeric import Floats, NumericColumn, NumericSettings, fit_numeric

if TYPE_CHECKING:
    from hpsearch.data.sequences import SequenceInputs

_SAMPLED: Final = 4 << 20  # numbers
_FEWEST: Final = 1000  # series


def fitted_values(series: "SequenceInputs", how: str) -> list[NumericColumn]:
    """The scaling of each value; what needs all numbers at once gets as many, evenly spread, as `_SAMPLED` allows."""
    if how not in {"standardize", "min_max", "none"}:
        gaps = NumericSettings(scale=how, missing="mean")
        return fit_numeric(list(series.names), _sample(series), [gaps] * series.columns)
    low, mean, high = extent(series)
    center, scale = np.zeros_like(mean), np.ones_like(mean)
    if how != "none":
        center, scale = (low, high - low) if how == "min_max" else (mean, _deviation(series, mean))
    scale = np.where(high > low, scale, 1.0)
    return [
        NumericColumn(name=name, fill=float(f), center=float(c), scale=float(s))
        for name, f, c, s in zip(series.names, mean, center, scale, strict=True)
    ]


def _sample(series: "SequenceInputs") -> Floats:
    """(M, D): the steps of series, as many as `_SAMPLED` numbers hold."""
    most = max(_FEWEST, _SAMPLED // max(1, series.series[:1].size))
    rows = np.unique(np.linspace(0, len(series) - 1, min(len(series), most)).astype(np.int64))
    return np.concatenate([values[there] for values, there in series.take(rows).chunks()])


def extent(series: "SequenceInputs") -> tuple[Floats, Floats, Floats]:
    """Lowest, mean and highest of each value, over the steps that are there and not missing."""
    width = series.columns
    low, high = np.full(width, np.inf), np.full(width, -np.inf)
    total, count = np.zeros(width), np.zeros(width)
    for values, there in series.chunks():
        known = values[there]
        with np.errstate(invalid="ignore"):
            low, high = np.fmin(low, np.fmin.reduce(known)), np.fmax(high, np.fmax.reduce(known))
        total += np.nansum(known, axis=0)
        count += (~np.isnan(known)).sum(axis=0)
    return low, total / np.maximum(count, 1), high


def _deviation(series: "SequenceInputs", mean: Floats) -> Floats:
    """The standard deviation of each value, over the same steps."""
    squares, count = np.zeros(series.columns), np.zeros(series.columns)
    for values, there in series.chunks():
        squares += np.nansum(np.square(values[there] - mean), axis=0)
        count += (~np.isnan(values[there])).sum(axis=0)
    return np.sqrt(squares / np.maximum(count, 1))
