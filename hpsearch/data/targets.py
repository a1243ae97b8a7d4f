"""What is to be learned: classes or numbers, read from the target's values unless the study file says so."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from hpsearch.data.columns import beyond_float32, bounds_of, numbers, stray_texts, texts
from hpsearch.data.curves import STRAIGHT
from hpsearch.data.numeric import fit_scaling
from hpsearch.data.prepared import Task, TaskKind
from hpsearch.data.raw import Findings

MOST_CLASSES: Final = 20
ROWS_A_CLASS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """What the rows with a target say: labels (N,) object, or for a regression numbers (N, T) in own units.

    `rows` are these rows' positions in the table, ascending.
    """

    names: tuple[str, ...]
    content: NDArray[Any]
    rows: NDArray[np.int64]
    is_classification: bool

    def __len__(self) -> int:
        return len(self.content)

    @property
    def classes(self) -> tuple[Any, ...]:
        """All labels of the table, ascending."""
        return tuple(sorted(set(self.content.tolist())))

    def class_ids(self) -> NDArray[np.int64]:
        """For each row, the position of its label in `classes`."""
        positions = {label: i for i, label in enumerate(self.classes)}
        return np.array([positions[label] for label in self.content], dtype=np.int64)

    def question(self) -> Task:
        """The task before any scaling.

        Which classes there are is taken from the whole table: it is part of the question, not of the answer.
        """
        if self.is_classification:
            kind: TaskKind = "binary" if len(self.classes) == 2 else "multiclass"
            return Task(kind=kind, target_names=self.names, classes=self.classes)
        nothing = len(self.names)
        return Task(
            kind="regression",
            target_names=self.names,
            target_mean=(0.0,) * nothing,
            target_scale=(1.0,) * nothing,
        )


def scaled_task(question: Task, values: NDArray[Any], *, how: str) -> Task:
    """The question with target scaling (see `spec.preprocessing.SCALINGS`) fitted to (N, T) values.

    Classes need none.
    """
    if question.is_classification:
        return question
    curves, mean, scale = fit_scaling(values, [how] * values.shape[1], undone=True)
    return replace(
        question,
        target_mean=tuple(mean.tolist()),
        target_scale=tuple(scale.tolist()),
        target_curves=tuple(curves) if any(curve != STRAIGHT for curve in curves) else (),
    )


def read_targets(table: pd.DataFrame, declared: str, findings: Findings) -> Targets:
    """The targets of the rows where all are there; a warning counts the others.

    `declared` is the study file's `data.task`: "classification", "regression", or "auto" to go by the values.

    Raises:
        DataError: the target cannot be used; carries what was found before, too.
    """
    table = _without_missing(table, findings)
    columns = [table[name] for name in table.columns]
    names = tuple(map(str, table.columns))
    if declared == "classification" and len(columns) > 1:
        findings.problem(
            f"classification has one target, got {len(columns)}",
            key="data.target",
            remedy="name one column, or set data.task: regression",
        )
    classes = declared == "classification" or (
        declared == "auto" and len(columns) == 1 and is_class_target(columns[0])
    )
    _check_values(columns, findings, classes=classes, declared=declared)
    findings.stop_if_any()
    content = labels(columns[0]) if classes else np.column_stack([_floats(column) for column in columns])
    targets = Targets(
        names=names, content=content, rows=table.index.to_numpy(dtype=np.int64), is_classification=classes
    )
    _check_variety(targets, findings)
    return targets


def is_class_target(target: "pd.Series[Any]") -> bool:
    """Whether a single target column without missing values holds classes rather than measurements.

    Texts, booleans and categories do. Whole numbers (whatever their type) do when there are two of them, or
    at most 20 and at least 10 rows for each on average: digits 0 to 9 are classes, a count of rings up to 29
    is not.
    """
    values = numbers(target)
    if values is None or _is_boolean(target):
        return True
    if not np.isfinite(values).all() or (values != np.floor(values)).any():
        return False
    distinct = len(np.unique(values))
    return distinct <= 2 or (distinct <= MOST_CLASSES and distinct * ROWS_A_CLASS <= len(values))


def labels(target: "pd.Series[Any]") -> NDArray[np.object_]:
    """A class target's labels, (N,) object: str, bool, int (also for floats that are all whole) or float."""
    values = numbers(target)
    if values is None:
        return texts(target)
    if _is_boolean(target):
        return values.astype(bool).astype(object)
    if (values == np.floor(values)).all():
        return target.to_numpy(dtype=np.int64).astype(object)
    return values.astype(object)


def _without_missing(table: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    missing = np.zeros(len(table), dtype=bool)
    for name in table.columns:
        values = numbers(table[name])
        missing |= pd.isna(texts(table[name])) if values is None else np.isnan(values)
    if not missing.any():
        return table
    targets = ", ".join(repr(str(name)) for name in table.columns)
    if missing.all():
        findings.problem(f"no row has a value in {targets}", key="data.target", remedy="name another column")
        findings.stop_if_any()
    count = int(missing.sum())
    findings.warn(f"{count} {'row' if count == 1 else 'rows'} without a value in {targets} left out")
    return table[~missing]


def _check_values(
    columns: "list[pd.Series[Any]]", findings: Findings, *, classes: bool, declared: str
) -> None:
    for column in columns:
        values = numbers(column)
        key = f"column {str(column.name)!r}"
        if values is not None:
            bad = beyond_float32(values)
            if bad.any():
                rule = f"the target {bounds_of(values[bad])}, got {findings.examples(column, bad)}"
                findings.problem(rule, key=key, row=findings.first(column, bad))
            continue
        bad = stray_texts(texts(column))
        if declared == "auto":
            findings.warn_of_marks(column)
        if not bad.any() and not classes:
            bad = np.ones(len(column), dtype=bool)
        if bad.any() and declared != "classification":
            findings.problem(
                f"the target of a regression must be numbers, got {findings.examples(column, bad)}"
                if not classes
                else f"nearly all values of the target are numbers, but not {findings.examples(column, bad)}",
                key=key,
                remedy="correct or empty these cells, or set data.task: classification"
                if len(columns) == 1
                else "",
                row=findings.first(column, bad),
            )


def _check_variety(targets: Targets, findings: Findings) -> None:
    if not targets.is_classification:
        for i, name in enumerate(targets.names):
            if np.ptp(targets.content[:, i]) == 0:
                rule = f"column {name!r} is {targets.content[0, i]:g} in every row: there is nothing to learn"
                findings.problem(rule, key="data.target", remedy="name another column")
        return
    name, count = targets.names[0], len(targets.classes)
    if count == 1:
        rule = f"column {name!r} is {targets.classes[0]!r} in every row: there is nothing to tell apart"
        findings.problem(rule, key="data.target", remedy="name another column")
    elif count * 2 > len(targets):
        findings.problem(
            f"column {name!r} has {count} classes in {len(targets)} rows: too few of a class to learn it from",
            key="data.target",
            remedy="set data.task: regression if these are measurements, or name another column",
        )


def _floats(column: "pd.Series[Any]") -> NDArray[np.float64]:
    values = numbers(column)
    if values is None:
        raise TypeError(f"{column.name!r} was not checked")
    return values


def _is_boolean(target: "pd.Series[Any]") -> bool:
    return bool(types.is_bool_dtype(target.dtype)) or types.infer_dtype(target, skipna=True) == "boolean"
