"""Series out of tables: many in a long table, or windows over one."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.bounds import check_padding
from hpsearch.data.columns import numbers, parse_numbers, texts
from hpsearch.data.raw import RawData
from hpsearch.data.sequences import SequenceInputs, padded
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    from hpsearch.spec import DataSpec

_TOLD = 5


def series_of_table(raw: RawData, spec: "DataSpec") -> RawData:
    """A long table (a row for each step of each series) as series; the target is one value a series.

    Raises:
        DataError: columns are missing or hold no numbers, or a series has more than one target.
    """
    how, frame = spec.sequence, _frame(raw)
    series, time = str(how.series), how.time
    about = [name for name in (series, time) if name is not None]
    names = tuple(how.values) or tuple(name for name in frame.columns if name not in about)
    _check_columns(
        raw.name, frame, {"series": [series], "time": about[1:], "values": list(names)}, "sequence"
    )
    keys = texts(frame[series])
    if pd.isna(keys).any():
        raise DataError(_at(raw, int(pd.isna(keys).argmax()), series, "names no series"))
    if raw.part is not None:  # a file's series are its own, whatever they are called
        keys = np.array([f"{part}/{key}" for part, key in zip(raw.part, keys, strict=True)], dtype=object)
    values = np.column_stack([_column(raw, frame[name]) for name in names])
    codes, ids = pd.factorize(keys)
    order = np.lexsort((np.arange(len(codes)), codes))
    if time is not None:
        order = np.lexsort((np.arange(len(codes)), _ordered(raw, frame[time]), codes))
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
    firsts = order[starts]
    targets = _one_a_series(raw, codes, ids).iloc[firsts].reset_index(drop=True)
    pieces = [values[rows] for rows in np.split(order, starts[1:])]
    kept = [one if how.length is None else one[-how.length :] for one in pieces]
    check_padding([*map(len, kept)], max(map(len, kept)), len(names), raw.name)
    stacked, lengths = padded(kept, max(map(len, kept)), names)
    inputs = SequenceInputs(
        series=stacked,
        names=tuple(names),
        lengths=lengths if len(set(lengths.tolist())) > 1 else None,
        cut=how.length is not None,
    )
    return RawData(
        name=raw.name,
        inputs=inputs,
        targets=targets,
        part=None if raw.part is None else raw.part[firsts],
        about=None if raw.about is None else raw.about.iloc[firsts].reset_index(drop=True),
    )


def windows_of_table(raw: RawData, spec: "DataSpec") -> RawData:
    """Windows over one series: the lags before each step as input, the steps from it on as targets.

    Rows are in the order of time; what is known of a window's first target's row is known of it.

    Raises:
        DataError: columns are missing or hold no numbers, or the series is too short.
    """
    how, goals = spec.window, raw.targets
    whole = pd.concat([_frame(raw), goals], axis=1)
    names = tuple(how.values) or tuple(goals.columns)
    time = [] if how.time is None else [how.time]
    _check_columns(raw.name, whole, {"values": list(names), "time": time}, "window")
    lags, horizon = int(how.lags or 1), how.horizon
    count = len(whole) - lags - horizon + 1
    if count < 1:
        rule = f"{len(whole)} rows are too few for {lags} lags and {horizon} ahead"
        raise DataError(Problem(place=raw.name, key="data.window", rule=rule, remedy="bring more rows"))
    order = np.arange(len(whole))
    if how.time is not None:
        order = np.lexsort((order, _ordered(raw, whole[how.time])))
    values = np.column_stack([_column(raw, whole[name]) for name in names])[order]
    views = np.lib.stride_tricks.sliding_window_view(values, lags, axis=0)[:count].transpose(0, 2, 1)
    ahead = {
        f"{name}+{step + 1}" if horizon > 1 else str(name): column[lags + step : lags + step + count]
        for name in goals.columns
        for column in [_column(raw, goals[name])[order]]
        for step in range(horizon)
    }
    firsts = order[lags : lags + count]
    return RawData(
        name=raw.name,
        inputs=SequenceInputs(series=views, names=tuple(map(str, names)), windows=True),
        targets=pd.DataFrame(ahead),
        part=None if raw.part is None else raw.part[firsts],
        about=None if raw.about is None else raw.about.iloc[firsts].reset_index(drop=True),
        gap=horizon - 1,
        in_time_order=True,
    )


def _frame(raw: RawData) -> pd.DataFrame:
    if not isinstance(raw.inputs, pd.DataFrame):
        rule = "series are read from a table or an .npz file"
        raise DataError(Problem(place=raw.name, key="data.kind", rule=rule))
    return raw.inputs


def _check_columns(source: str, frame: pd.DataFrame, wanted: dict[str, list[str]], section: str) -> None:
    problems = [
        Problem(
            place=source,
            key=f"data.{section}.{key}",
            rule=f"the table has no column {name!r}",
            remedy=f"its columns: {', '.join(map(repr, map(str, frame.columns[:20])))}",
        )
        for key, names in wanted.items()
        for name in names
        if name not in frame.columns
    ]
    if problems:
        raise DataError(problems)


def _column(raw: RawData, column: "pd.Series[Any]") -> NDArray[np.float64]:
    values = numbers(column)
    if values is not None:
        return values
    spelled = texts(column)
    values, readable = parse_numbers(spelled)
    if not readable.all():
        row = int(readable.argmin())
        raise DataError(_at(raw, row, str(column.name), f"must be a number, got {spelled[row]!r}"))
    return values


def _ordered(raw: RawData, column: "pd.Series[Any]") -> NDArray[Any]:
    """What rows are sorted by: numbers, or dates and times."""
    values = numbers(column)
    if values is None:
        read = pd.to_datetime(pd.Series(texts(column)), errors="coerce", format="mixed", utc=True)
        moments = read.to_numpy(dtype="datetime64[us]")
        values, missing = moments.astype(np.float64), np.isnat(moments)
    else:
        missing = np.isnan(values)
    if missing.any():
        raise DataError(_at(raw, int(missing.argmax()), str(column.name), "must be a number or a date"))
    return values


def _one_a_series(raw: RawData, codes: NDArray[np.int64], ids: Any) -> pd.DataFrame:
    """The targets, after it is sure that each series has one value of each."""
    problems = []
    for name in raw.targets.columns:
        values = pd.Series(raw.targets[name].to_numpy())
        several = values.groupby(codes).nunique(dropna=False).to_numpy() > 1
        problems += [
            Problem(
                place=raw.name,
                key=f"column {str(name)!r}",
                rule=f"must be the same in all rows of a series, and series {ids[code]!r} has several values",
                remedy="give each series one target",
            )
            for code in np.flatnonzero(several)[:_TOLD]
        ]
    if problems:
        raise DataError(problems)
    return raw.targets


def _at(raw: RawData, row: int, column: str, rule: str) -> Problem:
    place = f"{raw.name}:{raw.line(row)}" if raw.line else raw.name
    return Problem(place=place, key=f"column {column!r}", rule=rule)
