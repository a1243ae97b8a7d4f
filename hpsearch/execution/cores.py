"""How many cores this process may use."""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

_CGROUPS: Final = Path("/sys/fs/cgroup")
_OWN_CGROUPS: Final = Path("/proc/self/cgroup")


def available_cores() -> int:
    """The cores of this process's affinity mask, or fewer where a container's quota of processor time is smaller.

    Part of a core counts as one: 1.5 cores keep two workers busy three quarters of the time.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *(math.ceil(quota) for quota in quotas())]))


def quotas(mounted: Path = _CGROUPS, own: Path = _OWN_CGROUPS) -> Iterator[float]:
    """The quotas, in cores, of this process's control group and of all above it; none where there are none."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        inside = PurePosixPath(path.lstrip("/"))
        root = mounted / "cpu" if controllers else mounted
        # in a container the path may be the host's, and the group itself mounted at the root: that is read too
        for group in (inside, *inside.parents):
            yield from _quota(root / group)


def _quota(group: Path) -> Iterator[float]:
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        else:
            quota = (group / "cpu.cfs_quota_us").read_text(encoding="utf-8")
            period = (group / "cpu.cfs_period_us").read_text(encoding="utf-8")
        if quota != "max" and int(quota) > 0:
            yield int(quota) / int(period)
    except (OSError, ValueError):
        return
