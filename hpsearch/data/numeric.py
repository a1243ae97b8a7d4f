"""Numbers to features: what stands in for missing ones, curves that straighten a distribution, scaling."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import bent
from hpsearch.errors import DataError, Problem

Floats = NDArray[np.float64]

_QUANTILES: Final = 1000
_LEAST: Final = 1e-12
_FARTHEST: Final = 1e-7  # the share of a normal distribution beyond which values are cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericColumn:
    """One number in, one feature out: (curve(value, or `fill` where it is missing) minus `center`) / `scale`.

    `curve` is "none", "log", "power" (with exponent `power`) or "quantile" (with `quantiles`, ascending).
    `indicator` adds a second feature, 1 where the value is missing.
    """

    name: str
    fill: float
    center: float
    scale: float
    curve: str = "none"
    power: float = 1.0
    quantiles: tuple[float, ...] = ()
    indicator: bool = False

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column's own name, and `column is missing`."""
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericSettings:
    """How one column is to be fitted: `scale` and `missing` as the study file writes them."""

    scale: str
    missing: str | float


def fit_numeric(names: list[str], values: Floats, settings: list[NumericSettings]) -> list[NumericColumn]:
    """Columns fitted to (N, D) values, NaN where missing; every column holds a value."""
    if not names:
        return []
    gaps = np.isnan(values)
    fill = np.array([_fill(column, each.missing) for column, each in zip(values.T, settings, strict=True)])
    values = np.where(gaps, fill, values)
    bends = [_bend(column, each.scale) for column, each in zip(values.T, settings, strict=True)]
    straight = np.column_stack([bend(column, *how) for column, how in zip(values.T, bends, strict=True)])
    center, scale = np.zeros(len(names)), np.ones(len(names))
    affine = np.array([_AFFINE.get(each.scale, each.scale) for each in settings])
    for how in np.unique(affine):
        center[affine == how], scale[affine == how] = center_and_scale(straight[:, affine == how], str(how))
    return [
        NumericColumn(
            name=name,
            fill=float(fill[i]),
            center=float(center[i]),
            scale=float(scale[i]),
            curve=bends[i][0],
            power=bends[i][1],
            quantiles=bends[i][2],
            indicator=settings[i].missing == "indicator" and bool(gaps[:, i].any()),
        )
        for i, name in enumerate(names)
    ]


def scaled(values: Floats, columns: list[NumericColumn]) -> NDArray[np.float32]:
    """(N, D) values as (N, D) features, without indicators.

    Raises:
        DataError: a feature leaves float32.
    """
    fill, center, scale = (
        np.array([getattr(column, field) for column in columns]) for field in ("fill", "center", "scale")
    )
    values = np.where(np.isnan(values), fill, values)
    with np.errstate(over="ignore", invalid="ignore"):
        for i, column in enumerate(columns):
            if column.curve != "none":
                values[:, i] = bend(values[:, i], column.curve, column.power, column.quantiles)
        features = ((values - center) / scale).astype(np.float32)
    beyond = ~np.isfinite(features).all(axis=0)
    if beyond.any():
        raise DataError(
            Problem(
                place="inputs",
                key=f"column {columns[i].name!r}",
                rule="holds values too large to compute with",
                remedy="bring its values to a smaller unit",
            )
            for i in np.flatnonzero(beyond)
        )
    return np.asarray(features, dtype=np.float32)


def bend(values: Floats, curve: str, power: float, quantiles: tuple[float, ...]) -> Floats:
    """A curve applied to (N,) values."""
    if curve == "log":
        return bent(values, "log")
    if curve == "power":
        return yeo_johnson(values, power)
    return _normal_scores(values, np.array(quantiles)) if curve == "quantile" else values


def yeo_johnson(values: Floats, power: float) -> Floats:
    """The power transformation of Yeo and Johnson (2000)."""
    result = np.empty_like(values)
    above = values >= 0
    result[above] = _power(values[above], power)
    result[~above] = -_power(-values[~above], 2 - power)
    return result


def center_and_scale(values: Floats, how: str) -> tuple[Floats, Floats]:
    """What "standardize", "min_max", "robust" or "none" subtract and divide by, for each column of (N, D).

    "robust" is by the median and the distance between the quartiles. A column that is constant, or has no such
    distance, has scale 1, so that it becomes zeros rather than a division by zero.
    """
    if how == "none":
        return np.zeros(values.shape[1]), np.ones(values.shape[1])
    low, high = values.min(axis=0), values.max(axis=0)
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # overflow gives a scale that is not finite: reported by checks
        if how == "min_max":
            center, scale = low, high - low
        elif how == "robust":
            lower, center, upper = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
            # a distance far below the column's range is none: what lies outside of it would have no number
            scale = np.where(upper - lower > _LEAST * (high - low), upper - lower, 1.0)
        else:
            center, scale = values.mean(axis=0), values.std(axis=0)
    constant = is_constant(values)
    return np.where(constant, values[0], center), np.where(constant, 1.0, scale)


def is_constant(values: Floats) -> NDArray[np.bool_]:
    """For each column of (N, D): whether it varies by no more than the rounding of its mean.

    The bound is that of scikit-learn's StandardScaler.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        variance, mean = values.var(axis=0), values.mean(axis=0)
        epsilon = len(values) * np.finfo(np.float64).eps
        rounding = variance <= epsilon * variance + (epsilon * mean) ** 2
    return np.asarray((values.min(axis=0) == values.max(axis=0)) | rounding)


def _power(values: Floats, power: float) -> Floats:
    """((v + 1)^p - 1) / p of values from 0 on, ln(v + 1) for p = 0."""
    logs = np.log1p(values)
    if abs(power) < np.spacing(1.0):
        return logs
    result: Floats = np.expm1(power * logs) / power
    return result


def _normal_scores(values: Floats, quantiles: Floats) -> Floats:
    """Where values stand among the quantiles, as quantiles of the normal distribution.

    As scikit-learn's QuantileTransformer: of values that are equal in training, the middle of their places.
    """
    from scipy.special import ndtri  # noqa: PLC0415 - heavy

    places = np.linspace(0, 1, len(quantiles))
    up = np.interp(values, quantiles, places)
    down = -np.interp(-values, -quantiles[::-1], -places[::-1])
    result: Floats = ndtri(np.clip(0.5 * (up + down), _FARTHEST, 1 - _FARTHEST))
    return result


def _bend(values: Floats, scale: str) -> tuple[str, float, tuple[float, ...]]:
    """The curve, its exponent and its quantiles, fitted to (N,) values; none where they are all the same."""
    if scale == "log":
        return "log", 1.0, ()
    if scale not in ("power", "quantile") or is_constant(values[:, None])[0]:
        return "none", 1.0, ()
    from sklearn.preprocessing import PowerTransformer, QuantileTransformer  # noqa: PLC0415 - heavy

    if scale == "power":
        fitted = PowerTransformer(standardize=False).fit(values[:, None])
        return "power", float(fitted.lambdas_[0]), ()
    count = min(_QUANTILES, len(values))
    known = QuantileTransformer(n_quantiles=count, subsample=None).fit(values[:, None])
    return "quantile", 1.0, tuple(known.quantiles_[:, 0].tolist())


def _fill(values: Floats, missing: str | float) -> float:
    if isinstance(missing, str):
        return float(_FILLS[missing](values))
    return missing


_AFFINE: Final = {"log": "standardize", "power": "standardize", "quantile": "none"}
_FILLS: Final[dict[str, Callable[..., np.float64]]] = {
    "median": np.nanmedian,
    "mean": np.nanmean,
    "indicator": np.nanmedian,
}
