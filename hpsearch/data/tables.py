"""Tables as a kind of inputs: columns of numbers and texts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.checks import check_columns, check_inputs, check_settings, check_values
from hpsearch.data.columns import numbers, tidy
from hpsearch.data.dates import moments
from hpsearch.data.fingerprint import fingerprint
from hpsearch.data.preprocessing import Preprocessor
from hpsearch.data.raw import Findings

if TYPE_CHECKING:
    from hpsearch.data.splits import Split
    from hpsearch.spec import DataSpec, PreprocessSpec


@dataclass(frozen=True, slots=True, eq=False)
class TableInputs:
    """A table's input columns. `tidied` once each is float64 or object (see `columns.tidy`)."""

    frame: pd.DataFrame
    tidied: bool = False
    settings: "PreprocessSpec | None" = None

    @property
    def columns(self) -> int:
        """The number of columns."""
        return len(self.frame.columns)

    def __len__(self) -> int:
        return len(self.frame)

    def tidy(self, settings: "PreprocessSpec | None" = None) -> "TableInputs":
        """The same table with each column's kind decided, rows numbered from 0, to be prepared by these settings."""
        frame = self.frame.reset_index(drop=True)
        dated = frame.assign(**_dates(frame, settings))
        return TableInputs(tidy(dated), tidied=True, settings=settings)

    def take(self, rows: NDArray[np.int64]) -> "TableInputs":
        """These rows; each keeps its number."""
        return TableInputs(self.frame.iloc[rows], self.tidied, self.settings)

    def identity(self, targets: pd.DataFrame) -> str:
        """See `fingerprint`."""
        return fingerprint(self.frame, targets)

    def check(self, findings: Findings) -> None:
        """Cells that cannot be used."""
        check_inputs(self.frame, findings)
        if self.settings is not None:
            check_settings(self.frame, self.settings, findings)

    def check_parts(self, split: "Split", findings: Findings) -> None:
        """Columns without values, constant ones, too many categories."""
        check_columns(
            self.frame.iloc[split.train], self.frame.iloc[split.development], findings, self.settings
        )
        for fold in split.folds[1:]:
            check_values(self.frame.iloc[fold.train], findings)

    def row_codes(self) -> NDArray[np.uint64]:
        """Hashes of the rows."""
        hashes = pd.util.hash_pandas_object(self.frame, index=False)
        return np.asarray(hashes, dtype=np.uint64)

    def fit(self, settings: "DataSpec") -> Preprocessor:
        """Missing values, scaling and codes, fitted to these rows."""
        return Preprocessor.fit(self.frame, settings.preprocess)

    def example(self, rows: NDArray[np.int64]) -> pd.DataFrame:
        """The rows themselves, in the types of the source."""
        return self.frame.iloc[rows].reset_index(drop=True)


def _dates(frame: pd.DataFrame, settings: "PreprocessSpec | None") -> dict[str, Any]:
    """The columns whose every value is a date, unless they are to be taken as texts."""
    found = {}
    for name in frame.columns:
        column = frame[name]
        if numbers(column) is None and (settings is None or settings.date_of(str(name)) != "text"):
            read, readable = moments(column)
            if readable.all() and not np.isnat(read).all():
                found[name] = pd.Series(read, index=frame.index)
    return found
