"""What makes two data sets the same: their values, kinds and names, however they are stored."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.cache import forget
from hpsearch.data.columns import numbers, texts

if TYPE_CHECKING:
    import pandas as pd

    from hpsearch.data.raw import RawData

CHUNK_BYTES: Final = 8 << 20


def fingerprint(inputs: "pd.DataFrame", targets: "pd.DataFrame") -> str:
    """The first 16 hexadecimal digits of a SHA-256 of the content.

    Covered: which columns are inputs and targets, their order, names, kind (number or text), and every value,
    with numbers as little-endian float64 and all NaN alike. So a CSV file and the Parquet file made from it
    agree.
    """
    digest = hashlib.sha256()
    for role, table in (("inputs", inputs), ("targets", targets)):
        digest.update(f"{role}:{len(table.columns)}:{len(table)};".encode())
        for name in table.columns:
            _add_column(digest, str(name), table[name])
    return digest.hexdigest()[:16]


def fingerprint_of_arrays(kind: str, arrays: Iterable[NDArray[Any]], targets: "pd.DataFrame") -> str:
    """The first 16 hexadecimal digits of a SHA-256 of inputs that are arrays, and of their targets.

    Covered: the kind, the arrays' shapes and types, and every byte, a few rows at a time.
    """
    digest = hashlib.sha256(kind.encode())
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape};".encode())
        for rows in chunks(array):
            digest.update(np.ascontiguousarray(array[rows]).tobytes())
            forget(array)
    digest.update(f"targets:{len(targets.columns)}:{len(targets)};".encode())
    for name in targets.columns:
        _add_column(digest, str(name), targets[name])
    return digest.hexdigest()[:16]


def chunks(array: NDArray[Any]) -> Iterator[slice]:
    """Slices of rows, of some megabytes each: the same for arrays of one shape and type."""
    rows = max(1, CHUNK_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):
        yield slice(start, min(start + rows, len(array)))


def row_hashes(array: NDArray[Any]) -> NDArray[np.uint64]:
    """(N,) numbers that are equal where the rows of (N, ...) have the same bytes."""
    hashes = (hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=8) for row in array)
    return np.array([int.from_bytes(h.digest(), "little") for h in hashes], dtype=np.uint64)


def with_split(identity: str, raw: "RawData") -> str:
    """The fingerprint of data that also say how their rows are split; without that, `identity` itself."""
    if raw.about is None and raw.part is None:
        return identity
    digest = hashlib.sha256(identity.encode())
    if raw.about is not None:
        for name in raw.about.columns:
            _add_column(digest, str(name), raw.about[name])
    if raw.part is not None:
        digest.update(",".join(raw.part.tolist()).encode())
    return digest.hexdigest()[:16]


def _add_column(digest: Any, name: str, column: "pd.Series[Any]") -> None:
    values = numbers(column)
    spelled = name.encode()
    if values is not None:
        canonical = np.where(np.isnan(values), np.nan, values + 0.0).astype(
            "<f8"
        )  # + 0.0 turns -0.0 into 0.0
        digest.update(b"number:%d:%b;" % (len(spelled), spelled))
        digest.update(canonical.tobytes())
        return
    encoded = [b"" if text is None else text.encode("utf-8", "surrogatepass") for text in texts(column)]
    digest.update(b"text:%d:%b;" % (len(spelled), spelled))
    digest.update(np.array([len(text) for text in encoded], dtype="<i8").tobytes())
    digest.update(b"".join(encoded))
