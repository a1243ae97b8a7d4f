"""Training data as files that many processes map: written once, read by all, never copied into a worker."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import TrainingData


@dataclass(frozen=True, slots=True)
class Mapped:
    """The place of an array in a file."""

    file: str
    offset: int
    dtype: str
    shape: tuple[int, ...]

    def open(self) -> NDArray[Any]:
        """The array, mapped and read-only."""
        if 0 in self.shape:
            return np.zeros(self.shape, self.dtype)
        # asarray drops the memmap subclass, whose bookkeeping would slow every small operation
        return np.asarray(
            np.memmap(self.file, self.dtype, mode="r", offset=self.offset, shape=self.shape or (1,))
        ).reshape(self.shape)


def written(data: TrainingData, directory: Path) -> TrainingData:
    """The data with the place of each array for the array, small enough to be sent; the arrays are in `directory`.

    An array that lies in a file already stays there: it is written nowhere.

    Raises:
        OSError: the directory cannot be written.
    """
    names = _names(directory)
    sent: TrainingData = _each(
        data, np.ndarray, lambda array: place_in_file(array) or _write(array, next(names))
    )
    return sent


def copied(data: TrainingData, directory: Path) -> None:
    """Write every array into a directory, wherever it lies now; see `located`.

    Raises:
        OSError: the directory cannot be written.
    """
    names = _names(directory)
    _each(data, np.ndarray, lambda array: _write(array, next(names)))


def located(data: TrainingData, directory: Path) -> TrainingData:
    """The data with the place in `directory` for each array, where `copied` has put it."""
    names = _names(directory)
    sent: TrainingData = _each(
        data, np.ndarray, lambda array: Mapped(str(next(names)), 0, array.dtype.str, array.shape)
    )
    return sent


def content(data: TrainingData) -> str:
    """The first 16 hexadecimal digits of a SHA-256 of all that the data are."""
    digest = hashlib.sha256()

    def add(array: NDArray[Any]) -> Mapped:
        digest.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
        return Mapped("", 0, array.dtype.str, array.shape)

    digest.update(repr(_each(data, np.ndarray, add)).encode())
    return digest.hexdigest()[:16]


def mapped(sent: TrainingData) -> TrainingData:
    """The data that `written` described, every array mapped from its file.

    Raises:
        OSError: a file is not there any more.
    """
    data: TrainingData = _each(sent, Mapped, Mapped.open)
    return data


def place_in_file(array: NDArray[Any]) -> Mapped | None:
    """Where a C-contiguous array lies that was mapped from a file, in any number of views; None of others."""
    base: Any = array
    root = None
    while isinstance(base, np.ndarray):
        root, base = base, base.base
    if not isinstance(root, np.memmap) or not array.flags.c_contiguous:
        return None
    ahead = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return Mapped(str(root.filename), int(root.offset) + ahead, array.dtype.str, array.shape)


def _names(directory: Path) -> Iterator[Path]:
    return (directory / f"{number}.bin" for number in count())


def _write(array: NDArray[Any], file: Path) -> Mapped:
    with file.open("wb") as stream:  # `tofile` says nothing of a disk that is full when its buffer is flushed
        stream.write(np.ascontiguousarray(array).data)
    return Mapped(str(file), 0, array.dtype.str, array.shape)


def _each(tree: Any, kind: type, change: Any) -> Any:
    """The tree of dataclasses and tuples with every leaf of one kind changed."""
    if isinstance(tree, kind):
        return change(tree)
    if isinstance(tree, tuple):
        return tuple(_each(item, kind, change) for item in tree)
    if is_dataclass(tree) and not isinstance(tree, type):
        parts = {field.name: getattr(tree, field.name) for field in fields(tree) if field.init}
        changed = {name: _each(part, kind, change) for name, part in parts.items()}
        if any(changed[name] is not parts[name] for name in parts):
            return replace(tree, **changed)
    return tree
