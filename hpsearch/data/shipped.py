"""The data sets that come with scikit-learn, as tables."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pandas as pd

from hpsearch.data.table import Table
from hpsearch.spec.sources import BUNDLED

SHIPPED: Final = tuple(f"sklearn/{name}" for name in BUNDLED)


def load_shipped(source: str) -> Table:
    """The table that one of SHIPPED names, with its target columns, as `sklearn.datasets` loads it."""
    name = source.removeprefix("sklearn/")
    quick = _QUICK.get(name)
    return (quick() if quick else None) or _through_sklearn(name)


def _through_sklearn(name: str) -> Table:
    from sklearn import datasets  # noqa: PLC0415 - takes a second

    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    targets = bunch.target.to_frame() if bunch.target.ndim == 1 else bunch.target
    return Table(frame=bunch.frame, target=tuple(targets.columns))


def _digits() -> Table | None:
    """Digits from the file inside scikit-learn's package, or None where it lies elsewhere.

    Importing scikit-learn takes twice as long as everything else before the first trial, and the study that
    everyone runs first is this one.
    """
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        return None
    file = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    if not file.is_file():
        return None
    names = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    frame = pd.read_csv(file, header=None, names=[*names, "target"])
    return Table(frame=frame.astype(dict.fromkeys(names, float)), target=("target",))


_QUICK: Final[dict[str, Callable[[], Table | None]]] = {"digits": _digits}
