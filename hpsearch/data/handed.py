"""Data that a program hands over, kept in files by its content, so that a study of it can be gone on with."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hpsearch.data.fingerprint import fingerprint
from hpsearch.errors import DataError, Problem, StorageError


def kept(data: Any, target: str | Sequence[str] | None, directory: Path) -> dict[str, Any]:
    """Write data into a directory, unless it is there; the `source` and `target` that name it in a study.

    `data`: a table whose column `target` is to be predicted; or `(X, y)`, X a table, rows of numbers (N, D), or
    pictures or series (N, ...), y (N,) or (N, T).

    Raises:
        DataError: it is none of these, or X and y differ in length.
        StorageError: the directory cannot be written.
    """
    if isinstance(data, pd.DataFrame):
        if target is None:
            raise _refused("is a table, whose target must be named", "say data: {target: NAME} in the study")
        names = [target] if isinstance(target, str) else list(target)
        return _kept_table(data.set_axis(list(map(str, data.columns)), axis=1), names, directory)
    if not isinstance(data, tuple) or len(data) != 2:
        raise _refused(f"must be (X, y) or a DataFrame, got {type(data).__name__}")
    inputs, targets = data
    if len(inputs) != len(targets):
        raise _refused(f"has {len(inputs)} rows of X and {len(targets)} of y")
    if not isinstance(inputs, pd.DataFrame) and np.ndim(inputs) > 2:
        return _kept_arrays(np.asarray(inputs), np.asarray(targets), directory)
    frame = inputs if isinstance(inputs, pd.DataFrame) else _numbered(np.asarray(inputs))
    frame = frame.set_axis(list(map(str, frame.columns)), axis=1).reset_index(drop=True)
    goals = _goals(targets, target).reset_index(drop=True)
    twice = [name for name in goals.columns if name in frame.columns]
    if twice:
        raise _refused(f"has a column {twice[0]!r} in X that is named like the target")
    return _kept_table(pd.concat([frame, goals], axis=1), list(goals.columns), directory)


def _refused(rule: str, remedy: str = "") -> DataError:
    return DataError(Problem(place="data", rule=rule, remedy=remedy))


def _numbered(array: "np.ndarray[Any, Any]") -> pd.DataFrame:
    if array.ndim != 2:
        raise _refused(f"X must be rows of numbers (N, D), got the shape {array.shape}")
    return pd.DataFrame(array, columns=[f"x{number}" for number in range(array.shape[1])])


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
    draft = path.with_name(f".{path.stem}.draft{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(draft)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot be written ({error.strerror})") from error
    except (TypeError, ValueError) as error:
        draft.unlink(missing_ok=True)
        raise _refused(f"cannot be kept as a file ({error})") from error
