"""From the study file's `data` section to raw data of its kind."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hpsearch.data.arrays import read_arrays
from hpsearch.data.cache import Cache
from hpsearch.data.folders import read_folder, read_listed, read_mnist
from hpsearch.data.images import ImageInputs
from hpsearch.data.raw import RawData
from hpsearch.data.sequences import SequenceInputs
from hpsearch.data.series import series_of_table, windows_of_table
from hpsearch.data.sources import existing
from hpsearch.data.streams import is_large, read_large
from hpsearch.data.text import TextInputs
from hpsearch.data.ts_files import read_ts
from hpsearch.errors import DataError, Problem
from hpsearch.spec.sources import is_folder, is_idx, is_named

if TYPE_CHECKING:
    from hpsearch.spec import DataSpec


def load_special(
    spec: "DataSpec", *, base: Path, cache: Cache | None = None
) -> tuple[RawData, list[str]] | None:
    """Raw data from a source that is no table, and warnings; None where the source is a table.

    Raises:
        DataError: there is no such source, or it cannot be read.
    """
    source, path = spec.source, base / Path(spec.source).expanduser()
    if is_folder(source):
        return read_folder(path, source, spec, cache=cache or Cache.temporary())
    if is_idx(source):
        return read_mnist(existing(path, source), source), []
    if source.lower().endswith(".ts"):
        return read_ts(existing(path, source), source, length=spec.sequence.length), []
    if source.lower().endswith(".npz"):
        raw = read_arrays(existing(path, source), source, spec)
        return None if raw is None else (raw, [])
    if not is_named(source) and is_large(spec, existing(path, source)):
        return read_large(path, spec, cache or Cache.temporary())
    return None


def of_kind(raw: RawData, spec: "DataSpec", *, base: Path, cache: Cache | None = None) -> RawData:
    """A table's rows as the kind of inputs that the study file says.

    Raises:
        DataError: the table does not hold what the kind needs.
    """
    if spec.known_kind == "image":
        return _image(raw, spec, base, cache or Cache.temporary())
    return _CONVERSIONS[spec.known_kind](raw, spec)


def _table(raw: RawData, _spec: "DataSpec") -> RawData:
    return raw


def _image(raw: RawData, spec: "DataSpec", base: Path, cache: Cache) -> RawData:
    frame: Any = raw.inputs
    if spec.image.path in frame.columns:
        return read_listed(raw, (base / Path(spec.source).expanduser()).parent, spec, cache=cache)
    wrong = [str(name) for name in frame.columns if frame[name].dtype.kind not in "iufb"]
    if wrong:
        remedy = (
            f"name the column of the pictures' paths with data.image.path; columns: {', '.join(wrong[:5])}"
        )
        raise DataError(
            Problem(place=raw.name, rule=f"has no column {spec.image.path!r} of paths", remedy=remedy)
        )
    side = int(np.sqrt(len(frame.columns)))
    height, width = spec.image.size or (side, side)
    channels, rest = divmod(len(frame.columns), height * width)
    if rest or not channels:
        rule = f"{len(frame.columns)} columns of pixels are no pictures of {height} x {width}"
        remedy = "say the height and width with data.image.size: [height, width]"
        raise DataError(Problem(place=raw.name, key="data.image.size", rule=rule, remedy=remedy))
    pixels = frame.to_numpy()
    small = pixels.min() >= 0 and pixels.max() <= 255 and (pixels == np.floor(pixels)).all()
    array = pixels.astype(np.uint8 if small else np.float32).reshape(-1, height, width, channels)
    return replace(raw, inputs=ImageInputs(array))


def _sequence(raw: RawData, spec: "DataSpec") -> RawData:
    if spec.sequence.series is not None:
        return series_of_table(raw, spec)
    frame: Any = raw.inputs
    names = [str(name) for name in frame.columns]
    wrong = [name for name in names if frame[name].dtype.kind not in "iufb"]
    if wrong:
        rule = f"the steps of a series are the numbers of a row, and column {wrong[0]!r} holds others"
        raise DataError(
            Problem(place=raw.name, rule=rule, remedy="name data.sequence.series, or drop the column")
        )
    values = frame.to_numpy(dtype=np.float64)[:, :, None]
    return replace(raw, inputs=SequenceInputs(series=values, names=("value",)))


def _text(raw: RawData, spec: "DataSpec") -> RawData:
    frame: Any = raw.inputs
    name = spec.text.column
    if name not in frame.columns:
        rule = f"the table has no column {name!r}"
        remedy = f"its columns: {', '.join(map(repr, map(str, frame.columns[:20])))}"
        raise DataError(Problem(place=raw.name, key="data.text.column", rule=rule, remedy=remedy))
    return replace(raw, inputs=TextInputs(frame[name]), about=raw.about_with(frame.drop(columns=name)))


def _window(raw: RawData, spec: "DataSpec") -> RawData:
    return windows_of_table(raw, spec)


_CONVERSIONS: Final[dict[str, Callable[[RawData, "DataSpec"], RawData]]] = {
    "auto": _table,
    "table": _table,
    "sequence": _sequence,
    "text": _text,
    "window": _window,
}
