"""Pictures and series in .npz files."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.binary import archive_arrays, goals_of
from hpsearch.data.images import ImageInputs
from hpsearch.data.raw import RawData
from hpsearch.data.sequences import SequenceInputs
from hpsearch.errors import DataError, Problem

if TYPE_CHECKING:
    from hpsearch.spec import DataSpec

_SERIES: Final = "an array x (N, T, D), or (N, T) where a step has one value"
_PICTURES: Final = "an array x (N, H, W, C), or (N, H, W) where there is one channel"


def read_arrays(path: Path, source: str, spec: "DataSpec") -> RawData | None:
    """Pictures or series `x` with targets `y`, and `lengths` of series that differ; None for a table.

    Three dimensions are pictures where they hold bytes; otherwise `kind` must say what they are.

    Raises:
        DataError: the arrays are not what the kind needs.
    """
    kind = spec.known_kind
    if kind == "table" or (kind == "auto" and _dimensions(path) <= 2):
        return None
    x, y, lengths = archive_arrays(path, source)
    if kind == "auto" and _is_undecided(x):
        rule = f"x has the shape {x.shape}: these may be pictures or series"
        raise DataError(
            Problem(
                place=source,
                key="data.kind",
                rule=rule,
                remedy="say which: `kind: image` or `kind: sequence`",
            )
        )
    goals = goals_of(y, source)
    inputs = _series(x, lengths, source, spec) if kind == "sequence" else _pictures(x, source, spec)
    if len(inputs) != len(goals):
        rule = f"x has {len(inputs)} rows and y has {len(goals)}: they must agree"
        raise DataError(Problem(place=source, rule=rule))
    return RawData(name=source, inputs=inputs, targets=goals)


def undecided_shape(path: Path, source: str) -> tuple[int, ...] | None:
    """The shape of an archive's `x` where it may be pictures or series, and `kind` must say which; else None.

    Raises:
        DataError: it cannot be read.
    """
    if _dimensions(path) <= 2:
        return None
    x = archive_arrays(path, source)[0]
    return x.shape if _is_undecided(x) else None


def _is_undecided(x: NDArray[Any]) -> bool:
    return x.ndim == 3 and x.dtype != np.uint8


def _dimensions(path: Path) -> int:
    """Of the inputs' array, from its head; 0 where that cannot be read: another reader says why."""
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(n for n in archive.namelist() if n in {"x.npy", "X.npy", "inputs.npy"})
            with archive.open(name) as file:
                version = np.lib.format.read_magic(file)
                head = (
                    np.lib.format.read_array_header_1_0
                    if version == (1, 0)
                    else np.lib.format.read_array_header_2_0
                )
                return len(head(file)[0])
    except Exception:  # noqa: BLE001 - zipfile and NumPy raise whatever they meet in damaged bytes
        return 0


def _pictures(x: NDArray[Any], source: str, spec: "DataSpec") -> ImageInputs:
    x = x[..., None] if x.ndim == 3 else x
    if x.ndim != 4 or not x.size or x.dtype.kind not in "uifb":
        rule = f"pictures are {_PICTURES}, of numbers; got {x.dtype} {x.shape}"
        raise DataError(Problem(place=source, key="x", rule=rule))
    if spec.image.size is not None and x.shape[1:3] != spec.image.size:
        rule = f"pictures are {x.shape[1]} x {x.shape[2]}, and arrays are not resized"
        raise DataError(Problem(place=source, key="data.image.size", rule=rule, remedy="leave it out"))
    return ImageInputs(x if x.dtype == np.uint8 else x.astype(np.float32))


def _series(x: NDArray[Any], lengths: NDArray[Any] | None, source: str, spec: "DataSpec") -> SequenceInputs:
    x = x[..., None] if x.ndim == 2 else x
    if x.ndim != 3 or not x.size or x.dtype.kind not in "uifb":
        raise DataError(
            Problem(place=source, key="x", rule=f"series are {_SERIES}, of numbers; got {x.dtype} {x.shape}")
        )
    if lengths is not None:
        right = lengths.shape == x.shape[:1] and lengths.dtype.kind in "iu"
        if not right or lengths.min() < 1 or lengths.max() > x.shape[1]:
            rule = f"must be {len(x)} whole numbers from 1 to {x.shape[1]}, the steps that each series has"
            raise DataError(Problem(place=source, key="lengths", rule=rule))
        lengths = lengths.astype(np.int32)
    if spec.sequence.length is not None and spec.sequence.length < x.shape[1]:
        x, lengths = _last(x, lengths, spec.sequence.length)
    names = ("value",) if x.shape[2] == 1 else tuple(f"value_{i}" for i in range(x.shape[2]))
    return SequenceInputs(series=x, names=names, lengths=lengths, cut=spec.sequence.length is not None)


def _last(
    x: NDArray[Any], lengths: NDArray[np.int32] | None, steps: int
) -> tuple[NDArray[Any], NDArray[np.int32] | None]:
    """The last steps of each series."""
    if lengths is None:
        return x[:, -steps:], None
    first = np.maximum(lengths - steps, 0)
    places = np.minimum(first[:, None] + np.arange(steps), x.shape[1] - 1)
    return np.take_along_axis(x, places[:, :, None], axis=1), np.minimum(lengths, steps).astype(np.int32)
