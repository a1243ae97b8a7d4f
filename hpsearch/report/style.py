"""How figures look: colours that the colour-blind can tell apart, nothing that a dark page would hide."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

Table = Sequence[Sequence[str | float]]
"""Rows of cells, the head first."""

COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#B8A800", "#8C8C8C")
"""Those of Okabe and Ito (2008), the yellow darker, gray in place of black."""

OBJECTIVE_SCALE: Final = [[0.0, COLOURS[1]], [0.5, "#A8A8A0"], [1.0, COLOURS[0]]]
"""From the worst value to the best: seen on white and on black."""

TIME_SCALE: Final = [[0.0, "#B5BDC4"], [1.0, COLOURS[0]]]
"""From the first trial to the last."""

_STATES: Final = {
    "complete": COLOURS[0],
    "stopped_early": COLOURS[5],
    "pruned": COLOURS[7],
    "diverged": COLOURS[3],
    "failed": "#000000",
}
_GRID: Final = "rgba(128, 128, 128, 0.25)"


def figure(traces: Sequence[Any], **layout: Any) -> go.Figure:
    """A figure of these traces in the report's style."""
    return styled(go.Figure(list(traces)), **layout)


def styled(made: go.Figure, *, height: int = 420, **layout: Any) -> go.Figure:
    """Give a figure the report's style; its title and legend are the page's business."""
    made.update_layout(
        title=None,
        template="none",
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        margin={"l": 60, "r": 20, "t": 30, "b": 50},
        colorway=list(COLOURS),
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0, "x": 0},
        hovermode="closest",
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": COLOURS[7], "activecolor": COLOURS[0]},
    )
    made.update_layout(**layout)
    made.update_xaxes(gridcolor=_GRID, zerolinecolor=_GRID, automargin=True)
    made.update_yaxes(gridcolor=_GRID, zerolinecolor=_GRID, automargin=True)
    return made


def with_menu(buttons: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The layout of a figure above whose left end a menu chooses what is shown."""
    menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "type": "dropdown"}
    return {"updatemenus": [menu], "margin": {"l": 60, "r": 20, "t": 60, "b": 50}}


def diagonal(values: Sequence[float], name: str) -> go.Scatter:
    """A dotted line on which both axes are equal, as far as the values reach."""
    ends = [min(values), max(values)]
    line = {"dash": "dot", "color": COLOURS[7]}
    return go.Scatter(x=ends, y=ends, mode="lines", name=name, line=line, hoverinfo="skip")


def ranking(values: Mapping[str, float], *, form: str) -> go.Bar:
    """A horizontal bar a name, the first on top; `form` is how the pointer tells a value (d3-format)."""
    names = [*values][::-1]
    return go.Bar(
        x=[values[name] for name in names],
        y=names,
        orientation="h",
        marker={"color": COLOURS[0]},
        hovertemplate=f"%{{y}}: %{{x:{form}}}<extra></extra>",
    )


def state_colour(state: str) -> str:
    """A trial's colour by how it ended."""
    return _STATES[state]


def verdict_colours(verdicts: Sequence[str]) -> dict[str, str]:
    """A colour for each verdict: green for a healthy one, the others as they come."""
    others = [colour for colour in COLOURS if colour != COLOURS[2]]
    unhealthy = [verdict for verdict in verdicts if verdict != "healthy"]
    return {
        "healthy": COLOURS[2],
        **{verdict: others[place % len(others)] for place, verdict in enumerate(unhealthy)},
    }


def words(name: str) -> str:
    """A name as people read it."""
    return name.replace("_", " ")
