"""Where raw data comes from: a data set of scikit-learn, or a file whose ending tells its format."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from hpsearch.data.binary import read_arrow, read_npz, read_parquet
from hpsearch.data.delimited import read_delimited
from hpsearch.data.named import load_named
from hpsearch.data.raw import RawData
from hpsearch.data.shipped import SHIPPED, load_shipped
from hpsearch.data.table import Table
from hpsearch.errors import DataError, Problem
from hpsearch.spec.sources import SUFFIXES, is_named

if TYPE_CHECKING:
    import pandas as pd


ELSEWHERE: Final = "check the path; a study file's paths start at its own directory"
"""The remedy where nothing is found."""

_READERS: Final[dict[str, Callable[[Path, str], Table]]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".parquet": read_parquet,
    ".feather": read_arrow,
    ".arrow": read_arrow,
    ".npz": read_npz,
}


def load(source: str, *, base: Path) -> Table:
    """The table that `data.source` names (as `spec` allows it); relative paths start at `base`.

    Raises:
        DataError: there is no such source, or it cannot be read.
    """
    if source in SHIPPED:
        return load_shipped(source)
    if is_named(source):
        return load_named(source)
    path = existing(base / Path(source).expanduser(), source)
    try:
        return _READERS[path.suffix.lower()](path, source)
    except OSError as error:
        raise _unreadable(path, source, error) from error


def existing(path: Path, source: str) -> Path:
    """The path, after it is known to be a file with something in it.

    Raises:
        DataError: it is none.
    """
    if path.is_dir():
        raise DataError(
            Problem(
                place=source, key="data.source", rule=f"{path} is a directory", remedy="name a file in it"
            )
        )
    try:
        if path.stat().st_size == 0:
            raise DataError(
                Problem(
                    place=source,
                    rule="the file is empty",
                    remedy="give it a line of column names and the data",
                )
            )
        return path  # noqa: TRY300 - a path that was looked at
    except FileNotFoundError as error:
        raise DataError(_missing(path, source)) from error
    except OSError as error:
        raise _unreadable(path, source, error) from error


def _unreadable(path: Path, source: str, error: OSError) -> DataError:
    rule = f"{path} cannot be read: {error.strerror or error}"
    return DataError(Problem(place=source, key="data.source", rule=rule, remedy="check its permissions"))


def _missing(path: Path, source: str) -> Problem:
    folder = path.parent
    others = (
        [other.name for other in folder.iterdir() if other.suffix.lower() in SUFFIXES]
        if folder.is_dir()
        else []
    )
    near = get_close_matches(path.name, sorted(others), n=1)
    remedy = f"did you mean {near[0]!r}?" if near else ELSEWHERE
    return Problem(place=source, key="data.source", rule=f"there is no file {path}", remedy=remedy)


def select(
    table: Table,
    source: str,
    *,
    target: str | tuple[str, ...] | None,
    drop: tuple[str, ...],
    about: Mapping[str, str] = MappingProxyType({}),
) -> RawData:
    """The table's inputs and targets: `target` (or the source's own) apart from all other columns but `drop`.

    `about`: columns that are neither, by the keys that name them.

    Raises:
        DataError: columns that the table lacks, each with the nearest it has; no target; a target that is
        dropped.
    """
    frame = table.frame
    targets = table.target if target is None else (target,) if isinstance(target, str) else target
    problems = [
        *(_unknown(source, "data.target", name, frame) for name in targets if name not in frame.columns),
        *(_unknown(source, "data.drop", name, frame) for name in drop if name not in frame.columns),
        *(_unknown(source, key, name, frame) for key, name in about.items() if name not in frame.columns),
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
    aside = {*targets, *drop, *about.values()}
    return RawData(
        name=source,
        inputs=frame[[name for name in frame.columns if name not in aside]],
        targets=frame[list(targets)],
        line=table.line,
        about=frame[list(dict.fromkeys(about.values()))] if about else None,
    )


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
