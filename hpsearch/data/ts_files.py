"""The .ts files of the UCR and UEA archives of time series."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch.data.bounds import check_padding
from hpsearch.data.raw import RawData
from hpsearch.data.sequences import SequenceInputs, padded
from hpsearch.errors import DataError, Problem

_TOLD: Final = 5
Series = NDArray[np.float64]


@dataclass(slots=True)
class _File:
    """What one file holds: series (T_i, D) with their labels, and what its head says."""

    head: dict[str, str] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_ts(path: Path, source: str, *, length: int | None) -> RawData:
    """The series of a .ts file; of `X_TRAIN.ts` also those of `X_TEST.ts` beside it, as the test part.

    Series may differ in length, and have several dimensions; `?` is a missing value; `length` cuts longer
    ones at their start.

    Raises:
        DataError: every line that breaks the format (the first five); no labels; time stamps.
    """
    read = _read(path, source)
    part = None
    stem, mark, rest = path.stem.rpartition("_TRAIN")
    beside = path.with_name(f"{stem}_TEST{rest}{path.suffix}")
    if mark and beside.exists():
        test = _read(beside, source.replace(path.name, beside.name))
        part = np.repeat(["train", "test"], [len(read.series), len(test.series)])
        read = _File(read.head, read.series + test.series, read.labels + test.labels)
    widths = sorted({one.shape[1] for one in read.series})
    if len(widths) > 1:
        raise DataError(Problem(place=source, rule=f"series have different numbers of dimensions: {widths}"))
    kept = [one if length is None else one[-length:] for one in read.series]
    names = tuple(f"dimension_{i + 1}" for i in range(widths[0])) if widths[0] > 1 else ("value",)
    check_padding([*map(len, kept)], max(map(len, kept)), len(names), source)
    values, lengths = padded(kept, max(map(len, kept)), names)
    ragged = len(set(lengths.tolist())) > 1
    inputs = SequenceInputs(
        series=values, names=names, lengths=lengths if ragged else None, cut=length is not None
    )
    name = "class" if "classlabel" in read.head else "target"
    labels = read.labels if name == "class" else [float(label) for label in read.labels]
    return RawData(name=source, inputs=inputs, targets=pd.DataFrame({name: labels}), part=part)


def _read(path: Path, source: str) -> _File:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(Problem(place=source, rule=f"must be UTF-8 text: {error.reason}")) from error
    file, in_data = _File(), False
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()  # noqa: PLW2901 - the line is what is between the spaces
        if not line or line.startswith(("#", "%")):
            continue
        if in_data:
            _data_line(line, file, f"{source}:{number}")
        elif line.lower() == "@data":
            in_data = True
            _check_head(file, source)
        elif line.startswith("@"):
            key, _, value = line[1:].partition(" ")
            file.head[key.lower()] = value.strip().lower()
        else:
            rule = f"must be a line that starts with @ or #, got {line[:40]!r}"
            raise DataError(Problem(place=f"{source}:{number}", rule=rule, remedy="name a .ts file"))
    if not in_data or not (file.series or file.problems):
        raise DataError(
            Problem(place=source, rule="holds no series: a line @data and a series a line are needed")
        )
    if file.problems:
        raise DataError(file.problems[:_TOLD])
    return file


def _check_head(file: _File, source: str) -> None:
    head = file.head
    if head.get("timestamps", "false") == "true":
        raise DataError(Problem(place=source, rule="time stamps are not read", remedy="save bare values"))
    labelled = [key for key in ("classlabel", "targetlabel") if head.get(key, "").startswith("true")]
    if not labelled:
        rule = "has no labels to learn: @classLabel or @targetLabel must be true"
        raise DataError(Problem(place=source, rule=rule))
    head.pop("targetlabel" if labelled[0] == "classlabel" else "classlabel", None)


def _data_line(line: str, file: _File, place: str) -> None:
    *dimensions, label = line.split(":")
    label = label.strip()
    try:
        values = [_numbers(dimension) for dimension in dimensions]
        if "targetlabel" in file.head:
            float(label)
    except ValueError as error:
        file.problems.append(Problem(place=place, rule=f"holds what is no number: {error}"))
        return
    declared = file.head.get("dimension", file.head.get("dimensions", "")) or (
        "1" if file.head.get("univariate") == "true" else ""
    )
    if not values or not label or (declared and str(len(values)) != declared):
        rule = f"must be {declared or 'one or more'} dimensions and a label between colons, got {len(values)}"
        file.problems.append(Problem(place=place, rule=rule))
        return
    lengths = {len(one) for one in values}
    if len(lengths) > 1 or not min(lengths):
        rule = f"its dimensions must have one length above 0, got {sorted(lengths)}"
        file.problems.append(Problem(place=place, rule=rule))
        return
    file.series.append(np.column_stack(values))
    file.labels.append(label)


def _numbers(text: str) -> Series:
    cells = [cell.strip() for cell in text.split(",")]
    values = [float("nan") if cell in {"?", "NaN"} else float(cell) for cell in cells if cell]
    return np.array(values)
