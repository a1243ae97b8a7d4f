"""How much a packed file may unpack to, looked up in its header before anything is unpacked."""

import os
from pathlib import Path
from typing import Final

from hpsearch.errors import DataError, Problem

_HARMLESS: Final = 1 << 30
_RATIO: Final = 1000  # what deflate gains at most, on nothing but zeros


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


def _readable(size: float) -> str:
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
