"""Buffers that start on a cache line, and the few array helpers that the engine's files share."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import groupby
from math import prod
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

LINE: Final = 64
"""Bytes in a cache line, and in the widest vector register: a load that straddles two lines costs twice as
much."""


BUFFER: Final = 1024
"""Elements in the buffers that NumPy allocates for an operation that broadcasts, used or not."""


@contextmanager
def quiet() -> Iterator[None]:
    """Small buffers, and floating-point trouble without warnings: it shows in a network's own numbers."""
    with np.errstate(all="ignore"):
        np.setbufsize(BUFFER)
        yield


def padded(count: int, dtype: np.dtype[Any]) -> int:
    """The smallest number of elements not below `count` that fills whole cache lines."""
    per_line = LINE // dtype.itemsize
    return -(-count // per_line) * per_line


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Zeros in C order whose first element starts on a cache line."""
    size = prod(shape) * dtype.itemsize
    raw = np.zeros(size + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size].view(dtype).reshape(shape)


@cache
def constant(value: float, dtype: np.dtype[Any]) -> Array:
    """A number as an array of no dimension: with one, a call on a small array takes half as long as with a scalar."""
    return np.array(value, dtype)


def shared(values: Array) -> Array:
    """`values`, or the one number that they all are, of no dimension: NumPy then needs no loop over rows."""
    first = values.reshape(-1)[:1].reshape(())
    return first if (values == first).all() else values


def runs(chosen: Iterable[bool]) -> Iterator[slice]:
    """The stretches of neighbouring rows that are chosen: `[True, True, False, True]` gives 0:2 and 3:4."""
    for flag, group in groupby(enumerate(chosen), key=lambda pair: bool(pair[1])):
        if flag:
            rows = [row for row, _ in group]
            yield slice(rows[0], rows[-1] + 1)


def total(values: Array) -> Array:
    """Sum over the last axis in float64: (..., N) -> (...).

    A dot product with ones adds in an order that follows from N alone. NumPy's own reduction chooses its
    order from the whole array's shape, so that a row's sum could depend on how many rows stand beside it.
    """
    exact = np.ascontiguousarray(values, np.float64)
    result: Array = np.vecdot(exact, np.ones(exact.shape[-1]))
    return result


def chosen_rows(buffer: Array, rows: Sequence[int] | Array) -> Array:
    """Some rows of (K, P): in the buffer's own memory where they are neighbours."""
    first, last = int(rows[0]), int(rows[-1])
    if list(rows) == list(range(first, last + 1)):
        return buffer[first : last + 1]
    return copied_rows(buffer, rows)


def copied_rows(buffer: Array, rows: Sequence[int] | Array) -> Array:
    """A copy of some rows of (K, P)."""
    result = aligned((len(rows), buffer.shape[1]), buffer.dtype)
    np.take(buffer, rows, axis=0, out=result)
    return result


def chosen_columns(buffer: Array, rows: Sequence[int]) -> Array:
    """A copy of some rows along the second axis of (S, K, P)."""
    result = aligned((len(buffer), len(rows), buffer.shape[2]), buffer.dtype)
    np.take(buffer, rows, axis=1, out=result)
    return result
