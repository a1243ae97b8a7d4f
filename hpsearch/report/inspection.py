"""Figures of what stands behind the test scores."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from hpsearch.report.material import Material
from hpsearch.report.style import COLOURS, Table, diagonal, figure, ranking

_WRITTEN = 20
"""Classes up to which each cell of the confusions has its number."""

_INPUTS = 20
"""Inputs whose importance is shown."""


def confusion(material: Material) -> go.Figure | None:
    """True classes by row, predicted ones by column, coloured by the share of the row."""
    found = _inspection(material)
    if "confusion" not in found:
        return None
    counts = np.array(found["confusion"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [str(each["class"]) for each in found["per_class"]]
    cells = go.Heatmap(
        z=shares.tolist(),
        x=names,
        y=names,
        text=counts.tolist(),
        texttemplate="%{text}" if len(names) <= _WRITTEN else None,
        colorscale=[[0, "rgba(0,114,178,0)"], [1, COLOURS[0]]],
        zmin=0,
        zmax=1,
        colorbar={"tickformat": ".0%", "title": "of the class"},
        hovertemplate="true %{y}, predicted %{x}: %{text} rows (%{z:.1%})<extra></extra>",
    )
    return figure(
        [cells],
        height=max(360, min(800, 120 + 34 * len(names))),
        xaxis={"title": "predicted", "type": "category"},
        yaxis={"title": "true", "type": "category", "autorange": "reversed"},
    )


def calibration(material: Material) -> go.Figure | None:
    """How often the network is right by how sure it is."""
    found = _inspection(material).get("calibration")
    if not found:
        return None
    bins = found["bins"]
    reached = go.Scatter(
        x=[each["confidence"] for each in bins],
        y=[each["accuracy"] for each in bins],
        mode="lines+markers",
        name=f"the network (expected calibration error {found['error']:.3f})",
        marker={"size": [8 + 14 * (each["rows"] / max(b["rows"] for b in bins)) ** 0.5 for each in bins]},
        text=[f"{each['rows']} rows" for each in bins],
        hovertemplate="sure by %{x:.0%}, right in %{y:.0%} of %{text}<extra></extra>",
    )
    percent = {"tickformat": ".0%", "range": [0, 1.03]}
    return figure(
        [reached, diagonal([0, 1], "as often right as sure")],
        xaxis={"title": "confidence", **percent},
        yaxis={"title": "accuracy", **percent},
    )


def calibration_in_numbers(material: Material) -> Table:
    """Confidence and accuracy, bin by bin."""
    bins = _inspection(material)["calibration"]["bins"]
    rows = [(f"{each['confidence']:.0%}", f"{each['accuracy']:.0%}", each["rows"]) for each in bins]
    return (("sure by", "right in", "rows"), *rows)


def residuals(material: Material) -> go.Figure | None:
    """Predictions against true values, a target beside the other."""
    found = _inspection(material).get("residuals")
    if not found:
        return None
    traces = []
    for place, target in enumerate(found):
        name, colour = target["target"], COLOURS[place % len(COLOURS)]
        traces.append(
            go.Scatter(
                x=target["true"],
                y=target["predicted"],
                mode="markers",
                name=f"{name} (bias {target['bias']:.3g})",
                marker={"color": colour, "size": 6, "opacity": 0.7},
                hovertemplate=f"{name}: true %{{x:.4g}}, predicted %{{y:.4g}}<extra></extra>",
            )
        )
    every = [value for target in found for value in (*target["true"], *target["predicted"])]
    traces.append(diagonal(every, "exact"))
    return figure(traces, xaxis_title="true", yaxis_title="predicted")


def importance(material: Material) -> go.Figure | None:
    """A bar for each of the most important inputs."""
    found = _inspection(material).get("importance")
    if not found:
        return None
    shown = dict(list(found.items())[:_INPUTS])
    metric = next(iter(material.result["test"]), "score")
    return figure(
        [ranking(shown, form=".4g")],
        height=110 + 24 * len(shown),
        showlegend=False,
        xaxis={"title": f"loss of {metric} when shuffled"},
        yaxis={"type": "category"},
    )


def importance_in_numbers(material: Material) -> Table:
    """What the score loses by each of the inputs that the figure shows."""
    return (("input", "lost when shuffled"), *list(_inspection(material)["importance"].items())[:_INPUTS])


def _inspection(material: Material) -> Mapping[str, Any]:
    found: Mapping[str, Any] = material.result.get("inspection", {})
    return found
