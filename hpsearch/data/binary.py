"""Parquet and NumPy files."""

from collections import Counter
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hpsearch.data.table import Table
from hpsearch.errors import DataError, Problem

_INPUTS: Final = ("x", "X", "inputs")
_TARGETS: Final = ("y", "Y", "targets")
_SIMPLE_KINDS: Final = "biufUS"


def read_parquet(path: Path, source: str) -> Table:
    """The table of a Parquet file.

    Raises:
        DataError: it is no Parquet file, has no rows, or names a column twice.
    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, ValueError, OSError) as error:
        raise DataError(Problem(place=source, rule=f"is no Parquet file: {_first_line(error)}")) from error
    twice = [name for name, count in Counter(table.column_names).items() if count > 1]
    if twice:
        raise DataError(
            Problem(place=source, rule=f"column {name!r} occurs more than once") for name in twice
        )
    if not table.num_rows:
        raise DataError(Problem(place=source, rule="the file has no rows", remedy="add the data"))
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return Table(frame=frame.set_axis([str(name) for name in frame.columns], axis=1))


def read_npz(path: Path, source: str) -> Table:
    """The arrays of an .npz file: inputs `x` (N,) or (N, D) and targets `y` (N,) or (N, T).

    `X` or `inputs`, and `Y` or `targets`, are understood too. Columns are named x0, x1, ...; a 1-D array is
    one column of the array's own name. Object arrays are refused: they would run code on loading.

    Raises:
        DataError: it is no such file, or its arrays do not fit.
    """
    with path.open("rb") as file:
        try:
            archive = np.load(file, allow_pickle=False)
        except (ValueError, EOFError, BadZipFile) as error:  # ValueError: neither zip nor NumPy's own format
            raise _no_archive(source) from error
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise _no_archive(source)
        arrays = {name: _array(archive, name, source) for name in archive.files}
    inputs, targets = _chosen(arrays, _INPUTS, source), _chosen(arrays, _TARGETS, source)
    return _joined(inputs, targets, source)


def _array(archive: Any, name: str, source: str) -> NDArray[Any]:
    try:
        return np.asarray(archive[name])
    except ValueError as error:
        rule = "holds Python objects, which could run code when loaded"
        remedy = "save numbers or texts: array.astype(float), array.astype(str)"
        raise DataError(Problem(place=source, key=name, rule=rule, remedy=remedy)) from error
    except (BadZipFile, EOFError, OSError) as error:
        raise DataError(Problem(place=source, key=name, rule=f"is damaged: {error}")) from error


def _no_archive(source: str) -> DataError:
    return DataError(
        Problem(
            place=source, rule="is no .npz archive", remedy="write it with numpy.savez(path, x=..., y=...)"
        )
    )


def _chosen(arrays: dict[str, NDArray[Any]], names: tuple[str, ...], source: str) -> NDArray[Any]:
    found = [name for name in names if name in arrays]
    if len(found) == 1:
        return arrays[found[0]]
    held = ", ".join(map(repr, arrays)) or "none"
    rule = f"must hold one array named {' or '.join(map(repr, names))}; its arrays: {held}"
    raise DataError(Problem(place=source, rule=rule, remedy="write it with numpy.savez(path, x=..., y=...)"))


def _joined(inputs: NDArray[Any], targets: NDArray[Any], source: str) -> Table:
    problems = [
        Problem(place=source, key=key, rule=rule)
        for key, array in (("x", inputs), ("y", targets))
        for rule in _misfits(array)
    ]
    if not problems and len(inputs) != len(targets):
        problems = [
            Problem(place=source, rule=f"x has {len(inputs)} rows and y has {len(targets)}: they must agree")
        ]
    if problems:
        raise DataError(problems)
    columns, goals = _named("x", inputs), _named("y", targets)
    return Table(frame=pd.DataFrame({**columns, **goals}), target=tuple(goals))


def _misfits(array: NDArray[Any]) -> list[str]:
    if array.ndim not in {1, 2}:
        return [f"must have 1 or 2 dimensions, got {array.ndim}: shape {array.shape}"]
    if array.dtype.kind not in _SIMPLE_KINDS:
        return [f"must hold numbers, booleans or texts, got {array.dtype}"]
    return [] if array.size else [f"holds nothing: shape {array.shape}"]


def _named(name: str, array: NDArray[Any]) -> dict[str, NDArray[Any]]:
    native = array.astype(array.dtype.newbyteorder("="))  # pandas takes no foreign byte order
    if native.dtype.kind in "US":
        native = native.astype(str).astype(object)
    if native.ndim == 1:
        return {name: native}
    return (
        {f"{name}{i}": native[:, i] for i in range(native.shape[1])}
        if native.shape[1] > 1
        else {name: native[:, 0]}
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
