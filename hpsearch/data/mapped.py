"""Parts as files that many processes map: arrays that lie in a file already are referred to, not copied."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import Part

_ARRAYS = ("x", "y", "lengths")


def save_part(part: Part, directory: Path, name: str) -> None:
    """Write a part's arrays under a name; those mapped from a file are noted by their place in it."""
    places: dict[str, Any] = {}
    for array in _ARRAYS:
        values = getattr(part, array)
        if values is None:
            continue
        place = place_in_file(values)
        if place is None:
            file = directory / f"{name}.{array}.npy"
            np.save(file, values, allow_pickle=False)
            place = str(file), _offset(file) if values.size else 0
        places[array] = [*place, values.dtype.str, list(values.shape)]
    (directory / f"{name}.json").write_text(json.dumps(places), encoding="utf-8")


def open_part(directory: Path, name: str) -> Part:
    """The part that `save_part` wrote, its arrays mapped from their files, read-only."""
    places = json.loads((directory / f"{name}.json").read_text(encoding="utf-8"))
    return Part(**{array: _mapped(*place) for array, place in places.items()})


def place_in_file(array: NDArray[Any]) -> tuple[str, int] | None:
    """The file and the byte in it where a C-contiguous array lies that was mapped from one, else None."""
    base: Any = array
    mapped = None
    while isinstance(base, np.ndarray):
        mapped, base = base, base.base
    if not isinstance(mapped, np.memmap) or not array.flags.c_contiguous:
        return None
    ahead = array.__array_interface__["data"][0] - mapped.__array_interface__["data"][0]
    return str(mapped.filename), int(mapped.offset) + ahead


def _mapped(file: str, offset: int, dtype: str, shape: list[int]) -> NDArray[Any]:
    if not np.prod(shape):
        return np.zeros(shape, dtype)
    # asarray drops the memmap subclass, whose bookkeeping would slow every small operation
    return np.asarray(np.memmap(file, dtype, mode="r", offset=offset, shape=tuple(shape)))


def _offset(file: Path) -> int:
    """Where the numbers of an .npy file begin."""
    return int(np.load(file, mmap_mode="r", allow_pickle=False).offset)
