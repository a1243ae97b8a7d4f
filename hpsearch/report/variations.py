"""Trials that were trained again with one thing changed: the curves of each change."""

from typing import Final

import numpy as np
import plotly.graph_objects as go

from hpsearch.report.material import Material
from hpsearch.report.style import COLOURS, figure, with_menu
from hpsearch.search.fact import TrialFact

MOST_EXAMINED: Final = 20
"""Trials that are shown, the best ones."""
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
        buttons.append({"label": chosen.name, "method": "update", "args": [{"visible": visible}]})
    return figure(
        traces,
        height=560,
        xaxis_title="epoch",
        yaxis_title="validation loss",
        yaxis_type="log",
        **with_menu(buttons),
    )


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
