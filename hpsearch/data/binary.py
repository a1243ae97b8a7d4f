"""Parquet, Arrow and NumPy files."""

import math
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any, Final
from zipfile import ZipFile, ZipInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib.format import read_array, read_array_header_1_0, read_array_header_2_0, read_magic
from numpy.typing import NDArray

from hpsearch.data.bounds import check_unpacked
from hpsearch.data.table import Table
from hpsearch.errors import DataError, Problem

_INPUTS: Final = ("x", "X", "inputs")
_TARGETS: Final = ("y", "Y", "targets")
_SIMPLE_KINDS: Final = "biufUS"


def read_parquet(path: Path, source: str) -> Table:
    """The table of a Parquet file.

    Raises:
        DataError: it is no Parquet file, has no rows, names a column twice, or would exhaust memory.
    """
    try:
        with pq.ParquetFile(path) as file:
            check_unpacked(_decoded_size(file.metadata), path, source)
            table = file.read()
            table.validate(full=True)  # texts, too: they are decoded only when used
            frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    except (DataError, PermissionError):
        raise
    except Exception as error:  # Arrow and its Python side raise whatever they meet in damaged bytes
        raise DataError(Problem(place=source, rule=f"is no Parquet file: {_first_line(error)}")) from error
    return _named_columns(frame, source)


def read_arrow(path: Path, source: str) -> Table:
    """The table of an Arrow file (.arrow, .feather: the IPC file format, also compressed).

    Raises:
        DataError: it is no Arrow file, has no rows, names a column twice, or would exhaust memory.
    """
    try:
        with pa.memory_map(str(path)) as mapped, pa.ipc.open_file(mapped) as file:
            rows = sum(file.get_batch(i).num_rows for i in range(file.num_record_batches))
            check_unpacked(rows * len(file.schema) * np.float32().itemsize, path, source)
            table = file.read_all()
            table.validate(full=True)
            frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    except (DataError, PermissionError):
        raise
    except Exception as error:  # as above
        raise DataError(Problem(place=source, rule=f"is no Arrow file: {_first_line(error)}")) from error
    return _named_columns(frame, source)


def _named_columns(frame: pd.DataFrame, source: str) -> Table:
    names = [str(name) for name in frame.columns]
    problems = [
        Problem(place=source, rule=f"column {name!r} occurs more than once")
        for name, count in Counter(names).items()
        if count > 1
    ]
    if problems:
        raise DataError(problems)
    if frame.empty:
        raise DataError(Problem(place=source, rule="the file has no rows", remedy="add the data"))
    return Table(frame=frame.set_axis(names, axis=1))


def _decoded_size(metadata: pq.FileMetaData) -> int:
    """Bytes of the columns, at least: a run of equal values takes next to nothing in the file."""
    return int(metadata.num_rows * metadata.num_columns * np.float32().itemsize)


def read_npz(path: Path, source: str) -> Table:
    """The arrays of an .npz file: inputs `x` (N,) or (N, D) and targets `y` (N,) or (N, T).

    `X` or `inputs`, and `Y` or `targets`, are understood too. Columns are named x0, x1, ...; a 1-D array is
    one column of the array's own name. Object arrays are refused: they would run code on loading.

    Raises:
        DataError: it is no such file, its arrays do not fit, or they would exhaust memory.
    """
    inputs, targets, _ = archive_arrays(path, source)
    return _joined(inputs, targets, source)


def archive_arrays(path: Path, source: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
    """The arrays of inputs and targets in an .npz file, and that of `lengths` where there is one.

    Raises:
        DataError: it is no such file, lacks them, or they would exhaust memory.
    """
    try:
        archive = ZipFile(path)
    except OSError:
        raise
    except Exception as error:  # zipfile raises whatever it meets in damaged bytes
        raise _no_archive(source) from error
    with archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        chosen = [_chosen(members, names, source) for names in (_INPUTS, _TARGETS)]
        chosen += [name for name in ("lengths",) if name in members]
        check_unpacked(sum(members[name].file_size for name in chosen), path, source)
        arrays = [_array(archive, members[name], name, source) for name in chosen]
    return arrays[0], arrays[1], arrays[2] if arrays[2:] else None


def goals_of(targets: NDArray[Any], source: str) -> pd.DataFrame:
    """Targets (N,) or (N, T) as a table of columns y, or y0, y1, ...

    Raises:
        DataError: they have other dimensions, or hold neither numbers nor texts.
    """
    misfits = [Problem(place=source, key="y", rule=rule) for rule in _misfits(targets)]
    if misfits:
        raise DataError(misfits)
    return pd.DataFrame(_named("y", targets))


def _array(archive: ZipFile, info: ZipInfo, name: str, source: str) -> NDArray[Any]:
    """An array of the archive; its header is read before memory is taken for what it announces."""
    try:
        with archive.open(info) as member:
            count, dtype = _header(member)
            announced, there = count * dtype.itemsize, info.file_size - member.tell()
            if not dtype.hasobject and announced == there:
                member.seek(0)
                return np.asarray(read_array(member, allow_pickle=False))
    except Exception as error:  # zipfile and NumPy raise whatever they meet in damaged bytes
        raise _damaged(name, source, _first_line(error)) from error
    if not dtype.hasobject:
        raise _damaged(name, source, f"its header announces {announced} bytes, and {there} are there")
    rule = "holds Python objects, which could run code when loaded"
    remedy = "save numbers or texts: array.astype(float), array.astype(str)"
    raise DataError(Problem(place=source, key=name, rule=rule, remedy=remedy))


def _header(member: IO[bytes]) -> tuple[int, np.dtype[Any]]:
    """How many values of which type an array says that it has."""
    version = read_magic(member)
    read = read_array_header_1_0 if version == (1, 0) else read_array_header_2_0
    shape, _, dtype = read(member)
    return math.prod(shape), dtype


def _damaged(name: str, source: str, what: str) -> DataError:
    return DataError(Problem(place=source, key=name, rule=f"is damaged: {what}"))


def _no_archive(source: str) -> DataError:
    return DataError(
        Problem(
            place=source, rule="is no .npz archive", remedy="write it with numpy.savez(path, x=..., y=...)"
        )
    )


def _chosen(there: Collection[str], names: tuple[str, ...], source: str) -> str:
    found = [name for name in names if name in there]
    if len(found) == 1:
        return found[0]
    held = ", ".join(map(repr, there)) or "none"
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
