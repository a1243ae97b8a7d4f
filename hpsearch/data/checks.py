"""What is looked for in the input columns before anything is learned from them."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.columns import beyond_float32, bounds_of, is_numeric, stray_texts
from hpsearch.data.dates import FORM, is_date, moments
from hpsearch.data.preprocessing import is_constant
from hpsearch.data.raw import Findings
from hpsearch.data.splits import Split

if TYPE_CHECKING:
    from hpsearch.spec import PreprocessSpec
    from hpsearch.spec.preprocessing import ColumnSpec

MOST_CATEGORIES: Final = 1000
ID_LIKE: Final = 0.5
FEWEST_FOR_ID: Final = 20
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)


def check_inputs(inputs: "pd.DataFrame", findings: Findings) -> None:
    """Note problems of a tidy table's cells: infinite numbers, a few texts among numbers; no columns."""
    if not len(inputs.columns):
        findings.problem("no input columns are left", remedy="keep at least one besides the target")
    for name in inputs.columns:
        column = inputs[name]
        if is_numeric(column):
            _check_finite(column, findings)
        elif not is_date(column):
            _check_stray(column, findings)


def check_settings(inputs: "pd.DataFrame", settings: "PreprocessSpec", findings: Findings) -> None:
    """Note settings of columns that are not there, or not of their kind."""
    for name, column in settings.columns.items():
        key = f"data.preprocess.columns.{name}"
        if name not in inputs.columns:
            near = get_close_matches(name, list(map(str, inputs.columns)), n=1)
            remedy = f"did you mean {near[0]!r}?" if near else ""
            findings.problem(f"there is no input column {name!r}", key=key, remedy=remedy)
        elif is_numeric(inputs[name]):
            if column.encode is not None:
                rule = f"column {name!r} holds numbers, which are not encoded"
                findings.problem(rule, key=key, remedy="use scale")
            if column.date is not None:
                findings.problem(
                    f"column {name!r} holds numbers, which are no dates", key=key, remedy="use scale"
                )
        elif not is_date(inputs[name]):
            _check_settings_of_texts(inputs[name], column, key, findings)


def _check_settings_of_texts(
    column: "pd.Series[Any]", settings: "ColumnSpec", key: str, findings: Findings
) -> None:
    name = str(column.name)
    if settings.date in {"cyclic", "elapsed"}:
        bad = ~moments(column)[1]
        row = findings.first(column, bad)
        rule = f"column {name!r} must hold {FORM}, got {findings.examples(column, bad)}"
        findings.problem(rule, key=key, row=row, remedy="write the dates so, or leave `date` out")
    elif settings.scale is not None or settings.missing is not None:
        findings.problem(f"column {name!r} holds texts, which have no scale", key=key, remedy="use encode")


def check_values(training: "pd.DataFrame", findings: Findings) -> None:
    """Note columns that hold no value in a fold's training rows."""
    known = {problem.key for problem in findings.problems}
    for name in training.columns[training.isna().all()]:
        if f"column {name!r}" not in known:
            findings.problem(
                "holds no value in the training part of a fold",
                key=f"column {name!r}",
                remedy=f"leave it out with data.drop: [{name}]",
            )


def check_columns(
    training: "pd.DataFrame",
    development: "pd.DataFrame",
    findings: Findings,
    settings: "PreprocessSpec | None" = None,
) -> None:
    """What fitting needs of the columns, looked for in the rows that are fitted: never in the test part."""
    constant: list[str] = []
    for name in training.columns:
        column = training[name]
        known = column.dropna()
        if known.empty:
            findings.problem(
                "holds no value in the training part",
                key=f"column {name!r}",
                remedy=f"leave it out with data.drop: [{name}]",
            )
        elif _is_constant(column):
            constant.append(str(name))
        elif is_numeric(column):
            _check_counter(development[name], findings)
        elif is_date(column):
            continue
        elif settings is None or settings.encode_of(str(name)) in ("one_hot", "embedding"):
            _check_categories(development[name].dropna(), findings, settings)
            findings.warn_of_marks(development[name])
    if constant:
        findings.warn(
            f"{_columns(constant)} constant: nothing can be learned from {'them' if constant[1:] else 'it'}"
        )


def check_duplicates(
    codes: NDArray[np.uint64], targets: NDArray[Any], split: Split, findings: Findings
) -> None:
    """A warning that counts the validation and test rows which, targets included, also train."""
    hashes = codes.copy()
    for column in targets.reshape(len(targets), -1).T:
        hashes *= _ODD  # modulo 2^64; in place, since there may be very many rows
        hashes += pd.util.hash_array(np.ascontiguousarray(column))
    trained = np.sort(hashes[split.train])
    counts = {
        part: _found(hashes[rows], trained)
        for part, rows in (("validation", split.validation), ("test", split.test))
    }
    told = [f"{count} {part} {'row' if count == 1 else 'rows'}" for part, count in counts.items() if count]
    if told:
        copies = "is a copy of a training row" if sum(counts.values()) == 1 else "are copies of training rows"
        findings.warn(f"{' and '.join(told)} {copies}: scores will look better than they are")


def _found(codes: NDArray[np.uint64], among: NDArray[np.uint64]) -> int:
    """How many of the codes are among others, which are sorted."""
    places = np.searchsorted(among, codes)
    return int((among.take(places, mode="clip") == codes).sum())


def _check_finite(column: "pd.Series[Any]", findings: Findings) -> None:
    bad = beyond_float32(column.to_numpy())
    if bad.any():
        findings.problem(
            f"{bounds_of(column.to_numpy()[bad])}, got {findings.examples(column, bad)}",
            key=f"column {str(column.name)!r}",
            remedy="correct or empty these cells",
            row=findings.first(column, bad),
        )


def _check_stray(column: "pd.Series[Any]", findings: Findings) -> None:
    bad = stray_texts(column.to_numpy(dtype=object))
    if bad.any():
        findings.problem(
            f"nearly all values are numbers, but not {findings.examples(column, bad)}",
            key=f"column {str(column.name)!r}",
            remedy="correct or empty these cells",
            row=findings.first(column, bad),
        )


def _check_counter(column: "pd.Series[Any]", findings: Findings) -> None:
    order = np.argsort(column.index.to_numpy(), kind="stable")
    values, rows = column.to_numpy()[order], column.index.to_numpy()[order]
    if len(values) >= FEWEST_FOR_ID and (np.diff(values) == np.diff(rows)).all():
        findings.warn(f"column {str(column.name)!r} only counts the rows; leave it out with data.drop")


def _check_categories(known: "pd.Series[Any]", findings: Findings, settings: "PreprocessSpec | None") -> None:
    count, name = known.nunique(), str(known.name)
    what = "dates or times" if _are_dates(known) else "texts"
    as_dates = f", or write {FORM}" if what != "texts" else ""
    one_hot = settings is None or settings.encode_of(name) == "one_hot"
    if count > MOST_CATEGORIES and one_hot:
        findings.problem(
            f"{count} different {what}, of at most {MOST_CATEGORIES} that can be one-hot encoded",
            key=f"column {name!r}",
            remedy=f"leave it out with data.drop: [{name}], or encode it by embedding or hashing{as_dates}",
        )
    elif count > ID_LIKE * len(known) and len(known) >= FEWEST_FOR_ID:
        findings.warn(
            f"column {name!r} holds {count} different {what} in {len(known)} rows, like an identifier; "
            f"leave it out with data.drop{as_dates}"
        )


def _are_dates(known: "pd.Series[Any]") -> bool:
    some = known.head(20)
    digits = some.str.contains(r"\d", regex=True)
    return bool(digits.all() and pd.to_datetime(some, errors="coerce", format="mixed").notna().all())


def _is_constant(column: "pd.Series[Any]") -> bool:
    """Whether a column that holds something becomes the same in every row: a missing text stays different."""
    known = column.dropna()
    if is_numeric(column):
        return bool(is_constant(known.to_numpy()[:, None])[0])
    return len(known) == len(column) and bool((known == known.iloc[0]).all())


def _columns(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return f"column {shown} is" if len(names) == 1 else f"{len(names)} columns ({shown}) are"
