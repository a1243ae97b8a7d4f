"""Figures of the search's course and of what came of it."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go

from hpsearch.judgment.metrics import UPTO_ONE
from hpsearch.report.material import Material
from hpsearch.report.style import COLOURS, diagonal, figure, state_colour, verdict_colours, words
from hpsearch.search.fact import TrialFact

_BAR: Final = 0.9
"""Of a trial's place; left to Plotly, it is as wide as the trials of one state lie apart."""


def history(material: Material) -> go.Figure | None:
    """The objective by trial, and the best so far."""
    finished = sorted(material.best, key=lambda fact: fact.number)
    if not finished:
        return None
    numbers, values = [fact.number for fact in finished], [_value(fact) for fact in finished]
    best = (np.minimum if material.minimized else np.maximum).accumulate(values)
    points = go.Scatter(
        x=numbers,
        y=values,
        mode="markers",
        name="finished trials",
        text=[f"{fact.name}: {words(fact.verdict)}" for fact in finished],
        marker={"color": [state_colour(fact.state) for fact in finished], "size": 7},
        hovertemplate="%{text}<br>%{y:.5g}<extra></extra>",
    )
    line = go.Scatter(
        x=[*numbers, material.facts[-1].number],
        y=[*best, best[-1]],
        mode="lines",
        name="best so far",
        line={"shape": "hv", "color": COLOURS[3]},
        hovertemplate="best so far %{y:.5g}<extra></extra>",
    )
    spread = max(values) > 20 * abs(np.median(values)) and min(values) > 0
    return figure(
        [points, line],
        xaxis_title="trial",
        yaxis_title=words(material.metric),
        yaxis_type="log" if spread else "linear",
    )


def pruning_timeline(material: Material) -> go.Figure:
    """A bar a trial: the epochs that it was trained, coloured by how it ended, before those it was meant to have."""
    states = dict.fromkeys(fact.state for fact in material.facts)
    planned = [fact for fact in material.facts if isinstance(fact.hyperparameters.get("epochs"), int)]
    meant = go.Bar(
        x=[fact.number for fact in planned],
        y=[fact.hyperparameters["epochs"] for fact in planned],
        name="planned",
        width=_BAR,
        marker={"color": "rgba(128, 128, 128, 0.18)"},
        hovertemplate="trial %{x}: %{y} epochs planned<extra></extra>",
    )
    bars = [_bars([fact for fact in material.facts if fact.state == state], state) for state in states]
    places = {"title": "trial", "range": [-0.6, material.facts[-1].number + 0.6]}
    return figure([meant, *bars], barmode="overlay", xaxis=places, yaxis_title="epochs trained")


def _bars(facts: Sequence[TrialFact], state: str) -> go.Bar:
    return go.Bar(
        x=[fact.number for fact in facts],
        y=[fact.epochs for fact in facts],
        name=f"{words(state)} ({len(facts)})",
        text=[fact.reason for fact in facts],
        textposition="none",
        width=_BAR,
        marker={"color": state_colour(state)},
        hovertemplate="trial %{x}: %{y} epochs<br>%{text}<extra></extra>",
    )


def generalization(material: Material) -> go.Figure | None:
    """Training against validation loss, both at the best epoch: the distance from the diagonal is the gap."""
    losses = ("best_train_loss", "best_validation_loss")
    shown = [f for f in material.facts if all(np.isfinite(f.scores.get(name, np.nan)) for name in losses)]
    if len(shown) < 2:
        return None
    colours = verdict_colours(material.verdicts)
    by_verdict = {verdict: [f for f in shown if f.verdict == verdict] for verdict in material.verdicts}
    traces = [
        go.Scatter(
            x=[fact.scores[losses[0]] for fact in facts],
            y=[fact.scores[losses[1]] for fact in facts],
            mode="markers",
            name=f"{words(verdict)} ({len(facts)})",
            text=[fact.name for fact in facts],
            marker={"color": colours[verdict], "size": 8},
            hovertemplate="%{text}<br>training %{x:.4g}, validation %{y:.4g}<extra></extra>",
        )
        for verdict, facts in by_verdict.items()
        if facts
    ]
    every = [fact.scores[name] for fact in shown for name in losses]
    scale = "log" if min(every) > 0 else "linear"
    return figure(
        [*traces, diagonal(every, "no gap")],
        xaxis={"title": "training loss", "type": scale},
        yaxis={"title": "validation loss", "type": scale},
    )


def test_scores(material: Material) -> go.Figure | None:
    """The refitted winner's test scores with their intervals, beside the baselines: those that are 1 at best."""
    test = material.result.get("test") or {}
    shown = {name: score for name, score in test.items() if name in UPTO_ONE}
    if not shown:
        return None
    winner = go.Scatter(
        x=[score["value"] for score in shown.values()],
        y=[words(name) for name in shown],
        mode="markers",
        name="the network",
        marker={"size": 11, "color": COLOURS[2]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [score["high"] - score["value"] for score in shown.values()],
            "arrayminus": [score["value"] - score["low"] for score in shown.values()],
        },
        hovertemplate="%{y}: %{x:.4g}<extra></extra>",
    )
    others = [
        go.Scatter(
            x=[scores.get(name) for name in shown],
            y=[words(name) for name in shown],
            mode="markers",
            name=baseline,
            marker={"size": 10, "symbol": "line-ns-open", "color": COLOURS[place % 2]},
            hovertemplate=f"{baseline}, %{{y}}: %{{x:.4g}}<extra></extra>",
        )
        for place, (baseline, scores) in enumerate(material.result.get("baselines", {}).items())
    ]
    return figure([winner, *others], height=140 + 60 * len(shown), yaxis={"autorange": "reversed"})


def _value(fact: TrialFact) -> float:
    return fact.values[0] if fact.values else float("nan")
