"""Prepared arrays: in memory, or of large inputs in files of the cache, written a few rows at a time."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.cache import LARGE, Cache, forget, key_of, root, slices
from hpsearch.data.kinds import Arrays, Inputs, Preparer
from hpsearch.data.prepared import Part, frozen
from hpsearch.data.rows import rows_of

if TYPE_CHECKING:
    from hpsearch.spec import DataSpec

JUDGED: Final = 32 << 20
"""Bytes of a validation part in a file that every epoch is judged on."""


def cache_for(inputs: Inputs, spec: "DataSpec", cache: Cache | None) -> Cache | None:
    """Where arrays prepared of inputs are kept; None: in memory. Only tables and pictures can be large."""
    raw = getattr(inputs, "stored", getattr(inputs, "pixels", None))
    if raw is None or spec.storage == "memory":
        return None
    prepared = raw.size * np.dtype(np.float32).itemsize
    if spec.storage == "disk" or prepared > LARGE or hasattr(inputs, "stored"):
        return cache or Cache.temporary()
    return None


def in_memory(part: Part, random: np.random.Generator, *, most: int = JUDGED) -> Part:
    """The part; of one that lies in a file, as many rows, drawn at random and in order, as `most` bytes hold."""
    if root(part.x) is None or part.x.nbytes <= most:
        return part
    count = max(2, most // part.x[:1].nbytes)
    rows = np.sort(random.choice(len(part), size=min(len(part), count), replace=False))
    return frozen(rows_of(part.x, rows), part.y[rows], None if part.lengths is None else part.lengths[rows])


def prepared_arrays(inputs: Inputs, preparer: Preparer, cache: Cache | None, identity: str) -> Arrays:
    """What a preparer makes of inputs, in a file of the cache if there is one; `identity` is that of the data."""
    if cache is None:
        return preparer.prepare(inputs)
    rows = getattr(inputs, "rows", None)
    rows = np.arange(len(inputs)) if rows is None else rows
    first, _ = preparer.prepare(inputs.take(np.arange(1)))
    key = key_of("part", identity, preparer.to_json(), np.ascontiguousarray(rows, dtype=np.int64))

    def fill(x: NDArray[Any]) -> None:
        for some in slices(len(rows), first.nbytes):
            x[some], _ = preparer.prepare(inputs.take(np.arange(some.start, some.stop)))
            forget(x)

    return cache.array(key, (len(rows), *first.shape[1:]), first.dtype, fill), None
