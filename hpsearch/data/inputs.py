"""What a user hands to a model, as the columns that its preprocessing was fitted on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.columns import numbers, parse_numbers, texts
from hpsearch.data.dates import FORM, moments
from hpsearch.errors import DataError, Problem


def as_table(inputs: Any, columns: Sequence[str]) -> "pd.DataFrame":
    """The columns asked for, in their order, whatever the inputs are (see `Preprocessor.transform`).

    Raises:
        DataError: columns are missing, occur twice, or do not match in number.
    """
    if isinstance(inputs, pd.DataFrame):
        return _by_name(inputs, columns)
    if isinstance(inputs, Mapping):
        named = {str(name): values if _is_column(values) else [values] for name, values in inputs.items()}
        lengths = {name: len(values) for name, values in named.items() if name in columns}
        if len(set(lengths.values())) > 1:
            raise DataError(Problem(place="inputs", rule=f"columns must be of one length, got {lengths}"))
        return _by_name(pd.DataFrame({name: named[name] for name in lengths}), columns)
    return _by_position(inputs, columns)


def number_block(table: "pd.DataFrame", names: list[str]) -> NDArray[np.float64]:
    """The named columns as one float64 array, NaN where missing; texts that spell numbers are read.

    Raises:
        DataError: all columns that hold a text or infinity, with the first such value and its row.
    """
    part = table[names]
    if all(isinstance(dtype, np.dtype) and dtype.kind in "iufb" for dtype in part.dtypes):
        block = part.to_numpy(dtype=np.float64)
    else:
        problems: list[Problem] = []
        read = [_read_numbers(part[name], problems) for name in names]
        if problems:
            raise DataError(problems)
        block = np.column_stack(read) if read else np.empty((len(table), 0))
    infinite = np.isinf(block)
    if infinite.any():
        raise DataError(
            _bad(names[i], "must be finite", block[row, i], row)
            for i in np.flatnonzero(infinite.any(axis=0))
            for row in [int(infinite[:, i].argmax())]
        )
    return block


def text_column(table: "pd.DataFrame", name: str) -> NDArray[np.object_]:
    """The named column as texts, None where missing."""
    return texts(table[name])


def date_column(table: "pd.DataFrame", name: str) -> NDArray[np.datetime64]:
    """The named column as dates, NaT where missing.

    Raises:
        DataError: it holds what is no date.
    """
    read, readable = moments(table[name])
    if not readable.all():
        row = int(readable.argmin())
        raise DataError(_bad(name, f"must be {FORM}", table[name].iloc[row], row))
    return read


def _by_name(frame: "pd.DataFrame", columns: Sequence[str]) -> "pd.DataFrame":
    given = [str(name) for name in frame.columns]
    missing = [name for name in columns if name not in given]
    twice = [name for name in columns if given.count(name) > 1]
    if missing:
        raise DataError(
            Problem(place="inputs", rule=f"lack {_columns(missing)}", remedy=f"given: {_names(given)}")
        )
    if twice:
        raise DataError(Problem(place="inputs", rule=f"hold {_columns(twice)} more than once"))
    return frame.set_axis(given, axis=1)[list(columns)]


def _by_position(inputs: Any, columns: Sequence[str]) -> "pd.DataFrame":
    wanted = f"a table of rows with {len(columns)} columns ({_names(columns)})"
    try:
        frame = pd.DataFrame(inputs if isinstance(inputs, np.ndarray) else list(inputs))
    except (TypeError, ValueError) as error:
        raise DataError(Problem(place="inputs", rule=f"must be {wanted}; {error}")) from error
    if np.ndim(inputs) == 1 and isinstance(inputs, np.ndarray):
        raise DataError(
            Problem(place="inputs", rule=f"must be {wanted}, got one dimension", remedy="wrap a row as [row]")
        )
    if frame.empty and not frame.shape[1]:
        return pd.DataFrame(columns=list(columns), dtype=np.float64)
    if frame.shape[1] != len(columns):
        raise DataError(Problem(place="inputs", rule=f"must be {wanted}, got {frame.shape[1]}"))
    return frame.set_axis(list(columns), axis=1)


def _read_numbers(column: "pd.Series[Any]", problems: list[Problem]) -> NDArray[np.float64]:
    values = numbers(column)
    if values is not None:
        return values
    spelled = texts(column)
    values, readable = parse_numbers(spelled)
    if not readable.all():
        row = int(readable.argmin())
        problems.append(_bad(str(column.name), "must be a number", spelled[row], row))
    return values


def _bad(name: str, rule: str, value: Any, row: int) -> Problem:
    shown = repr(value) if isinstance(value, str) else str(value)
    return Problem(place="inputs", key=f"column {name!r}", rule=f"{rule}, got {shown} in row {row + 1}")


def _is_column(values: Any) -> bool:
    return isinstance(values, Iterable) and not isinstance(values, str | bytes)


def _columns(names: Sequence[str]) -> str:
    return f"the column {_names(names)}" if len(names) == 1 else f"the columns {_names(names)}"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:12]))
    return shown if len(names) <= 12 else f"{shown}, ... ({len(names)} in all)"
