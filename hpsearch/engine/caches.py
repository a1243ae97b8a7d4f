"""The processor's caches, as the kernel reports them: how much is worked on at once follows from their size."""

from functools import cache
from pathlib import Path
from typing import Final

_UNREADABLE: Final = 1 << 20


@cache
def second_level_cache() -> int:
    """Bytes of the second-level cache of the first core, as the kernel reports it; 1 MiB where it does not."""
    for level in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            if (level / "level").read_text().strip() == "2":
                return _bytes((level / "size").read_text().strip())
        except (OSError, ValueError):
            continue
    return _UNREADABLE


def _bytes(size: str) -> int:
    """`2048K` -> 2097152."""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(size[:-1]) * units[size[-1]] if size[-1:] in units else int(size)
