"""CSV and TSV files: strict about their shape, and exact about where something is wrong."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from hpsearch.data.columns import NA_SPELLINGS, typed
from hpsearch.data.table import Table
from hpsearch.errors import DataError, Problem

_NAMELESS: Final = "it holds numbers: put a line with the columns' names above it"
_BOM: Final = b"\xef\xbb\xbf"


def read_delimited(path: Path, source: str) -> Table:
    """The table of a CSV or TSV file whose first line names the columns.

    Text is UTF-8 (with or without byte order mark). A .tsv file is separated by tabs; any other by commas, or
    by semicolons or tabs when its first line holds those and no comma; with semicolons a number may have a
    decimal comma. Cells that are empty or spelled like NA are missing. Quoted cells may hold line breaks;
    empty lines are skipped.

    Raises:
        DataError: the file is empty, no text, ragged, or its columns are unnamed or named twice.
    """
    content = path.read_bytes()
    text = _decoded(content, source)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(text)
    header = next((cells for _, cells in _records(text, delimiter)), None)
    if header is None:
        raise DataError(
            Problem(place=source, rule="the file is empty", remedy="give it a line of column names")
        )
    _check_header(header, source)
    columns = _columns(content.removeprefix(_BOM).lstrip(b"\r\n"), text, delimiter, header, source)
    frame = pd.DataFrame(
        {
            name: typed(column, decimal_comma=delimiter == ";")
            for name, column in zip(header, columns, strict=True)
        }
    )
    frame, warnings = _without_index(frame, source)
    if _are_data(header):
        warnings += (f"{source}:1: the first line is taken for the columns' names; {_NAMELESS}",)
    lines: dict[int, int] = {}

    def line(row: int) -> int:
        if not lines:  # counted only once something is wrong
            lines.update(enumerate((number for number, _ in _records(text, delimiter)), start=-1))
        return lines[row]

    return Table(frame=frame, warnings=warnings, line=line)


def _decoded(content: bytes, source: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            Problem(
                place=f"{source}:{line}",
                rule=f"must be UTF-8 text, and byte 0x{content[error.start]:02x} is not",
                remedy="save the file as UTF-8",
            )
        ) from error
    if "\0" in text:
        raise DataError(
            Problem(
                place=source, rule="must be UTF-8 text, and holds zero bytes", remedy="save the file as UTF-8"
            )
        )
    return text


def _delimiter(text: str) -> str:
    first = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").split("\n", 1)[0])
    return next((mark for mark in ",;\t" if mark in first), ",")


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The records of the file, each with its first line's number from 1; empty lines are none."""
    # a cell may be a whole document; the limit holds for the process, so it is never lowered
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    for cells in reader:
        if cells:
            yield line, cells
        line = reader.line_num + 1


def _check_header(header: Sequence[str], source: str) -> None:
    twice = [name for name, count in Counter(header).items() if count > 1 and name]
    unnamed = [i for i, name in enumerate(header) if not name and i > 0]
    known = _are_data(header)
    remedy = _NAMELESS if known else "give each column a name of its own"
    rules = [f"column {name!r} occurs more than once" for name in twice]
    rules += [f"column {i + 1} has no name" for i in unnamed]
    if rules:
        raise DataError(Problem(place=f"{source}:1", rule=rule, remedy=remedy) for rule in rules)


def _are_data(header: Sequence[str]) -> bool:
    """Whether the first line holds numbers alone, as the rows of a table without names do."""
    return all(re.fullmatch(r"[+-]?\d*\.?\d+([eE][+-]?\d+)?", name.strip()) for name in header if name)


def _columns(content: bytes, text: str, delimiter: str, header: Sequence[str], source: str) -> list[Any]:
    """The columns as arrays of texts, null where missing."""
    names = [str(i) for i in range(len(header))]
    try:
        table = arrow_csv.read_csv(
            BytesIO(content),
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows_after_names=1),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()),
                null_values=sorted(NA_SPELLINGS),
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(
            _ragged(text, delimiter, len(header), source) or [_unreadable(source, error)]
        ) from error
    if not table.num_rows:
        rule = "the file has a line of column names and no rows"
        raise DataError(Problem(place=source, rule=rule, remedy="add the data"))
    return [column.combine_chunks() for column in table.columns]


def _ragged(text: str, delimiter: str, width: int, source: str) -> list[Problem]:
    """The first five records that have more or fewer cells than there are columns."""
    found = [
        Problem(
            place=f"{source}:{line}",
            rule=f"has {len(cells)} {'cells' if cells[1:] else 'cell'}, but the first line {width}",
            remedy="quote cells that hold the separator, fill in missing ones",
        )
        for line, cells in _records(text, delimiter)
        if len(cells) != width
    ]
    if len(found) > 5:
        found[5:] = [Problem(place=source, rule=f"{len(found) - 5} more lines like these")]
    return found


def _unreadable(source: str, error: Exception) -> Problem:
    return Problem(place=source, rule=f"cannot be read as a table: {error}", remedy="check the quotes")


def _without_index(frame: pd.DataFrame, source: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Leave out a first column without a name that counts the rows: how pandas writes a table's index."""
    if "" not in frame.columns:
        return frame, ()
    values = frame[""].to_numpy()
    if values.dtype == np.int64 and (values - values[0] == np.arange(len(values))).all():
        return frame.drop(columns=""), (
            f"{source}: the first column has no name and counts the rows: left out",
        )
    raise DataError(Problem(place=f"{source}:1", rule="column 1 has no name", remedy="name it"))
