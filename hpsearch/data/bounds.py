"""How much small files may take of memory, looked up in their headers before anything is unpacked."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hpsearch.errors import DataError, Problem

_HARMLESS: Final = 1 << 30
_RATIO: Final = 1000  # what deflate gains at most, on nothing but zeros
_RATIO_OF_PICTURES: Final = 300  # of one colour
_RATIO_OF_PADDING: Final = 300


def check_unpacked(size: int, path: Path, source: str) -> None:
    """Refuse what was made to exhaust memory, or cannot fit into it; `size` is in bytes.

    Raises:
        DataError: more than 1 GiB from less than a thousandth of it, or more than this machine's memory.
    """
    packed = path.stat().st_size
    if size > max(_HARMLESS, _RATIO * packed):
        rule = f"would unpack from {_readable(packed)} to {_readable(size)}: refused, as a file made to exhaust memory"
        remedy = "save it uncompressed if it is real data"
        raise DataError(Problem(place=source, rule=rule, remedy=remedy))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if size > memory:
        rule = f"needs {_readable(size)} of memory when unpacked, and this machine has {_readable(memory)}"
        raise DataError(Problem(place=source, rule=rule, remedy="take fewer rows or columns"))


def check_pictures(size: int, packed: int, place: str) -> None:
    """Refuse pictures, of so many bytes in files, whose pixels would take `size` bytes: nothing is on them.

    Raises:
        DataError: more than 1 GiB from less than a three hundredth of it.
    """
    if size > max(_HARMLESS, _RATIO_OF_PICTURES * packed):
        rule = f"it and the pictures after it would unpack from {_readable(packed)} to {_readable(size)}"
        remedy = "bring them to one size with data.image.size if they are real data"
        raise DataError(
            Problem(place=place, rule=f"{rule}: refused, as made to exhaust memory", remedy=remedy)
        )


def check_padding(lengths: Sequence[int], steps: int, width: int, source: str) -> None:
    """Refuse series, of so many steps of `width` numbers each, that padding to the longest would blow up.

    Raises:
        DataError: to more than 1 GiB and more than three hundred times their own numbers.
    """
    own, padded = 8 * width * sum(lengths), 8 * width * steps * len(lengths)
    if padded > max(_HARMLESS, _RATIO_OF_PADDING * own):
        rule = (
            f"series of {min(lengths)} to {max(lengths)} steps: padding them to the longest would make "
            f"{_readable(padded)} of {_readable(own)}"
        )
        remedy = "cut the longer ones with data.sequence.length"
        raise DataError(Problem(place=source, rule=rule, remedy=remedy))


@contextmanager
def memory_suffices(source: str) -> Iterator[None]:
    """Memory that cannot be had for data is an error in them.

    Raises:
        DataError: it cannot; with what was asked for.
    """
    try:
        yield
    except MemoryError as error:
        rule = f"does not fit into memory ({error})" if str(error) else "does not fit into memory"
        raise DataError(Problem(place=source, rule=rule, remedy="take fewer rows or columns")) from error


def _readable(size: float) -> str:
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
