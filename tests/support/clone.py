"""The time from a clone to the first result: `python -m tests.support.clone` measures it, for the tutorial.

The README's way, in an empty directory and without a cache of packages, timed by the clock and in seconds of a
processor: these hardly depend on the network, nor on what else the machine does.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.support.tutorial import PAGE

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- measured by `python -m tests.support.clone` -->\n\n", "\n\n<!-- as far as here -->"
STEPS = {
    "git clone": ["git", "clone", "--quiet", str(ROOT), "hpsearch"],
    "make run: an environment and its packages": ["make", "-C", "hpsearch", ".venv/.installed"],
    "make run: the search, the winner's test, MLflow": ["make", "-C", "hpsearch", "run"],
}
_OUTER = ("MAKE", "MFLAGS", "HPSEARCH_", "MLFLOW_", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Step:
    """What a step took, and what it said."""

    name: str
    clock: float
    processor: float
    said: str


def measured(directory):
    """The steps from a clone to a first result, taken in an empty directory; and the megabytes of the environment."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(_OUTER)}
    env |= {"PIP_NO_CACHE_DIR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    steps = [_step(name, words, directory, env) for name, words in STEPS.items()]
    return steps, megabytes(directory / "hpsearch" / ".venv")


def megabytes(directory):
    """What the files in a directory take."""
    return sum(path.lstat().st_size for path in directory.rglob("*")) / 1e6


def _step(name, words, directory, env):
    began, used = time.monotonic(), _processor()
    done = subprocess.run(words, cwd=directory, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Step(name, time.monotonic() - began, _processor() - used, done.stdout)


def _processor():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(steps, size, *, day, cores):
    """The lines of the page."""
    rows = [f"| {each.name} | {each.clock:.0f} | {each.processor:.0f} |" for each in steps]
    clock, processor = sum(each.clock for each in steps), sum(each.processor for each in steps)
    return "\n".join(
        [
            "| | seconds | of a processor |",
            "| --- | ---: | ---: |",
            *rows,
            f"| **from a clone to the first result** | **{clock:.0f}** | **{processor:.0f}** |",
            "",
        ]
    ) + (
        f"\nMeasured on {day} on a machine with {cores} cores, with no cache but an index of packages near by: a slow "
        f"line adds the time of its download, of an environment that takes {size:.0f} MB when it is unpacked."
    )


def main():
    """Write the page."""
    with tempfile.TemporaryDirectory(prefix="clone-") as directory:
        steps, size = measured(Path(directory))
    text = table(steps, size, day=datetime.now(tz=UTC).date(), cores=len(os.sched_getaffinity(0)))
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert END in rest, "the page has no place for it"
    PAGE.write_text(f"{before}{begin}{text}{end}{after}", encoding="utf-8")
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
