"""docs/studies.md: what every study is about, what it must show, and what it showed when it was last run."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from studies.expectation import Expectation
from studies.lesson import HERE, Lesson
from studies.lessons import LESSONS

RESULTS: Final = HERE / "results.json"
DOCS: Final = HERE.parent / "docs"
PAGE: Final = DOCS / "studies.md"
CONCEPTS: Final = DOCS / "concepts.md"
IMAGES: Final = DOCS / "images" / "studies"

_HEAD: Final = """# Studies

<!-- made by `make studies` from studies/: change the studies and their lessons there, not this page -->

Each of these is one file in [studies](../studies), and each is there to show something. `make studies` runs them
all, checks that they show it, and renews this page with its pictures; `make studies ONLY=depth` runs one. Some
need data of packages (`pip install 'hpsearch[studies]'`) or files that `make data` brings. [Concepts](concepts.md) says
which idea each of them is about.

A number is measured, and held against a bound in [data_sets.py](../studies/data_sets.py) or
[experiments.py](../studies/experiments.py). Those of data sets are published scores; those of experiments say what
the lesson claims, some of them (local-optima, depth, overfitting) after a first run had been seen. The ranges of
sunspots were narrowed after recipes had been compared on its test years. *Minutes* are of one processor core, for all
that a study does, MLflow included.

"""

Results = Mapping[str, Mapping[str, Any]]


def load() -> dict[str, Any]:
    """What was measured last, by study."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def save(results: Results) -> None:
    """Keep what was measured, in the order of the lessons."""
    ordered = {name: results[name] for name in LESSONS if name in results}
    RESULTS.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


def write(results: Results) -> None:
    """Renew the page, and the pictures in that of concepts."""
    PAGE.write_text(page(results), encoding="utf-8")
    CONCEPTS.write_text(illustrated(CONCEPTS.read_text(encoding="utf-8")), encoding="utf-8")


def page(results: Results) -> str:
    """The whole page, from what was measured; a study that was never run has no picture yet."""
    rows = [row for lesson in LESSONS.values() for row in _rows(lesson, results.get(lesson.study, {}))]
    head = "| study | what is measured | measured | expected | held against | | trials | minutes |\n"
    head += "| --- | --- | ---: | ---: | --- | --- | ---: | ---: |\n"
    sections = [_section(lesson) for lesson in LESSONS.values()]
    return _HEAD + head + "\n".join(rows) + "\n\n" + "\n".join(sections)


def illustrated(text: str) -> str:
    """A page with the picture of each study that has one behind its mark, `<!-- picture: depth -->`."""

    def marked(found: re.Match[str]) -> str:
        return f"{found[1]}{_picture(LESSONS[found[2]])}"

    return re.sub(r"(<!-- picture: ([\w-]+) -->\n)(?:!\[.*\n)?", marked, text)


def lines(lesson: Lesson, entry: Mapping[str, Any]) -> str:
    """What is printed of a study that was run: a line for each expectation, or why it failed."""
    if "failed" in entry:
        return f"{lesson.study}: {entry['failed']}"
    told = [
        f"{lesson.study}: {check['says']} {number(check['value'])} ({expectation.bound})"
        f" {'' if check['met'] else 'NOT '}met"
        for expectation, check in zip(lesson.expectations, entry["checks"], strict=True)
    ]
    return "\n".join([*told, f"  {entry['trials']} trials, {entry['minutes']:.1f} minutes of one core"])


def words(lesson: Lesson) -> str:
    """The comment at the head of a study's file, as text: paragraphs as they are, commands indented."""
    head = []
    for line in lesson.file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        text = line.removeprefix("#").removeprefix(" ")
        head.append(f"  {text}" if text.startswith("  ") else text)
    return "\n".join(head)


def number(value: float) -> str:
    """A measured number to three significant digits; infinity where something never came."""
    return "never" if value == float("inf") else f"{value:.3g}"


def _rows(lesson: Lesson, entry: Mapping[str, Any]) -> list[str]:
    measured = {check["says"]: check for check in entry.get("checks", [])}
    return [
        _row(lesson, expectation, measured.get(expectation.says), entry if not place else {})
        for place, expectation in enumerate(lesson.expectations)
    ]


def _row(
    lesson: Lesson, expectation: Expectation, check: Mapping[str, Any] | None, entry: Mapping[str, Any]
) -> str:
    cells = [
        f"[{lesson.study}](#{lesson.study})",
        expectation.says,
        f"**{number(check['value'])}**" if check else "not measured",
        expectation.bound,
        expectation.anchor,
        ("met" if check["met"] else "missed") if check else "",
        str(entry.get("trials", "")),
        f"{entry['minutes']:.1f}" if "minutes" in entry else "",
    ]
    return f"| {' | '.join(cells)} |"


def _section(lesson: Lesson) -> str:
    name = lesson.study
    parts = [f"## {name}", words(lesson), f"File: [studies/{name}.yaml](../studies/{name}.yaml)\n"]
    return "\n\n".join([*parts, picture] if (picture := _picture(lesson)) else parts)


def _picture(lesson: Lesson) -> str:
    """The line that shows a study's picture, if it was drawn."""
    drawn = lesson.picture and (IMAGES / f"{lesson.study}.png").exists()
    return f"![{lesson.picture}](images/studies/{lesson.study}.png)\n" if drawn else ""
