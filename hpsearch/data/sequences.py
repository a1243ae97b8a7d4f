"""Series as a kind of inputs: (steps, values), of equal or different length, scaled value by value."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.fingerprint import CHUNK_BYTES, fingerprint_of_arrays, row_hashes
from hpsearch.data.kinds import Arrays, examples_of
from hpsearch.data.numeric import NumericColumn, scaled
from hpsearch.data.prepared import EmbeddedColumn
from hpsearch.data.sequence_scaling import extent, fitted_values
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    from hpsearch.data.raw import Findings
    from hpsearch.data.splits import Split
    from hpsearch.spec import DataSpec

_EXAMPLE_NUMBERS: Final = 100_000
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SequenceInputs:
    """Series `series` (N, T, D), NaN where missing, or those of its `rows`: taken when they are needed.

    `lengths`: (N,) steps that each has, what stands behind them counts for nothing; None: all have T. `cut`:
    whether longer series, later on, are cut to T at their start; `windows`: whether they are windows over one
    series.
    """

    series: NDArray[Any]
    names: tuple[str, ...]
    lengths: NDArray[np.int32] | None = None
    rows: NDArray[np.int64] | None = None
    cut: bool = False
    windows: bool = False

    @property
    def columns(self) -> int:
        """The number of values a step."""
        return int(self.series.shape[2])

    def __len__(self) -> int:
        return len(self.series) if self.rows is None else len(self.rows)

    def take(self, rows: NDArray[np.int64]) -> "SequenceInputs":
        """These series."""
        return SequenceInputs(
            series=self.series,
            names=self.names,
            lengths=self.lengths,
            rows=rows if self.rows is None else self.rows[rows],
            cut=self.cut,
            windows=self.windows,
        )

    def chunks(self) -> Iterator[tuple[Floats, NDArray[np.bool_]]]:
        """Series and which steps they have (N, T), some megabytes of them at a time."""
        count = max(1, CHUNK_BYTES // max(1, self.series[:1].nbytes))
        steps = np.arange(self.series.shape[1])
        for start in range(0, len(self), count):
            rows = np.arange(start, min(start + count, len(self)))
            chosen = rows if self.rows is None else self.rows[rows]
            values = np.asarray(self.series[chosen], dtype=np.float64)
            there = np.ones(values.shape[:2], bool)
            if self.lengths is not None:
                there = steps < self.lengths[chosen][:, None]
            yield values, there

    def lengths_here(self) -> NDArray[np.int32] | None:
        """The lengths of these series."""
        return self.lengths if self.rows is None or self.lengths is None else self.lengths[self.rows]

    def identity(self, targets: pd.DataFrame) -> str:
        """See `fingerprint_of_arrays`."""
        arrays = [self.series] if self.lengths is None else [self.series, self.lengths]
        return fingerprint_of_arrays("sequence:" + ",".join(self.names), arrays, targets)

    def check(self, findings: "Findings") -> None:
        """Infinite values; a count of missing ones."""
        start = missing = 0
        for values, there in self.chunks():
            bad = (np.abs(values) > np.finfo(np.float32).max) & there[:, :, None]
            if bad.any():
                row, step, value = np.argwhere(bad)[0]
                findings.problem(
                    f"must be finite and below 3.4e38 in size, got {values[row, step, value]} "
                    f"in series {start + row + 1}, step {step + 1}",
                    key=f"value {self.names[value]!r}",
                    remedy="correct or empty it",
                )
                return
            missing += int((np.isnan(values) & there[:, :, None]).sum())
            start += len(values)
        if missing and not self.windows:
            findings.warn(f"{missing} missing values stand in as the mean of the training part")

    def check_parts(self, split: "Split", findings: "Findings") -> None:
        """Values that have no number, or only one, in the training part."""
        low, _, high = extent(self.take(split.train))
        for name, lowest, highest in zip(self.names, low, high, strict=True):
            if not np.isfinite(lowest):
                findings.problem("holds no value in the training part", key=f"value {name!r}")
            elif lowest == highest:
                findings.warn(f"value {name!r} is constant: nothing can be learned from it")

    def row_codes(self) -> NDArray[np.uint64]:
        """Hashes of the series, without what stands behind them."""
        return np.concatenate(
            [row_hashes(np.where(there[:, :, None], values, np.inf)) for values, there in self.chunks()]
        )

    def fit(self, settings: "DataSpec") -> "SequencePreparer":
        """Each value's scaling, over the steps that these series have."""
        section = settings.window if self.windows else settings.sequence
        return SequencePreparer(
            fitted=tuple(fitted_values(self, section.scale)),
            steps=int(self.series.shape[1]),
            ragged=self.lengths is not None,
            cut=self.cut,
            windows=self.windows,
        )

    def example(self, rows: NDArray[np.int64]) -> pd.DataFrame:
        """A column `series` of nested lists (steps, values)."""
        few = self.take(rows[: max(1, _EXAMPLE_NUMBERS // max(1, self.series[:1].size))])
        lists = [
            series[present].tolist()
            for values, there in few.chunks()
            for series, present in zip(values, there, strict=True)
        ]
        return pd.DataFrame({"series": lists})


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencePreparer:
    """Each value of a step scaled as `fitted`; missing ones stand in as the training part's mean.

    `steps` is T. `ragged`: whether series may be shorter; they are padded behind with zeros that their length
    hides. `cut`: whether longer ones are cut at their start. `windows`: whether a table is one series, a window
    ending at each of its rows from the T-th on.
    """

    fitted: tuple[NumericColumn, ...]
    steps: int
    ragged: bool
    cut: bool
    windows: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The values of a step."""
        return tuple(column.name for column in self.fitted)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The values of a step."""
        return self.names

    @property
    def embedded(self) -> tuple[EmbeddedColumn, ...]:
        """Series have no columns of categories."""
        return ()

    @property
    def tokens(self) -> None:
        """Values are no tokens."""
        return

    def prepare(self, inputs: Any) -> Arrays:
        """Series as (N, T, D) float32 and, where they may differ in length, their lengths (N,).

        Args:
            inputs: an array (N, T, D), or (N, T) where a step has one value; a list of series (T, D) or (T,); a
                table whose one column holds them; for windows also a table of the series itself.

        Raises:
            DataError: series of another shape or length, or values that are no finite numbers.
        """
        own = inputs if isinstance(inputs, SequenceInputs) else self._series(inputs)
        x = np.zeros((len(own), self.steps, len(self.names)), dtype=np.float32)
        start = 0
        for values, there in own.chunks():
            known = np.where(there[:, :, None], values, np.nan).reshape(-1, len(self.names))
            features = scaled(known, list(self.fitted)).reshape(values.shape)
            x[start : start + len(values)] = np.where(there[:, :, None], features, 0.0)
            start += len(values)
        lengths = own.lengths_here()
        if self.ragged and lengths is None:
            lengths = np.full(len(own), self.steps, dtype=np.int32)
        return x, lengths

    def in_step(self, others: "Sequence[SequencePreparer]") -> "SequencePreparer":
        """Every fold's series have the same shape."""
        del others
        return self

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {"kind": "sequence", **asdict(self)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "SequencePreparer":
        """The preparer that `to_json` described."""
        fields = {name: value for name, value in stored.items() if name != "kind"}
        return cls(**fields | {"fitted": tuple(map(NumericColumn.from_json, stored["fitted"]))})

    def _series(self, inputs: Any) -> SequenceInputs:
        if self.windows and hasattr(inputs, "columns") and set(self.names) <= set(inputs.columns):
            return self._windows(inputs)
        given = examples_of(inputs)
        values, lengths = padded([self._one(row, i) for i, row in enumerate(given)], self.steps, self.names)
        return SequenceInputs(series=values, names=self.names, lengths=lengths if self.ragged else None)

    def _windows(self, table: "pd.DataFrame") -> SequenceInputs:
        if len(table) < self.steps:
            rule = f"a forecast looks back on {self.steps} rows, got {len(table)}"
            raise DataError(Problem(place="inputs", rule=rule))
        series = self._one(table[list(self.names)].to_numpy(dtype=np.float64)[-len(table) :], 0, whole=True)
        windows = np.lib.stride_tricks.sliding_window_view(series, self.steps, axis=0).transpose(0, 2, 1)
        return SequenceInputs(series=windows, names=self.names)

    def _one(self, series: Any, row: int, *, whole: bool = False) -> Floats:
        """One series as (T, D), of a length that is allowed."""
        wanted = f"series {row + 1} must be numbers (steps, {len(self.names)})"
        try:
            array = np.asarray(series, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(Problem(place="inputs", rule=wanted)) from error
        array = array[:, None] if array.ndim == 1 and len(self.names) == 1 else array
        if array.ndim != 2 or array.shape[1] != len(self.names) or not len(array):
            raise DataError(Problem(place="inputs", rule=f"{wanted}, got an array of shape {array.shape}"))
        if np.isinf(array).any():
            raise DataError(Problem(place="inputs", rule=f"series {row + 1} holds infinite numbers"))
        if whole:
            return array
        array = array[-self.steps :] if self.cut else array
        if len(array) > self.steps or (len(array) < self.steps and not self.ragged):
            allowed = "at most" if self.ragged else "exactly"
            rule = f"series {row + 1} must have {allowed} {self.steps} steps, got {len(array)}"
            raise DataError(Problem(place="inputs", rule=rule))
        return array


def padded(series: Sequence[Floats], steps: int, names: Sequence[str]) -> tuple[Floats, NDArray[np.int32]]:
    """Series (T_i, D) as one array (N, steps, D), zero behind each, and their lengths."""
    values = np.zeros((len(series), steps, len(names)))
    for row, one in zip(values, series, strict=True):
        row[: len(one)] = one
    return values, np.array([len(one) for one in series], dtype=np.int32)
