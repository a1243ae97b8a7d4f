"""What a first study does with the columns of a table: keeps, encodes or leaves them out, and says why."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

import pandas as pd

from hpsearch.data.columns import is_numeric, marked_number, stray_texts, tidy
from hpsearch.data.dates import FORM, is_date, moments
from hpsearch.errors import InputError, Problem

_DATES: Final = 0.9
_LOOKED_AT: Final = 200
_MANY_CATEGORIES: Final = 50
_DIFFERS: Final = 0.9
_WORDS: Final = 4
_SHOWN: Final = 5
_NAMES_ROWS: Final = re.compile(r"(?:^|[\W_])(?:id|uuid|guid)$|[a-z]I[Dd]$", flags=re.IGNORECASE)
_DATE_LIKE: Final = r"\d{4}|\d+[/.-]\d+[/.-]\d+"
"""What a date has, and a month's name, a range (`3-4`) or a length (`12.5 m`) has not, which parsers take for one."""


@dataclass(slots=True, kw_only=True)
class Treatment:
    """Columns to leave out, to embed for their many categories, or to read as texts; the kind; a sentence on each."""

    dropped: list[str] = field(default_factory=list)
    embedded: list[str] = field(default_factory=list)
    text: str | None = None
    kind: str | None = None
    notes: list[str] = field(default_factory=list)


def treatment(source: str, frame: "pd.DataFrame", targets: Sequence[str]) -> Treatment:
    """How to treat each input column of a table.

    Raises:
        InputError: the target is not named, the table has no such column, or none is left to learn from.
    """
    _check_targets(source, frame, targets)
    inputs = tidy(frame.drop(columns=list(targets)))
    how = Treatment()
    prose = []
    for name in map(str, inputs.columns):
        column = inputs[name]
        if why := _why_drop(name, column):
            how.dropped.append(name)
            how.notes.append(f"column {name!r} is left out: {why}")
        elif _is_read_as_date(column):
            how.notes.append(
                f"column {name!r} is a date; `split: {{time: {name}}}` would test on the latest rows"
            )
        elif _is_prose(column):
            prose.append(name)
        elif not is_numeric(column) and (count := column.nunique()) >= _MANY_CATEGORIES:
            how.embedded.append(name)
            how.notes.append(f"column {name!r} has {count} categories: each gets a vector that is learned")
    how = _with_prose(how, prose, len(inputs.columns))
    if how.dropped and len(how.dropped) == len(inputs.columns):
        rule = f"has no column to learn from: {'; '.join(how.notes[:_SHOWN])}"
        raise InputError(Problem(place=source, rule=rule))
    return how


def _with_prose(how: Treatment, prose: Sequence[str], columns: int) -> Treatment:
    """Learn from texts where there is nothing else to learn from; a table has no place for them."""
    if prose and len(how.dropped) + len(prose) == columns:
        return Treatment(text=prose[0], notes=[f"column {prose[0]!r} holds texts: their words are the input"])
    for name in prose:
        how.dropped.append(name)
        how.notes.append(
            f"column {name!r} is left out: it holds texts; `text: {{column: {name}}}` learns from them alone"
        )
    return how


def _check_targets(source: str, frame: "pd.DataFrame", targets: Sequence[str]) -> None:
    columns = [str(name) for name in frame.columns]
    shown = ", ".join(columns[:30]) + (", ..." if columns[30:] else "")
    if not targets:
        raise InputError(
            Problem(
                place=source,
                rule="is a table, whose target must be named",
                remedy=f"--target is one of {shown}",
            )
        )
    problems = list(_unknown(source, columns, shown, targets))
    if problems:
        raise InputError(problems)


def _unknown(source: str, columns: Sequence[str], shown: str, targets: Sequence[str]) -> Iterator[Problem]:
    for name in targets:
        if name not in columns:
            near = get_close_matches(name, columns, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"there are {shown}"
            yield Problem(place=f"--target {name}", rule=f"{source} has no such column", remedy=remedy)


def _why_drop(name: str, column: "pd.Series[Any]") -> str:
    known = column.dropna()
    distinct = known.nunique()
    if distinct < 2:
        return "it is the same in every row" if len(known) else "it is empty"
    if is_numeric(column):
        return _why_drop_numbers(name, column, distinct)
    return "" if _is_read_as_date(column) or _is_prose(column) else _why_drop_texts(known, distinct)


def _why_drop_texts(known: "pd.Series[Any]", distinct: int) -> str:
    some = known.head(_LOOKED_AT)
    dates = pd.to_datetime(some[some.str.contains(_DATE_LIKE)], errors="coerce", format="mixed")
    if dates.notna().sum() >= _DATES * len(some):
        return f"it is a date that may be read in two ways; write {FORM}"
    values = known.to_numpy(dtype=object)
    # of texts strayed among numbers the data's own check says more
    if distinct <= _DIFFERS * len(known) or stray_texts(values).any():
        return ""
    if example := marked_number(values):
        return f"it holds texts such as {example!r}; write plain numbers, as 1200.5, if they are measurements"
    return "it differs in nearly every row"


def _why_drop_numbers(name: str, column: "pd.Series[Any]", distinct: int) -> str:
    if distinct < len(column) or (column % 1 != 0).any():
        return ""
    if column.max() - column.min() == len(column) - 1:
        return "it numbers the rows"
    return "it names the rows" if _NAMES_ROWS.search(name) else ""


def _is_read_as_date(column: "pd.Series[Any]") -> bool:
    """Whether its values become days and cycles: they are typed as dates, or all written in ISO 8601."""
    if is_numeric(column):
        return False
    if is_date(column):
        return True
    known = column.dropna()
    return bool(moments(known.head(_LOOKED_AT))[1].all() and moments(known)[1].all())


def _is_prose(column: "pd.Series[Any]") -> bool:
    """Whether a column holds texts of several words, hardly two of them alike."""
    if is_numeric(column) or is_date(column):
        return False
    known = column.dropna()
    words = known.head(_LOOKED_AT).str.count(r"\S+").mean()
    return bool(words >= _WORDS and known.nunique() >= min(_MANY_CATEGORIES, len(known) / 2))
