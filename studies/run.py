"""Run studies, check what they should show, and renew docs/studies.md.

    python -m studies.run [study ...]

Every run begins anew, in a store of its own (build/studies; look at it with `hpsearch ui --store build/studies`). What
is not run now keeps its figures of last time in the page; studies that others are compared with are taken from the
store, if they are there.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hpsearch.data import PreparedData
from hpsearch.errors import HpsearchError
from hpsearch.search.fact import TrialFact
from hpsearch.spec import StudySpec, load_study
from hpsearch.store import Store, StudyHome
from hpsearch.study import run_study
from studies import page
from studies.expectation import Run, Seen
from studies.lesson import HERE, Lesson
from studies.lessons import LESSONS
from studies.pictures import draw

STORE: Final = HERE.parent / "build" / "studies"


class Quiet:
    """Watches a run and tells nothing but warnings."""

    def opened(self, _spec: StudySpec, _home: StudyHome, _data: PreparedData, _stored: int) -> None:
        """The study is open."""

    def retired(self, _fact: TrialFact) -> None:
        """A trial has been stored."""

    def step(self, _text: str) -> None:
        """What is being done now."""

    def warning(self, text: str) -> None:
        """Something that the user should know."""
        sys.stderr.write(f"{text}\n")


def main() -> int:
    """Run what was asked for; fails when a name is unknown, a study fails, or an expectation is not met."""
    names = sys.argv[1:] or list(LESSONS)
    unknown = [name for name in names if name not in LESSONS]
    if unknown:
        _say(f"no study {', '.join(unknown)}; there are: {', '.join(LESSONS)}")
        return 2
    seen: dict[str, Sequence[Run]] = {}
    stored, met = page.load(), True
    for lesson in in_order(names):
        if lesson.study not in names and (runs := _kept(lesson)):
            seen[lesson.study] = runs
            continue
        entry = _entry(lesson, seen)
        met &= all(check["met"] for check in entry["checks"]) and "failed" not in entry
        stored[lesson.study] = entry
        page.save(stored)
        _say(page.lines(lesson, entry))
    page.write(stored)
    return 0 if met else 1


def in_order(names: Iterable[str]) -> list[Lesson]:
    """The lessons of these names and those beside them, each once, in the order of the table."""
    wanted = set(names)
    wanted |= {other for name in wanted for other in LESSONS[name].beside}
    return [lesson for name, lesson in LESSONS.items() if name in wanted]


def run(lesson: Lesson, store: Path) -> list[Run]:
    """Run a lesson's study, each variant of it, on one core, beginning anew.

    Raises:
        HpsearchError: a run did not come to its end.
    """
    runs = []
    for overrides in lesson.variants:
        spec = load_study(lesson.file, overrides)
        result = run_study(spec, store=Store.locate(store), observer=Quiet(), fresh=True)
        runs.append(Run.read(result.home.key, Store.locate(store)))
    return runs


def check(lesson: Lesson, seen: Seen) -> list[dict[str, Any]]:
    """What each expectation measured, and whether it is met."""
    values = [expectation.measure(seen) for expectation in lesson.expectations]
    return [
        {"says": expectation.says, "value": value, "met": expectation.holds(value)}
        for expectation, value in zip(lesson.expectations, values, strict=True)
    ]


def _entry(lesson: Lesson, seen: dict[str, Sequence[Run]]) -> dict[str, Any]:
    """What docs/studies.md says of a study; `seen` learns of its runs."""
    before = _processor_seconds()
    entry: dict[str, Any] = {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "checks": []}
    try:
        seen[lesson.study] = run(lesson, STORE)
    except HpsearchError as error:
        return entry | {"failed": str(error)}
    entry["minutes"] = (_processor_seconds() - before) / 60
    entry["trials"] = sum(len(each.facts) for each in seen[lesson.study])
    draw(lesson.study, seen, page.IMAGES)
    return entry | {"checks": check(lesson, seen)}


def _kept(lesson: Lesson) -> list[Run]:
    """The last run of a study that has one, if it is in the store."""
    try:
        return [Run.read(lesson.study, Store.locate(STORE))]
    except HpsearchError:
        return []


def _processor_seconds() -> float:
    """What this process and those that it started and that have ended took of a processor.

    The same on a machine that is busy with other things.
    """
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
