"""What makes two data sets the same: their values, kinds and names, however they are stored."""

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from hpsearch.data.columns import numbers, texts

if TYPE_CHECKING:
    import pandas as pd


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
