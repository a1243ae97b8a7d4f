"""Parts that the data give themselves: in files of their own, in a column, as lists of row numbers."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.columns import numbers, texts
from hpsearch.data.raw import Findings, RawData
from hpsearch.data.sources import load
from hpsearch.data.splits import Known
from hpsearch.data.table import Table
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    from hpsearch.spec import SplitSpec

PARTS: Final = ("train", "validation", "test")
OUT: Final = "out"

Names = NDArray[np.str_]


def with_files(table: Table, source: str, settings: "SplitSpec", *, base: Path) -> tuple[Table, Names | None]:
    """The table with the rows of the files that validate and test behind its own, and each row's part.

    Raises:
        DataError: a file cannot be read, or lacks columns of the table.
    """
    files = {
        name: share
        for name in PARTS[1:]
        if isinstance(share := getattr(settings, name), str) and table.frame is not None
    }
    frames, parts, warnings = (
        [table.frame],
        [np.full(len(table.frame), "", dtype="<U10")],
        list(table.warnings),
    )
    for part, file in files.items():
        other = load(file, base=base)
        missing = [name for name in table.frame.columns if name not in other.frame.columns]
        if missing:
            shown = ", ".join(map(repr, missing[:8]))
            rule = f"lacks {len(missing)} of the columns of {source}: {shown}"
            raise DataError(Problem(place=file, key=f"data.split.{part}", rule=rule))
        frames.append(other.frame[list(table.frame.columns)])
        parts.append(np.full(len(other.frame), part, dtype="<U10"))
        warnings += [warning for warning in other.warnings if warning not in warnings]
    if not files:
        return table, None
    joined = pd.concat(frames, ignore_index=True)
    return replace(table, frame=joined, warnings=tuple(warnings), line=None), np.concatenate(parts)


def with_rows(raw: RawData, settings: "SplitSpec", *, base: Path) -> RawData:
    """The data with the parts that the file `split.rows` gives.

    Raises:
        DataError: the file cannot be read, or its numbers are no rows of the data.
    """
    if settings.rows is None:
        return raw
    lists = _read_lists(base / Path(settings.rows).expanduser(), settings.rows)
    count = len(raw.targets)
    problems = _wrong_rows(lists, count, settings.rows)
    if problems:
        raise DataError(problems)
    part = np.full(count, OUT if "train" in lists else "", dtype="<U10")
    for name, rows in lists.items():
        part[rows.astype(np.int64)] = name
    return replace(raw, part=part)


def known_rows(raw: RawData, settings: "SplitSpec", findings: Findings) -> Known:
    """What the data say of their rows' parts, groups and times, row by row; problems are noted."""
    about = raw.about
    part, groups, times = raw.part, None, None
    about = pd.DataFrame() if about is None else about.reset_index(drop=True)
    if _has(about, "column", settings, findings):
        part = _parts_of(about[settings.column], findings)
    if _has(about, "group", settings, findings):
        groups = _groups_of(about[settings.group], findings)
    if _has(about, "time", settings, findings):
        times = _times_of(about[settings.time], findings)
    elif raw.in_time_order:
        times = np.arange(len(raw.targets), dtype=np.float64)
    return Known(part=part, groups=groups, times=times, gap=raw.gap)


def _has(about: pd.DataFrame, key: str, settings: "SplitSpec", findings: Findings) -> bool:
    """Whether a key names a column that is there; noted if it names another."""
    name = getattr(settings, key)
    if name is None or name in about.columns:
        return name is not None
    known = ", ".join(map(repr, about.columns))
    remedy = f"there are {known}" if known else "these data have none"
    findings.problem(f"there is no column {name!r} to split by", key=f"data.split.{key}", remedy=remedy)
    return False


def _parts_of(column: "pd.Series[Any]", findings: Findings) -> Names:
    written = texts(column)
    part = np.array(["" if text is None else text.strip().lower() for text in written], dtype="<U10")
    bad = ~np.isin(part, ["", *PARTS])
    if bad.any():
        findings.problem(
            f"must say {', '.join(PARTS[:2])} or {PARTS[2]}, got {findings.examples(column, bad)}",
            key=f"column {str(column.name)!r}",
            row=findings.first(column, bad),
        )
    return part


def _groups_of(column: "pd.Series[Any]", findings: Findings) -> NDArray[np.int64]:
    codes, _ = pd.factorize(texts(column))
    if (codes < 0).any():
        _without_value(column, codes < 0, findings, "belongs to a group")
    return np.asarray(codes, dtype=np.int64)


def _times_of(column: "pd.Series[Any]", findings: Findings) -> NDArray[np.float64]:
    times = numbers(column)
    if times is None:
        read = pd.to_datetime(
            pd.Series(texts(column), dtype=object), errors="coerce", format="mixed", utc=True
        )
        bad = (read.isna() & column.notna()).to_numpy()
        if bad.any():
            findings.problem(
                f"must hold numbers or dates, got {findings.examples(column, bad)}",
                key=f"column {str(column.name)!r}",
                row=findings.first(column, bad),
            )
            return np.zeros(len(column))
        moments = read.to_numpy(dtype="datetime64[us]")
        times = np.where(np.isnat(moments), np.nan, moments.astype(np.int64).astype(np.float64))
    if np.isnan(times).any():
        _without_value(column, np.isnan(times), findings, "has its time")
    return times


def _without_value(column: "pd.Series[Any]", bad: NDArray[np.bool_], findings: Findings, what: str) -> None:
    findings.problem(
        f"is empty in {int(bad.sum())} {'row' if bad.sum() == 1 else 'rows'}; every row {what}",
        key=f"column {str(column.name)!r}",
        row=findings.first(column, bad),
    )


def _read_lists(path: Path, name: str) -> dict[str, NDArray[Any]]:
    """The lists of row numbers in a file, by the part that they are of."""
    try:
        if path.suffix.lower() == ".json":
            lists = {
                key: np.asarray(value) for key, value in json.loads(path.read_text(encoding="utf-8")).items()
            }
        else:
            with np.load(path, allow_pickle=False) as archive:
                lists = {key: archive[key] for key in archive.files}
    except FileNotFoundError as error:
        raise _unreadable(name, f"there is no file {path}") from error
    except (OSError, ValueError, AttributeError, EOFError, BadZipFile) as error:
        raise _unreadable(name, f"is no file of row numbers ({error})") from error
    unknown = [key for key in lists if key not in PARTS]
    if unknown or not lists:
        raise _unreadable(name, f"holds {', '.join(map(repr, unknown)) or 'nothing'}, not {', '.join(PARTS)}")
    return lists


def _unreadable(name: str, rule: str) -> DataError:
    remedy = 'for example numpy.savez("rows.npz", train=..., test=...)'
    return DataError(Problem(place=name, key="data.split.rows", rule=rule, remedy=remedy))


def _wrong_rows(lists: dict[str, NDArray[Any]], count: int, name: str) -> list[Problem]:
    """Numbers that are no rows, and rows that are named twice."""
    rules = []
    for part, rows in lists.items():
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            rules.append(f"{part} must be a list of whole numbers")
        elif len(rows) and (rows.min() < 0 or rows.max() >= count):
            wrong = rows[(rows < 0) | (rows >= count)][0]
            rules.append(f"{part} must hold numbers from 0 to {count - 1}, the last row, got {wrong}")
    if not rules:
        named, times = np.unique(np.concatenate(list(lists.values())), return_counts=True)
        if (times > 1).any():
            rules.append(f"row {named[times > 1][0]} is named more than once")
    return [Problem(place=name, key="data.split.rows", rule=rule) for rule in rules]
