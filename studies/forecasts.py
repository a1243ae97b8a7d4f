"""How well the forecasts of the study `sunspots` fit, period by period."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.named import load_named
from studies.expectation import Measure, Run, Seen

LAGS: Final = 12
VARIANCE: Final = 1535.0
"""Of the yearly numbers from 1700 to 1920, about: the unit of the published figures (Weigend et al. 1990)."""


def relative_variance(study: str, first: int, last: int) -> Measure:
    """The mean squared error over the years from first to last, in units of the series' variance."""

    def measured(seen: Seen) -> float:
        years, spots, forecast = forecasts(seen[study][0])
        there = (years >= first) & (years <= last)
        return float(np.mean((forecast - spots)[there] ** 2) / VARIANCE)

    return measured


def forecasts(run: Run) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """(N,) each: years from the first that has twelve before it, its sunspots, and what the winner forecasts."""
    table = load_named("statsmodels/sunspots").frame
    years, spots = table["YEAR"].to_numpy(), table["SUNACTIVITY"].to_numpy()
    windows = np.lib.stride_tricks.sliding_window_view(spots, LAGS)[:-1]
    return years[LAGS:], spots[LAGS:], np.asarray(run.model.predict(windows[:, :, None]))
