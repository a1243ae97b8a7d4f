"""The learning curves of all trials, coloured by what they say."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go

from hpsearch.report.material import Material
from hpsearch.report.style import figure, verdict_colours, with_menu, words
from hpsearch.search.fact import TrialFact

MOST_CURVES: Final = 300
"""Curves in one figure: of more trials the best ones are drawn, and the latest of the others."""

_SHOWN: Final = ("validation_", "train_")
_LOGARITHMIC: Final = 20.0
"""Where a curve's largest value is so many times its median, the axis is logarithmic."""


def learning_curves(material: Material) -> go.Figure | None:
    """One line a trial, switched from curve to curve by a menu, and on and off by verdict in the legend."""
    drawn = _chosen(material)
    names = _names(material, drawn)
    if not names:
        return None
    there = {fact.verdict for fact in drawn}
    verdicts = [verdict for verdict in material.verdicts if verdict in there]
    colours = verdict_colours(material.verdicts)
    traces, buttons = [], []
    for name in names:
        for verdict in verdicts:
            of_verdict = [fact for fact in drawn if fact.verdict == verdict]
            traces.append(_lines(of_verdict, name, verdict, colours[verdict], visible=name == names[0]))
    for place, name in enumerate(names):
        visible = [other == place for other in range(len(names)) for _ in verdicts]
        axis = {"yaxis.title.text": words(name), "yaxis.type": _scale(drawn, name)}
        buttons.append({"label": words(name), "method": "update", "args": [{"visible": visible}, axis]})
    return figure(
        traces,
        height=520,
        xaxis_title="epoch",
        yaxis_title=words(names[0]),
        yaxis_type=_scale(drawn, names[0]),
        **with_menu(buttons),
    )


def _chosen(material: Material) -> list[TrialFact]:
    """The trials that are drawn, by number."""
    with_curves = [fact for fact in material.facts if fact.curves]
    if len(with_curves) <= MOST_CURVES:
        return with_curves
    best = {fact.number for fact in material.best[: MOST_CURVES // 2]}
    others = [fact.number for fact in with_curves if fact.number not in best][len(best) - MOST_CURVES :]
    return [fact for fact in with_curves if fact.number in best or fact.number in set(others)]


def _names(material: Material, facts: Sequence[TrialFact]) -> list[str]:
    """The curves to choose from, the objective's first."""
    there = dict.fromkeys(name for fact in facts for name in fact.curves)
    first = [material.metric] if material.metric in there else []
    return list(dict.fromkeys([*first, *(name for name in there if name.startswith(_SHOWN)), *there]))


def _lines(
    facts: Sequence[TrialFact], name: str, verdict: str, colour: str, *, visible: bool
) -> go.Scattergl:
    """All curves of a verdict as one trace, with gaps between the trials."""
    x: list[int | None] = []
    y: list[float | None] = []
    text: list[str] = []
    for fact in facts:
        curve = fact.curves.get(name, ())
        x += [*range(1, len(curve) + 1), None]
        y += [*(value if np.isfinite(value) else None for value in curve), None]
        text += [f"{fact.name}, {words(fact.state)}"] * (len(curve) + 1)
    return go.Scatter(
        x=x,
        y=y,
        text=text,
        mode="lines",
        name=f"{words(verdict)} ({len(facts)})",
        visible=visible,
        line={"color": colour, "width": 1.3},
        opacity=0.75,
        hovertemplate="%{text}<br>epoch %{x}: %{y:.4g}<extra></extra>",
    )


def _scale(facts: Sequence[TrialFact], name: str) -> str:
    """`log` where a few values would flatten all others, and none forbids it."""
    values = np.array([value for fact in facts for value in fact.curves.get(name, ()) if np.isfinite(value)])
    if not len(values) or values.min() <= 0:
        return "linear"
    return "log" if values.max() > _LOGARITHMIC * np.median(values) else "linear"
