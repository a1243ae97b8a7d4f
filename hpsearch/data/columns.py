"""Columns of any table as one of two things: numbers (NaN where missing) or texts (None where missing)."""

from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas.api import types

NA_SPELLINGS: Final = frozenset(
    [
        "",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
    ]
)
"""Texts that mean "missing", the empty text among them (the list that pandas reads CSV files with)."""

STRAY_SHARE: Final = 0.1
_NUMERIC_OBJECTS: Final = {"boolean", "integer", "floating", "mixed-integer-float", "decimal", "empty"}
_INTEGER: Final = r"^[+-]?[0-9]{1,18}$"
_WRITTEN: Final = r"^[$€£¥]?\s?[+-]?[0-9]+([.,' ][0-9]+)*\s?[%$€£¥]?$"
_MARKS: Final = r"[$€£¥%,']"
_NUMBER: Final = r"^[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[iI]nf(inity)?|INF)$"


def numbers(column: "pd.Series[Any]") -> NDArray[np.float64] | None:
    """The column as float64, NaN where missing; None when it holds anything but real numbers and booleans.

    A pandas categorical is never numeric: whoever made it so said that its values are names.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype) or types.is_complex_dtype(dtype):
        return None
    if types.is_bool_dtype(dtype) or types.is_numeric_dtype(dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if types.is_object_dtype(dtype) and types.infer_dtype(column, skipna=True) in _NUMERIC_OBJECTS:
        return column.where(column.notna(), np.nan).to_numpy(dtype=np.float64)
    return None


def texts(column: "pd.Series[Any]") -> NDArray[np.object_]:
    """The column as texts (object array), None where missing, empty or spelled like one of NA_SPELLINGS.

    Whole floats read like integers ("3"), so that a category that became float through a missing value stays
    itself.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        labels = texts(pd.Series(column.cat.categories.to_numpy(), dtype=object))
        labels_or_none = np.array([*labels, None], dtype=object)
        return np.asarray(labels_or_none[column.cat.codes.to_numpy()], dtype=object)
    values = column.to_numpy(dtype=object, copy=True)
    missing = pd.isna(values)
    if pd.api.types.infer_dtype(column, skipna=True) != "string":
        values[~missing] = [_text(value) for value in values[~missing]]
    missing |= pd.Series(values, dtype=object).isin(NA_SPELLINGS).to_numpy()
    values[missing] = None
    return values


def parse_numbers(values: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Texts read as decimal numbers (NaN where not readable), and where they are readable, as None is."""
    array = pc.utf8_trim_whitespace(pa.array(values, type=pa.large_string()))
    readable = pc.match_substring_regex(array, _NUMBER)
    spelled = pc.replace_substring_regex(pc.if_else(readable, array, None), r"^\+", "")
    parsed = pc.cast(spelled, pa.float64()).to_numpy(zero_copy_only=False)
    return parsed, pc.fill_null(readable, True).to_numpy(zero_copy_only=False)


def typed(array: Any, *, decimal_comma: bool = False) -> "pd.Series[Any]":
    """A column of CSV texts (a pyarrow string array, null where missing) as what all its values are.

    In this order: integers (int64, or float64 when some are missing), numbers (float64), booleans ("true" and
    "false" in any case), else texts.
    """
    trimmed = pc.utf8_trim_whitespace(array)
    if decimal_comma:
        trimmed = pc.replace_substring_regex(trimmed, r"^([+-]?[0-9]+),([0-9]+)$", r"\1.\2")
    known = pc.drop_null(trimmed)
    if pc.all(pc.match_substring_regex(known, _INTEGER), min_count=0).as_py():
        kind = pa.int64() if len(known) == len(trimmed) else pa.float64()
        return pd.Series(pc.cast(_without_plus(trimmed), kind).to_numpy(zero_copy_only=False))
    if pc.all(pc.match_substring_regex(known, _NUMBER)).as_py():
        return pd.Series(pc.cast(_without_plus(trimmed), pa.float64()).to_numpy(zero_copy_only=False))
    lower = pc.utf8_lower(known)
    if pc.all(pc.is_in(lower, pa.array(["true", "false"], type=lower.type))).as_py():
        flags = pc.equal(pc.utf8_lower(trimmed), "true").to_pylist()
        return pd.Series(flags, dtype=bool if len(known) == len(trimmed) else object)
    return pd.Series(array.to_pylist(), dtype=object)


def _without_plus(array: Any) -> Any:
    return pc.replace_substring_regex(array, r"^\+", "")


def _text(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def tidy(inputs: "pd.DataFrame") -> "pd.DataFrame":
    """The table with each column either float64 (NaN: missing) or object (texts, None: missing); dates stay such.

    Which of the two a column is, is decided here once, for the whole table: no part of it can change
    another's kind.
    """
    if all(dtype.kind in "iufb" for dtype in inputs.dtypes if isinstance(dtype, np.dtype)) and all(
        isinstance(dtype, np.dtype) for dtype in inputs.dtypes
    ):
        return pd.DataFrame(inputs.to_numpy(dtype=np.float64), index=inputs.index, columns=inputs.columns)
    columns: dict[Any, NDArray[Any]] = {}
    for name in inputs.columns:
        if inputs[name].dtype.kind == "M":
            columns[name] = inputs[name].to_numpy()
            continue
        values = numbers(inputs[name])
        columns[name] = texts(inputs[name]) if values is None else values
    series = {
        name: pd.Series(values, index=inputs.index, dtype=values.dtype) for name, values in columns.items()
    }
    return pd.DataFrame(series, index=inputs.index)


def is_numeric(column: "pd.Series[Any]") -> bool:
    """Whether a column of a tidy table holds numbers."""
    return bool(column.dtype == np.float64)


def stray_texts(values: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Where a text is no finite number although at least 90% of the column are numbers."""
    parsed, readable = parse_numbers(values)
    strays = int((~readable).sum())
    if strays > STRAY_SHARE * (strays + int((~np.isnan(parsed)).sum())):
        return np.zeros(len(values), dtype=bool)
    return ~readable | np.isinf(parsed)


def marked_number(values: NDArray[np.object_]) -> str:
    """The first of (N,) texts if all are numbers with the marks of people: `$1,200`, `5%`, `3,5`; else nothing."""
    known = pa.array(values, type=pa.large_string()).drop_null()
    formed = (pc.all(pc.match_substring_regex(known, pattern)).as_py() for pattern in (_WRITTEN, _MARKS))
    return str(known[0]) if len(known) and all(formed) else ""


def beyond_float32(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where a number is infinite, or so large that it becomes infinite in the arithmetic of training."""
    return np.asarray(np.abs(values) > np.finfo(np.float32).max)


def bounds_of(bad: NDArray[np.float64]) -> str:
    """The rule that numbers found by `beyond_float32` break."""
    return "must be finite" if np.isinf(bad).all() else "must be finite and below 3.4e38 in size"
