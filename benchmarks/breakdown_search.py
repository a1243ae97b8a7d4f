"""Where a search's processor time goes: studies/digits.yaml, 100 trials, one worker, stored and tracked.

    python -m benchmarks.breakdown_search [override ...]

The tracker's time is that of its process.
"""

import os
import resource
import subprocess
import sys
import time

from benchmarks.measure import ROOT, cores, environment
from benchmarks.sampling import Sampler


def main() -> None:
    """Measure in a process of its own, whose libraries use one thread; print a table in Markdown."""
    if "HPSEARCH_BREAKDOWN" not in os.environ:
        command = [sys.executable, "-m", "benchmarks.breakdown_search", *sys.argv[1:]]
        sys.exit(subprocess.call(command, cwd=ROOT, env=environment() | {"HPSEARCH_BREAKDOWN": "1"}))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores()[-1:])
    sampler = Sampler()
    sampler.start()
    from benchmarks.ours import search

    report = search.watched({"overrides": sys.argv[1:], "spawned": time.time()})
    table = sampler.stop()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    table["the tracker's process"] = children.ru_utime + children.ru_stime
    _print(table, report["trials"], report["epochs"])


def _print(table: dict[str, float], trials: int, epochs: int) -> None:
    total = sum(table.values())
    print(f"{trials} trials, {epochs} epochs, {total:.1f} s of processor time\n")
    print("| what | s | ms a trial | share |\n| --- | ---: | ---: | ---: |")
    for label, value in sorted(table.items(), key=lambda item: -item[1]):
        print(f"| {label} | {value:.2f} | {value / trials * 1e3:.2f} | {value / total:.0%} |")


if __name__ == "__main__":
    main()
