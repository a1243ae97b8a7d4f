"""Rows of an array wherever it lies: of one in a file they are read, not mapped, so that none of it stays resident.

Pages of a mapping that were touched count as the process's memory until they are given back, and the system maps
many at a time (2 MB where it can): rows drawn at random would soon have the whole file resident.
"""

import os
from typing import Any
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.mapped import place_in_file


class Rows:
    """Reads rows of an array (N, ...)."""

    def __init__(self, array: NDArray[Any]) -> None:
        """Open the array's file, if it lies in one.

        Raises:
            OSError: the file is not there any more.
        """
        place = place_in_file(array)
        self._array = array
        self._scratch = array[:0]
        self._bytes = array[:1].nbytes
        self._file: int | None = None
        if place is not None:
            self._name, self._offset = place.file, place.offset
            self._file = os.open(place.file, os.O_RDONLY)
            finalize(self, os.close, self._file)

    def read(self, rows: NDArray[np.integer], out: NDArray[Any]) -> None:
        """The rows (W,) into `out` (W, ...), which may be of another type.

        Raises:
            OSError: the file cannot be read.
        """
        if self._file is None:
            out[:] = self._array[rows]
            return
        if out.dtype == self._array.dtype and out.flags.c_contiguous:
            self._read_file(rows, out)
            return
        if len(self._scratch) < len(rows):
            self._scratch = np.empty((len(rows), *self._array.shape[1:]), self._array.dtype)
        self._read_file(rows, self._scratch)
        out[:] = self._scratch[: len(rows)]

    def _read_file(self, rows: NDArray[np.integer], out: NDArray[Any]) -> None:
        """Rows that follow one another in one call."""
        assert self._file is not None  # noqa: S101 - asked before
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
        ends = np.append(starts, len(rows))[1:]
        places = rows[starts].astype(np.int64) * self._bytes + self._offset
        for start, end, place in zip(starts.tolist(), ends.tolist(), places.tolist(), strict=True):
            piece: Any = out[start:end]
            if os.preadv(self._file, [piece], place) != (end - start) * self._bytes:
                raise OSError(f"{self._name} is shorter than it was")


def rows_of(array: NDArray[Any], rows: NDArray[np.integer]) -> NDArray[Any]:
    """`array[rows]`, a copy."""
    if place_in_file(array) is None:
        return np.asarray(array[rows])
    out = np.empty((len(rows), *array.shape[1:]), array.dtype)
    Rows(array).read(rows, out)
    return out
