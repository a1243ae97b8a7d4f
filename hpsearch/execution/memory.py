"""What memory this process uses, as far as the system tells."""

import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """Bytes: `now` and at the most (`peak`), and of those of now `own`, without the files that processes share."""

    now: int
    own: int
    peak: int


def used() -> Used:
    """Of this process; where there is no /proc, its peak stands for all three."""
    try:
        lines = (line.split(":", 1) for line in _STATUS.read_text(encoding="ascii").splitlines())
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Used(now=peak, own=peak, peak=peak)
    kilobytes = {name: int(value.split()[0]) for name, value in lines if value.endswith("kB")}
    now, own, peak = (kilobytes[name] * 1024 for name in ("VmRSS", "RssAnon", "VmHWM"))
    return Used(now=now, own=own, peak=peak)


def forget_peak() -> None:
    """Let the peak count from now on, where the system can (Linux; see proc(5), clear_refs)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
