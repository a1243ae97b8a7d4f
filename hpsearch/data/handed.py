"""Data that a program hands over, kept in files by its content, so that a study of it can be gone on with."""

import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hpsearch.data.fingerprint import fingerprint
from hpsearch.errors import DataError, Problem, StorageError


def kept(data: Any, target: str | Sequence[str] | None, directory: Path) -> dict[str, Any]:
    """Write data into a directory, unless it is there; the `source` and `target` that name it in a study.

    `data`: a table whose column `target` is to be predicted; or `(X, y)`, X a table, rows of values (N, D), or
    pictures or series (N, ...), y (N,) or (N, T). A table is a DataFrame, or what has `to_pandas`, as those of pyarrow
    and polars have.

    Raises:
        DataError: it is none of these, or X and y differ in length.
        StorageError: the directory cannot be written.
    """
    data = _as_pandas(data)
    if isinstance(data, pd.DataFrame):
        if target is None:
            raise _refused("is a table, whose target must be named", "say data: {target: NAME} in the study")
        names = [target] if isinstance(target, str) else list(target)
        return _kept_table(data.set_axis(list(map(str, data.columns)), axis=1), names, directory)
    if not isinstance(data, tuple) or len(data) != 2:
        raise _refused(f"must be (X, y) or a DataFrame, got {type(data).__name__}")
    inputs, targets = map(_as_pandas, data)
    rows = [_rows(each, name) for each, name in ((inputs, "X"), (targets, "y"))]
    if rows[0] != rows[1]:
        raise _refused(f"has {rows[0]} rows of X and {rows[1]} of y")
    if not rows[0]:
        raise _refused("has no rows")
    if not isinstance(inputs, pd.DataFrame) and _axes(inputs) > 2:
        return _kept_arrays(np.asarray(inputs), np.asarray(targets), directory)
    frame = inputs if isinstance(inputs, pd.DataFrame) else _numbered(inputs)
    frame = frame.set_axis(list(map(str, frame.columns)), axis=1).reset_index(drop=True)
    goals = _goals(targets, target).reset_index(drop=True)
    twice = [name for name in goals.columns if name in frame.columns]
    if twice:
        raise _refused(f"has a column {twice[0]!r} in X that is named like the target")
    return _kept_table(pd.concat([frame, goals], axis=1), list(goals.columns), directory)


def _refused(rule: str, remedy: str = "") -> DataError:
    return DataError(Problem(place="data", rule=rule, remedy=remedy))


def _as_pandas(table: Any) -> Any:
    return table.to_pandas() if hasattr(table, "to_pandas") else table


def _rows(values: Any, name: str) -> int:
    if hasattr(values, "tocsr"):
        raise _refused(f"{name} is a sparse matrix", f"give its rows whole: {name}.toarray()")
    try:
        return len(values)
    except TypeError:
        raise _refused(f"{name} must be rows of values, got {type(values).__name__}") from None


def _axes(values: Any) -> int:
    try:
        return np.ndim(values)
    except ValueError:
        raise _refused("X must be rows of one length") from None


def _numbered(values: Any) -> pd.DataFrame:
    """Rows as a table; each column of lists has a type of its own."""
    if _axes(values) != 2:
        raise _refused(f"X must be rows of values (N, D), got the shape {np.shape(values)}")
    frame = pd.DataFrame(values if isinstance(values, list | tuple) else np.asarray(values))
    return frame.set_axis([f"x{number}" for number in range(frame.shape[1])], axis=1)


def _goals(targets: Any, named: str | Sequence[str] | None) -> pd.DataFrame:
    names = [named] if isinstance(named, str) else list(named or ())
    if isinstance(targets, pd.DataFrame):
        return targets.set_axis(names or list(map(str, targets.columns)), axis=1)
    if isinstance(targets, pd.Series):
        return targets.to_frame(names[0] if names else str(targets.name or "target"))
    array = np.asarray(targets)
    array = array.reshape(len(array), -1)
    several = [f"target{number}" for number in range(array.shape[1])]
    return pd.DataFrame(array, columns=names or (["target"] if len(several) == 1 else several))


def _kept_table(frame: pd.DataFrame, targets: list[str], directory: Path) -> dict[str, Any]:
    absent = [name for name in targets if name not in frame.columns]
    if absent:
        raise _refused(f"has no column {absent[0]!r}", f"there are {', '.join(map(str, frame.columns[:20]))}")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise _refused(f"has the column {twice[0]!r} twice", "give each a name of its own")
    path = directory / f"{fingerprint(frame.drop(columns=targets), frame[targets])}.parquet"
    _write(path, lambda draft: frame.to_parquet(draft, index=False))
    return {"source": path.name, "target": targets[0] if len(targets) == 1 else targets}


def _kept_arrays(x: "np.ndarray[Any, Any]", y: "np.ndarray[Any, Any]", directory: Path) -> dict[str, Any]:
    digest = hashlib.sha256(f"{x.shape}{x.dtype}{y.shape}{y.dtype}".encode())
    digest.update(np.ascontiguousarray(x).tobytes() + np.ascontiguousarray(y).tobytes())
    path = directory / f"{digest.hexdigest()[:16]}.npz"
    _write(path, lambda draft: np.savez(draft, x=x, y=y))
    return {"source": path.name}


def _write(path: Path, write: Any) -> None:
    """A file whole or not at all; one of that name has that content."""
    if path.exists():
        return
    draft = path.with_name(f".{path.stem}.{os.getpid()}-{threading.get_ident()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(draft)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error
    except (TypeError, ValueError, NotImplementedError) as error:
        draft.unlink(missing_ok=True)
        raise _refused(f"cannot be kept as a file ({error.args[-1]})") from error
