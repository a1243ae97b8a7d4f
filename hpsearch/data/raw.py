"""Raw data as it was read, and what is found wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.columns import marked_number, texts
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    import pandas as pd

    from hpsearch.data.kinds import Inputs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawData:
    """Inputs and targets, row by row, in the types that their source gives them.

    `inputs`: a table, or another kind (see `kinds.Inputs`). `name` is what messages call the data; `line` gives
    a row's line in the file, where the source has lines. `part`: (N,) "train", "validation" or "test" of rows
    whose part the source itself gives, "" of the others. `about`: columns that are neither input nor target,
    by which rows may be split. `in_time_order`: rows are windows over one series, in the order of their
    time; `gap`: how many rows must be left out before a later part, whose targets an earlier one would hold.
    """

    name: str
    inputs: "pd.DataFrame | Inputs"
    targets: "pd.DataFrame"
    line: Callable[[int], int] | None = None
    part: NDArray[np.str_] | None = None
    about: "pd.DataFrame | None" = None
    in_time_order: bool = False
    gap: int = 0

    def about_with(self, others: "pd.DataFrame") -> "pd.DataFrame":
        """The columns by which rows may be split: those that are set aside already, and others."""
        import pandas as pd  # noqa: PLC0415 - heavy

        return others if self.about is None else pd.concat([self.about, others], axis=1)


@dataclass(slots=True, kw_only=True)
class Findings:
    """Collects what is wrong with data (problems) or only suspicious (warnings), to be told all at once."""

    name: str
    line: Callable[[int], int] | None = None
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def problem(self, rule: str, *, key: str = "", remedy: str = "", row: int | None = None) -> None:
        """Note what makes the data unusable; `row` counts from 0 in the source's order."""
        place = self.name if row is None or self.line is None else f"{self.name}:{self.line(row)}"
        self.problems.append(Problem(place=place, key=key, rule=rule, remedy=remedy))

    def warn(self, text: str) -> None:
        """Note what the user should know, though the data can be used."""
        self.warnings.append(f"{self.name}: {text}")

    def warn_of_marks(self, column: "pd.Series[Any]") -> None:
        """Note a column of texts that a person reads as numbers: `$1,200`, `5%`, `3,5`."""
        if example := marked_number(texts(column)):
            self.warn(
                f"column {str(column.name)!r} holds texts such as {example!r}, each different one a category; write "
                "plain numbers, as 1200.5, if they are measurements"
            )

    def first(self, column: "pd.Series[Any]", bad: NDArray[np.bool_]) -> int:
        """The row number, in the source, of the first bad cell of a column."""
        return int(column.index[int(bad.argmax())])

    def examples(self, column: "pd.Series[Any]", bad: NDArray[np.bool_]) -> str:
        """The first three bad cells, with their lines in a file that has lines, else their rows from 1."""
        word = "row" if self.line is None else "line"
        rows = [int(row) for row in column.index[bad][:3]]
        cells = [
            f"{_shown(value)} ({word} {row + 1 if self.line is None else self.line(row)})"
            for row, value in zip(rows, column[bad], strict=False)
        ]
        more = int(bad.sum()) - len(cells)
        return ", ".join(cells) + (f" and {more} more" if more else "")

    def stop_if_any(self) -> None:
        """Raise DataError with every problem noted so far, if there is one."""
        if self.problems:
            raise DataError(self.problems)


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)
