"""Where raw data comes from: a data set of scikit-learn, or a file whose ending tells its format."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from hpsearch.data.raw import RawData
from hpsearch.data.shipped import load_shipped
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A table as it was read. `place` gives a row's place for messages; `target` is the source's own, if it has one."""

    frame: "pd.DataFrame"
    target: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    line: Callable[[int], int] | None = None


def load(source: str, *, base: Path) -> Table:
    """The table that `data.source` names; relative paths start at `base`.

    Raises:
        DataError: there is no such source, or it cannot be read.
    """
    if source.startswith("sklearn/"):
        frame, target = load_shipped(source)
        return Table(frame=frame, target=target)
    raise DataError(Problem(place=source, key="data.source", rule="not yet"))


def select(
    table: Table, source: str, *, target: str | tuple[str, ...] | None, drop: tuple[str, ...]
) -> RawData:
    """The table's inputs and targets: `target` (or the source's own) apart from all other columns but `drop`.

    Raises:
        DataError: columns that the table lacks, each with the nearest it has; no target; a target that is dropped.
    """
    frame = table.frame
    targets = table.target if target is None else (target,) if isinstance(target, str) else target
    problems = [
        *(_unknown(source, "data.target", name, frame) for name in targets if name not in frame.columns),
        *(_unknown(source, "data.drop", name, frame) for name in drop if name not in frame.columns),
    ]
    if not targets:
        rule = f"a table needs to know which column to learn; its columns: {_names(frame)}"
        problems.append(Problem(place=source, key="data.target", rule=rule))
    problems += [
        Problem(
            place=source,
            key="data.drop",
            rule=f"{name!r} is the target",
            remedy="take it out of one of the two",
        )
        for name in drop
        if name in targets
    ]
    if problems:
        raise DataError(problems)
    inputs = [name for name in frame.columns if name not in targets and name not in drop]
    return RawData(name=source, inputs=frame[inputs], targets=frame[list(targets)], line=table.line)


def _unknown(source: str, key: str, name: str, frame: "pd.DataFrame") -> Problem:
    near = get_close_matches(name, list(frame.columns), n=1)
    remedy = f"did you mean {near[0]!r}? " if near else ""
    return Problem(
        place=source,
        key=key,
        rule=f"the table has no column {name!r}",
        remedy=f"{remedy}its columns: {_names(frame)}",
    )


def _names(frame: "pd.DataFrame") -> str:
    shown = ", ".join(map(repr, frame.columns[:20]))
    return shown if len(frame.columns) <= 20 else f"{shown}, ... ({len(frame.columns)} in all)"
