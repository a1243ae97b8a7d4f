"""The test part, sealed: it can be opened for scoring, and its inputs compared with others, no more."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.cache import Cache
from hpsearch.data.parts import prepared_arrays
from hpsearch.data.prepared import Part, Task, frozen

if TYPE_CHECKING:
    from hpsearch.data.kinds import Inputs, Preparer

_READABLE: Final = 30
"""Columns of a table up to which a row can be read."""
_TOLD: Final = 10
"""Of more columns, those that are told."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SealedTest:
    """The raw test rows. `open` is the only way to them, and it needs preprocessing fitted on other rows.

    A sealed test part cannot be copied to a worker: pickling it raises TypeError.
    """

    _inputs: "Inputs" = field(repr=False)
    _targets: Any = field(repr=False)
    _cache: Cache | None = field(default=None, repr=False)
    _identity: str = ""

    def __len__(self) -> int:
        return len(self._inputs)

    def __repr__(self) -> str:
        return f"SealedTest({len(self)} rows)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("the test part is sealed: it stays in the process that prepared it")

    def columns(self, preprocessor: "Preparer") -> NDArray[np.float64]:
        """The inputs' columns (see `description.columns_of`), to tell how far they are from the training part's."""
        from hpsearch.data.description import COMPARED, columns_of, evenly  # noqa: PLC0415 - only where data is described

        rows = evenly(len(self._inputs), COMPARED)
        x, lengths = preprocessor.prepare(self._inputs.take(rows))
        return columns_of(x, lengths)

    def examples(self, rows: NDArray[np.int64], first: Sequence[str] = ()) -> list[dict[str, Any]]:
        """A few rows as people read them: `inputs` by column of a table or a text, or a `picture` (see `gallery`).

        Images, series and tables whose columns are the pixels of an image are drawn. Of a table of more columns than
        can be read only those of `first` are told.
        """
        from pandas.api.types import is_numeric_dtype  # noqa: PLC0415

        from hpsearch.data.gallery import grid_of, picture, picture_of_series  # noqa: PLC0415 - only for what is shown

        frame = self._inputs.example(rows)
        if list(frame.columns) == ["image"]:
            return [{"picture": picture(np.array(pixels))} for pixels in frame["image"]]
        if "series" in frame.columns:
            return [{"picture": picture_of_series(np.array(series))} for series in frame["series"]]
        if (grid := grid_of([*map(str, frame.columns)])) and frame.dtypes.map(is_numeric_dtype).all():
            rows_of_pixels = np.nan_to_num(frame.to_numpy(np.float64))
            return [{"picture": picture(pixels.reshape(*grid, 1))} for pixels in rows_of_pixels]
        if len(frame.columns) > _READABLE:
            frame = frame[[*first[:_TOLD]]]
        rows_of_text = json.loads(frame.to_json(orient="records", date_format="iso"))
        return [{"inputs": row} for row in rows_of_text]

    def open(self, preprocessor: "Preparer", task: Task) -> Part:
        """The test rows as the fitted preprocessing and the task's scaling see them."""
        x, lengths = prepared_arrays(self._inputs, preprocessor, self._cache, self._identity)
        return frozen(x, task.encode(self._targets), lengths)
