"""Trials that were trained again with one thing changed: the curves of each change."""

import math
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from hpsearch.judgment.variation import Variation
from hpsearch.report.material import Material
from hpsearch.report.style import COLOURS, figure, with_menu
from hpsearch.search.fact import TrialFact

MOST_EXAMINED: Final = 20
"""Trials that are shown, the best ones."""
_WORSE: Final = 3
_DASHES: Final = ("solid", "dash")  # when colours come again


def examined(material: Material) -> list[TrialFact]:
    """The trials that were looked into, best first, those that did not finish last."""
    order = {fact.number: place for place, fact in enumerate(material.best)}
    found = [fact for fact in material.facts if fact.variations]
    return sorted(found, key=lambda fact: order.get(fact.number, len(order) + fact.number))[:MOST_EXAMINED]


def variations(material: Material) -> go.Figure | None:
    """The validation loss by epoch under each change of a trial, which a menu chooses."""
    facts = examined(material)
    if not facts:
        return None
    traces, buttons = [], []
    for fact in facts:
        traces += _lines(fact, visible=fact is facts[0])
    for chosen in facts:
        visible = [fact is chosen for fact in facts for _ in fact.variations]
        shown = [{"visible": visible}, {f"yaxis.{name}": value for name, value in _axis(chosen).items()}]
        buttons.append({"label": chosen.name, "method": "update", "args": shown})
    return figure(
        traces,
        height=560,
        xaxis_title="epoch",
        yaxis_title="validation loss",
        yaxis={"type": "log", **_axis(facts[0])},
        **with_menu(buttons),
    )


def _axis(fact: TrialFact) -> dict[str, Any]:
    """From the least loss of all to three times the worst of the recipe itself: what is worse leaves it above."""
    own = [loss for each in fact.variations if not each.changes for loss in _losses(each)]
    every = [loss for each in fact.variations for loss in _losses(each)]
    if not own:
        return {"autorange": True}
    return {"autorange": False, "range": [math.log10(0.9 * min(every)), math.log10(_WORSE * max(own))]}


def _losses(variation: Variation) -> list[float]:
    """Those that an axis of logarithms can show."""
    return [loss for loss in variation.curves.get("validation_loss", ()) if loss > 0 and math.isfinite(loss)]


def _lines(fact: TrialFact, *, visible: bool) -> list[go.Scatter]:
    """A line a change, those from other seeds dotted in its colour; that of the trial as it was is thick."""
    changes: list[object] = []
    lines: list[go.Scatter] = []
    for variation in fact.variations:
        repeats = variation.changes in changes
        if not repeats:
            changes.append(variation.changes)
        place = changes.index(variation.changes)
        curve = variation.curves.get("validation_loss", ())
        style = {
            "color": COLOURS[place % len(COLOURS)],
            "width": 1.5 if lines else 3,
            "dash": "dot" if repeats else _DASHES[place // len(COLOURS) % len(_DASHES)],
        }
        lines.append(
            go.Scatter(
                x=list(range(1, len(curve) + 1)),
                y=[value if np.isfinite(value) else None for value in curve],
                mode="lines",
                name=variation.words,
                visible=visible,
                line=style,
                hovertemplate=f"{variation.words}<br>epoch %{{x}}: %{{y:.4g}}<extra></extra>",
            )
        )
    return lines
