"""The kinds of inputs: what each must do, between the raw rows of a source and the arrays of training."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import EmbeddedColumn

if TYPE_CHECKING:
    import pandas as pd

    from hpsearch.data.raw import Findings
    from hpsearch.data.splits import Split
    from hpsearch.spec import DataSpec

Arrays = tuple[NDArray[Any], NDArray[np.int32] | None]
"""Inputs as networks get them: `x` (N, ...) and `lengths` (N,) or None; see `prepared.Part`."""


class Preparer(Protocol):
    """What turns raw inputs of one kind into arrays, as fitted on some rows. No state but what JSON holds."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the numbers along the last axis of `x`."""

    @property
    def tokens(self) -> int | None:
        """How many token numbers there are, padding and unknown among them; None where `x` is no tokens."""

    @property
    def embedded(self) -> tuple[EmbeddedColumn, ...]:
        """The columns of a table that hold numbers of categories; of other inputs none."""

    def prepare(self, inputs: Any) -> Arrays:
        """Raw inputs, as a user has them or as a source gives them, as arrays.

        Raises:
            DataError: they are not what the preparer was fitted to.
        """

    def in_step(self, others: Sequence[Self]) -> Self:
        """The same preparer, whose arrays have the shape of the largest among those of other folds' preparers."""

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values; `preparer_from_json` gives an equal preparer back, to the last bit."""


class Inputs(Protocol):
    """Raw inputs of one kind, row by row."""

    @property
    def columns(self) -> int:
        """How many columns, or channels, a row has; for messages."""

    def __len__(self) -> int: ...

    def take(self, rows: NDArray[np.int64]) -> Self:
        """These rows, in this order."""

    def identity(self, targets: "pd.DataFrame") -> str:
        """The first 16 hexadecimal digits of a SHA-256 of inputs and targets."""

    def check(self, findings: "Findings") -> None:
        """Note what no network can learn from: looked for in all rows."""

    def check_parts(self, split: "Split", findings: "Findings") -> None:
        """Note what fitting needs: looked for in the rows that are fitted, never in the test part."""

    def row_codes(self) -> NDArray[np.uint64]:
        """(N,) numbers that are equal where rows are."""

    def fit(self, settings: "DataSpec") -> Preparer:
        """A preparer fitted to these rows."""

    def example(self, rows: NDArray[np.int64]) -> "pd.DataFrame":
        """A few rows as a table that a served model takes."""


_HOMES: Final = {
    "table": ("preprocessing", "Preprocessor"),
    "image": ("images", "ImagePreparer"),
    "sequence": ("sequences", "SequencePreparer"),
    "text": ("text", "TextPreparer"),
}


def preparer_from_json(stored: Mapping[str, Any]) -> Preparer:
    """The preparer that `to_json` described; what names no kind is a table's."""
    module, name = _HOMES[stored.get("kind", "table")]
    home = getattr(import_module(f"hpsearch.data.{module}"), name)
    return cast("Preparer", home.from_json(stored))


def as_inputs(inputs: Any) -> Inputs:
    """Raw inputs by their kind: a DataFrame is a table, anything else says itself what it is."""
    from hpsearch.data.tables import TableInputs  # noqa: PLC0415 - workers import this module, and no pandas

    return inputs if hasattr(inputs, "row_codes") else TableInputs(inputs)


def examples_of(inputs: Any) -> Any:
    """What a user hands over as arrays: a table of one column (as a served model gets it) is its values."""
    if hasattr(inputs, "columns") and hasattr(inputs, "iloc") and len(inputs.columns) == 1:
        return inputs.iloc[:, 0].tolist()
    return inputs
