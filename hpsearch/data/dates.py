"""Dates and times as features: the days that have passed, and where in the year, the week and the day they lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas.api import types

from hpsearch.data.columns import texts
from hpsearch.data.numeric import NumericColumn, NumericSettings, fit_numeric, scaled

Moments = NDArray[np.datetime64]
Floats = NDArray[np.float64]

FORM: Final = "dates as in 2024-12-31, or with a time as in 2024-12-31T23:59:59"

_TIME: Final = r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
_ISO: Final = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}({_TIME})?$"
_DAY: Final = np.timedelta64(1, "D")
_CYCLES: Final = {"year": 365.0, "week": 7.0, "day": 1.0}
_MONDAY: Final = np.datetime64("1970-01-05")
_VARIES: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class DateColumn:
    """A date in, several features out: `days` scales the days since `first`; each cycle gives a sine and a cosine.

    `cycles` are some of "year", "week" and "day". Where a date is missing, days are those that `days` fills in, and
    cycles are zero.
    """

    name: str
    first: str
    days: NumericColumn
    cycles: tuple[str, ...]

    @classmethod
    def fit(cls, name: str, column: Moments, settings: NumericSettings, *, cyclic: bool) -> Self:
        """Fitted to (N,) dates, of which one is known.

        A cycle is told where the dates lie at different places of it and are spread over one or more.
        """
        known = column[~np.isnat(column)]
        first = known.min()
        days = fit_numeric([name], _days(column, first)[:, None], [settings])[0]
        span = float((known.max() - first) / _DAY)
        cycles = [
            cycle
            for cycle, length in _CYCLES.items()
            if cyclic and span >= length and np.ptp(_places(known, cycle)) > _VARIES
        ]
        return cls(name=name, first=str(first), days=days, cycles=tuple(cycles))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column's own name, `column is missing`, and `column, sine of the year` and so on."""
        waves = [
            f"{self.name}, {wave} of the {cycle}" for cycle in self.cycles for wave in ("sine", "cosine")
        ]
        return (*self.days.feature_names, *waves)

    def write(self, column: Moments, features: NDArray[np.float32]) -> None:
        """The features of (N,) dates into (N, D)."""
        days = _days(column, np.datetime64(self.first))
        features[:, :1] = scaled(days[:, None], [self.days])
        if self.days.indicator:
            features[:, 1] = np.isnan(days)
        known = ~np.isnat(column)
        start = len(self.days.feature_names)
        for i, cycle in enumerate(self.cycles):
            angles = 2 * np.pi * _places(column[known], cycle)
            features[known, start + 2 * i] = np.sin(angles)
            features[known, start + 2 * i + 1] = np.cos(angles)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The column of which `dataclasses.asdict` went through JSON."""
        days = NumericColumn.from_json(stored["days"])
        return cls(name=stored["name"], first=stored["first"], days=days, cycles=tuple(stored["cycles"]))


def moments(column: "pd.Series[Any]") -> tuple[Moments, NDArray[np.bool_]]:
    """(N,) microseconds in UTC, NaT where missing or unreadable; and where a date can be read, or none is there.

    Texts are read in ISO 8601 alone: in others day and month may be taken for one another.
    """
    if types.is_datetime64_any_dtype(column.dtype):
        plain = pd.to_datetime(column, utc=True).dt.tz_localize(None)
        return plain.to_numpy(dtype="datetime64[us]"), np.ones(len(column), dtype=bool)
    spelled = texts(column)
    matches = pc.match_substring_regex(pa.array(spelled, type=pa.large_string()), _ISO)
    is_formed = pc.fill_null(matches, False).to_numpy(zero_copy_only=False)
    dates = pd.Series(
        [text if formed else None for text, formed in zip(spelled, is_formed, strict=True)], dtype=object
    )
    read = pd.to_datetime(dates, errors="coerce", format="ISO8601", utc=True).dt.tz_localize(None)
    found = read.to_numpy(dtype="datetime64[us]")
    return found, ~np.isnat(found) | pd.isna(spelled)


def is_date(column: "pd.Series[Any]") -> bool:
    """Whether a column of a tidy table holds dates."""
    return bool(types.is_datetime64_any_dtype(column.dtype))


def _days(column: Moments, first: np.datetime64) -> Floats:
    """Days since `first`, NaN for no date."""
    return np.where(np.isnat(column), np.nan, (column - first) / _DAY)


def _places(column: Moments, cycle: str) -> Floats:
    """Where dates lie in a cycle, from 0 to 1."""
    if cycle == "year":
        start = column.astype("datetime64[Y]")
        length = (start + np.timedelta64(1, "Y")).astype("datetime64[us]") - start.astype("datetime64[us]")
        return np.asarray((column - start) / length)
    return np.asarray(((column - _MONDAY) / _DAY) % _CYCLES[cycle] / _CYCLES[cycle])
