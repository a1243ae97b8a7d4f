"""Where the time of a training step goes, for the shapes of the table: microseconds a network and step, by part.

    python -m benchmarks.breakdown_step
"""

import os
import subprocess
import sys
import time
from dataclasses import asdict

from benchmarks.measure import ROOT, cores, environment
from benchmarks.rows.dense import SHAPES
from benchmarks.sampling import Sampler

_SECONDS = 3.0
_COHORTS = {"alone": 1, "cohort": 8, "small": 16, "tiny": 16, "wide": 1, "mnist": 1}


def main() -> None:
    """Measure each shape in a process of its own; print a table in Markdown, a column a shape."""
    if len(sys.argv) > 1:
        _measure(sys.argv[1])
        return
    columns = {}
    for name in _COHORTS:
        command = [sys.executable, "-m", "benchmarks.breakdown_step", name]
        output = subprocess.run(command, cwd=ROOT, env=environment(), check=True, capture_output=True, text=True).stdout
        columns[name] = {label: float(value) for label, _, value in (line.partition("=") for line in output.splitlines())}
    labels = dict.fromkeys(label for column in columns.values() for label in column)
    print("| part | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns))
    for label in labels:
        print(f"| {label} | " + " | ".join(f"{column.get(label, 0):.1f}" for column in columns.values()) + " |")
    print("| all | " + " | ".join(f"{sum(column.values()):.1f}" for column in columns.values()) + " |")


def _measure(name: str) -> None:
    from benchmarks.ours.steps import Steps

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores()[-1:])
    case, networks = SHAPES[name].case, _COHORTS[name]
    subject = Steps(case=asdict(case), networks=networks, epochs=1)
    subject.repeat()
    sampler, epochs = Sampler(), 0
    sampler.start()
    end = time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        subject.repeat()
        epochs += 1
    for label, seconds in sampler.stop().items():
        print(f"{label}={seconds / epochs / case.steps / networks * 1e6}")


if __name__ == "__main__":
    main()
