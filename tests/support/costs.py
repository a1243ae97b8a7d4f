"""What a command costs: processor time and memory of the whole tree of its processes."""

import os
import resource
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_EVERY = 0.05  # how often memory is looked at, in seconds


@dataclass(frozen=True)
class Cost:
    """`processor` seconds of all processes, `wall` seconds, and `memory`, their bytes together at the most."""

    returncode: int
    output: str
    errors: str
    processor: float
    wall: float
    memory: int


def cost_of(*arguments, cwd, env=None):
    """Run the command line in a process of its own, watched; pages that processes share count once."""
    before, began, peak, over = _children(), time.monotonic(), [0], threading.Event()
    process = subprocess.Popen(
        [sys.executable, "-m", "hpsearch", *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "160", **(env or {})},
    )
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, over))
    watcher.start()
    output, errors = process.communicate()
    over.set()
    watcher.join()
    return Cost(process.returncode, output, errors, _children() - before, time.monotonic() - began, peak[0])


def _watch(pid, peak, over):
    while not over.wait(_EVERY):
        with suppress(psutil.Error, OSError):
            tree = psutil.Process(pid)
            used = [_used(process.pid) for process in (tree, *tree.children(recursive=True))]
            peak[0] = max(peak[0], sum(own for own, _ in used) + max(files for _, files in used))


def _used(pid):
    """Bytes that a process has for itself, and of files that it maps: libraries that all of them map are there once."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith("Rss")}
        return kilobytes.get("RssAnon", 0) * 1024, kilobytes.get("RssFile", 0) * 1024
    return 0, 0


def _children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
