"""How inputs differ from what a model was trained on: told before they are predicted."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from hpsearch.data.columns import numbers, texts
from hpsearch.data.preprocessing import CategoricalColumn, FittedColumn, Preprocessor
from hpsearch.errors import DataError, Problem
from hpsearch.model import TrainedModel

_SHOWN: Final = 5
_BEYOND: Final = 1e-9


def completed(model: TrainedModel, frame: "pd.DataFrame", source: str) -> "tuple[pd.DataFrame, list[str]]":
    """The table with every column that the model wants, and what is unlike the training data, a sentence each.

    A missing column counts as missing in every row: it is filled as the model fills missing values. A model of other
    inputs than tables gets what it is given. `source` is what the table is called.

    Raises:
        DataError: it has none of the columns.
    """
    preprocessor = model.preprocessor
    if not isinstance(preprocessor, Preprocessor):
        return frame, []
    given = [str(name) for name in frame.columns]
    frame = frame.set_axis(given, axis=1)
    missing = [name for name in preprocessor.columns if name not in given]
    if len(missing) == len(preprocessor.columns):
        raise DataError(_strange(source, given, missing))
    found = [f"column {name!r} is missing; all its values are filled in" for name in missing]
    frame = frame.assign(**dict.fromkeys(missing, np.nan))
    ranges = model.about.get("ranges", {})
    for column in preprocessor.fitted:
        if column.name not in missing:
            found += _differences(column, frame[column.name], ranges)
    targets = set(model.task.target_names)
    further = [name for name in given if name not in (*preprocessor.columns, *targets)]
    if further:
        shown = ", ".join(map(repr, further[:_SHOWN])) + (", ..." if further[_SHOWN:] else "")
        found.append(f"columns that the model does not use: {shown}")
    return frame, found


def _strange(source: str, given: Sequence[str], wanted: Sequence[str]) -> Problem:
    shown, there = (", ".join(map(repr, names[:_SHOWN])) for names in (wanted, given))
    rule = f"has none of the columns that the model learned from, {shown}{', ...' if wanted[_SHOWN:] else ''}"
    return Problem(place=source, rule=rule, remedy=f"is it another table? It has {there}")


def _differences(
    column: FittedColumn, values: "pd.Series[Any]", ranges: Mapping[str, Sequence[float]]
) -> list[str]:
    if isinstance(column, CategoricalColumn):
        return _unseen(column, values)
    return _beyond(column.name, values, ranges.get(column.name))


def _unseen(column: CategoricalColumn, values: "pd.Series[Any]") -> list[str]:
    if column.encode == "hashing":
        return []
    known = set(column.categories)
    strange = pd.Series(
        [text for text in texts(values) if text is not None and text not in known], dtype=object
    )
    if strange.empty:
        return []
    names = strange.value_counts().index.tolist()
    shown = ", ".join(map(repr, names[:_SHOWN])) + (", ..." if names[_SHOWN:] else "")
    return [f"column {column.name!r}: {len(strange):,} rows of categories not seen in training: {shown}"]


def _beyond(name: str, values: "pd.Series[Any]", trained: Sequence[float] | None) -> list[str]:
    block = numbers(values)
    if block is None or trained is None or not np.isfinite(block).any():
        return []
    low, high = trained
    slack = _BEYOND * max(abs(low), abs(high))
    outside = int(((block < low - slack) | (block > high + slack)).sum())
    if not outside:
        return []
    least, greatest = np.nanmin(block), np.nanmax(block)
    found = (
        f"column {name!r}: {outside:,} of {len(block):,} values beyond the training data's {low:g} to {high:g} "
        f"(here {least:g} to {greatest:g})"
    )
    return [found]
