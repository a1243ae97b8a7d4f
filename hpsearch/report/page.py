"""The page: sections of figures, tables and words put into one HTML file that needs no network."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from hpsearch.judgment.generalization import own_scores
from hpsearch.judgment.sentences import best_variation
from hpsearch.judgment.variation import rows_of
from hpsearch.report.material import Material, gather
from hpsearch.report.sections import sections
from hpsearch.report.style import words
from hpsearch.report.variations import examined
from hpsearch.report.wording import summary, symptoms, together
from hpsearch.search.fact import TrialFact
from hpsearch.store import StudyHome, write_text

_MOST_ROWS: Final = 1000
"""Trials in the page's table: the best, then the latest."""


def write_report(home: StudyHome, path: Path | None = None) -> Path:
    """Write the study's page to a path, or to its home; returns where.

    Raises:
        UnknownStudyError: the study holds no trials yet.
        StorageError: it cannot be read, or the page cannot be written.
    """
    target = home.report if path is None else path
    write_text(target, render_report(gather(home)), remedy="name another file with -o")
    return target


def render_report(material: Material) -> str:
    """The page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - not for other verbs
    from plotly.offline import get_plotlyjs  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("hpsearch.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"words": words, "number": _number, "plain": _plain}
    return environment.get_template("report.html").render(
        material=material,
        own=own_scores(material.result),
        inspection=material.result.get("inspection", {}),
        shown=_shown(material),
        summary=summary(material),
        symptoms=symptoms(material),
        together=together(material),
        sections=list(sections(material)),
        examined=[_examined(material, fact) for fact in examined(material)],
        rows=_rows(material),
        versions=material.attributes.get("versions", {}),
        style=_asset("report.css"),
        script=_asset("report.js"),
        plotly=get_plotlyjs(),
    )


def _rows(material: Material) -> list[TrialFact]:
    others = [fact for fact in material.facts if not fact.finished]
    return [*material.best, *reversed(others)][:_MOST_ROWS]


def _shown(material: Material) -> str:
    """What is shown of the rows that were predicted worst: "" where nothing is."""
    found = material.result.get("inspection", {})
    worst = found.get("worst", ())
    if any("picture" in each for each in worst):
        return "picture"
    told = max((len(each.get("inputs", ())) for each in worst), default=0)
    return "inputs that matter most" if 0 < told < len(found.get("importance", ())) else "inputs" * bool(told)


def _number(value: Any) -> str:
    """Four significant digits for a float, JSON for lists, nothing for nothing."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return json.dumps(value) if isinstance(value, list | tuple) else str(value)


def _plain(value: Any) -> str:
    """A label, or the numbers of a row's targets."""
    return ", ".join(map(_number, value)) if isinstance(value, list) else str(value)


def _examined(material: Material, fact: TrialFact) -> dict[str, Any]:
    """A trial that was looked into: which, what was tried, and the best of it."""
    metric = words(material.metric)
    return {
        "fact": fact,
        "best": best_variation(fact.variations, metric, material.direction),
        "table": rows_of(fact.variations, material.metric),
    }


def _asset(name: str) -> str:
    return files("hpsearch.report").joinpath("assets", name).read_text(encoding="utf-8")
