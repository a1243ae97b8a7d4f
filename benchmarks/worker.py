"""One side of a comparison in a process of its own: does its thing once for every line on standard input.

    python -m benchmarks.worker CORES module:factory '{"option": value}'

The factory returns a subject with `repeat()`, which is timed, and `report()`, what to say at the end. Answers are
lines of JSON on the process's original standard output; whatever libraries print goes to standard error.
"""

import json
import os
import resource
import sys
import time
from importlib import import_module
from typing import Any, Protocol


class Subject(Protocol):
    """What is measured."""

    def repeat(self) -> None:
        """Do it once."""

    def report(self) -> dict[str, Any]:
        """What was achieved, as a check that both sides did the same work."""


def main() -> None:
    """Build the subject, say so, repeat it as often as asked, report."""
    cores, target, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    module, name = target.split(":")
    start = time.perf_counter()
    try:
        factory = getattr(import_module(module), name)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), file=answers)
        return
    imported = time.perf_counter()
    subject = factory(**options)
    ready = time.perf_counter()
    print(json.dumps({"imports": imported - start, "setup": ready - imported}), file=answers)
    for _ in sys.stdin:
        start = time.perf_counter()
        subject.repeat()
        print(json.dumps({"seconds": time.perf_counter() - start}), file=answers)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"memory": memory, "report": subject.report()}), file=answers)


if __name__ == "__main__":
    main()
