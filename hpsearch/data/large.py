"""Tables larger than memory: numbers, streamed once from their file into an array that is mapped."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.cache import slices
from hpsearch.data.preprocessing import NumericColumn, Preprocessor
from hpsearch.data.raw import Findings
from hpsearch.data.rows import rows_of
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    from hpsearch.data.splits import Split
    from hpsearch.spec import DataSpec, PreprocessSpec

_AFFINE: Final = ("standardize", "min_max", "none")
_SAMPLED: Final = 32 << 20
_SEED: Final = 0x9E3779B97F4A7C15
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LargeInputs:
    """Numbers (N, D) in a file, or those of its `rows`: taken when they are needed.

    A value is `stored` (float32, NaN where missing) times `scale` plus `center`, of its column: so float32 keeps the
    digits of columns that lie far from zero.
    """

    stored: NDArray[np.float32]
    names: tuple[str, ...]
    center: Floats
    scale: Floats
    fingerprint: str
    rows: NDArray[Any] | None = None

    @property
    def columns(self) -> int:
        """The number of columns."""
        return len(self.names)

    def __len__(self) -> int:
        return len(self.stored) if self.rows is None else len(self.rows)

    def take(self, rows: NDArray[Any]) -> "LargeInputs":
        """These rows."""
        chosen = rows.astype(np.int32) if len(self.stored) < 2**31 else rows
        return replace(self, rows=chosen if self.rows is None else self.rows[chosen])

    def chunks(self) -> Iterator[Floats]:
        """The values, some megabytes at a time."""
        for rows in slices(len(self), self.columns * 8):
            yield self.as_stored(rows) * self.scale + self.center

    def frames(self) -> Iterator[pd.DataFrame]:
        """The values as tables, some megabytes at a time."""
        for chunk in self.chunks():
            yield pd.DataFrame(chunk, columns=list(self.names))

    def identity(self, targets: pd.DataFrame) -> str:
        """That of the file's values and targets, found when they were streamed."""
        del targets
        return self.fingerprint

    def check(self, findings: Findings) -> None:
        """Nothing more: numbers were checked when they were streamed."""

    def check_parts(self, split: "Split", findings: Findings) -> None:
        """Columns without a value, and constant ones, in the training part."""
        low, high, *_ = _statistics(self.take(split.train))
        empty = [name for name, lowest in zip(self.names, low, strict=True) if not np.isfinite(lowest)]
        constant = [name for name, a, b in zip(self.names, low, high, strict=True) if a == b]
        for name in empty:
            remedy = f"leave it out with data.drop: [{name}]"
            findings.problem("holds no value in the training part", key=f"column {name!r}", remedy=remedy)
        if constant:
            findings.warn(f"constant in the training part: {', '.join(constant[:8])}")

    def row_codes(self) -> NDArray[np.uint64]:
        """Sums of each row's bits times numbers of its columns, modulo 2^64."""
        factors = np.random.default_rng(_SEED).integers(1, 2**63, self.columns, dtype=np.uint64) | np.uint64(
            1
        )
        codes = np.empty(len(self), np.uint64)
        for rows in slices(len(self), self.columns * 8):
            bits = self.as_stored(rows).view(np.uint32).astype(np.uint64)
            codes[rows] = (bits * factors).sum(axis=1, dtype=np.uint64)
        return codes

    def fit(self, settings: "DataSpec") -> Preprocessor:
        """Missing values and scaling, from sums over all rows; medians from those that 32 MB hold, evenly spread.

        Raises:
            DataError: a way of preparing that needs all values at once.
        """
        how = settings.preprocess
        _check_settings(how, settings.source)
        low, high, mean, deviation, known = _statistics(self)
        if isinstance(how.missing, float):
            fill = np.full_like(mean, how.missing)
            low, high = (
                np.where(known < 1, bound(edge, fill), edge)
                for bound, edge in ((np.minimum, low), (np.maximum, high))
            )
        else:
            fill = mean if how.missing == "mean" else self._medians()
        # as in memory, scaling is fitted after what is missing has been filled in
        filled = known * mean + (1 - known) * fill
        spread = known * (deviation**2 + (mean - filled) ** 2) + (1 - known) * (fill - filled) ** 2
        mean, deviation = filled, np.sqrt(spread)
        center, scale = {
            "standardize": (mean, deviation),
            "min_max": (low, high - low),
            "none": (np.zeros_like(mean), np.ones_like(mean)),
        }[how.numeric]
        scale = np.where(scale > 0, scale, 1.0)
        return Preprocessor(
            fitted=tuple(
                NumericColumn(name=name, fill=float(f), center=float(c), scale=float(s))
                for name, f, c, s in zip(self.names, fill, center, scale, strict=True)
            )
        )

    def example(self, rows: NDArray[np.int64]) -> pd.DataFrame:
        """The rows themselves."""
        return next(self.take(rows).frames())

    def as_stored(self, chosen: slice) -> NDArray[np.float32]:
        """Some of the rows, as they are in the file."""
        rows = np.arange(len(self))[chosen] if self.rows is None else self.rows[chosen]
        return rows_of(self.stored, rows)

    def _medians(self) -> Floats:
        most = max(1000, _SAMPLED // (8 * self.columns))
        rows = np.unique(np.linspace(0, len(self) - 1, min(len(self), most)).astype(np.int64))
        stored = self.take(rows).as_stored(slice(None))
        return np.nanmedian(stored.astype(np.float64), axis=0) * self.scale + self.center


def _check_settings(how: "PreprocessSpec", source: str) -> None:
    """Raise DataError for what a table that is kept in a file is not prepared by."""
    wrong = {
        "numeric": (how.numeric not in _AFFINE, f"use {', '.join(_AFFINE)}"),
        "missing": (how.missing == "indicator", "use median, mean or a number"),
        "columns": (bool(how.columns), "leave it out"),
        "pca": (how.pca is not None, "leave it out"),
    }
    problems = [
        Problem(
            place=source,
            key=f"data.preprocess.{key}",
            rule="needs all values in memory, and these are kept in a file",
            remedy=f"{remedy}, or data.storage: memory",
        )
        for key, (is_wrong, remedy) in wrong.items()
        if is_wrong
    ]
    if problems:
        raise DataError(problems)


def _statistics(rows: LargeInputs) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Lowest, highest, mean and standard deviation of each column's values that are there, and their share."""
    width = rows.columns
    low, high = np.full(width, np.inf), np.full(width, -np.inf)
    total, squares, count = np.zeros(width), np.zeros(width), np.zeros(width)
    for chunk in rows.chunks():
        there = ~np.isnan(chunk)
        known = np.where(there, (chunk - rows.center) / rows.scale, 0.0)
        low = np.fmin(low, np.fmin.reduce(chunk))
        high = np.fmax(high, np.fmax.reduce(chunk))
        total += known.sum(axis=0)
        squares += np.square(known).sum(axis=0)
        count += there.sum(axis=0)
    mean = total / np.maximum(count, 1)
    variance = np.maximum(squares / np.maximum(count, 1) - np.square(mean), 0)
    varies = high > low
    deviation = np.where(varies, np.sqrt(variance) * rows.scale, 0.0)
    return low, high, mean * rows.scale + rows.center, deviation, count / max(1, len(rows))
