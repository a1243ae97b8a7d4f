"""Numbers to features: what stands in for missing ones, curves that straighten a distribution, scaling."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.curves import AFFINE, STRAIGHT, Curve
from hpsearch.errors import DataError, Problem

Floats = NDArray[np.float64]

_LEAST: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericColumn:
    """One number in, one feature out: (curve(value, or `fill` where it is missing) minus `center`) / `scale`.

    `indicator` adds a second feature, 1 where the value is missing.
    """

    name: str
    fill: float
    center: float
    scale: float
    curve: Curve = STRAIGHT
    indicator: bool = False

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column's own name, and `column is missing`."""
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The column of which `dataclasses.asdict` went through JSON."""
        return cls(**{**stored, "curve": Curve.from_json(stored["curve"])})


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
    curves, center, scale = fit_scaling(values, [each.scale for each in settings])
    return [
        NumericColumn(
            name=name,
            fill=float(fill[i]),
            center=float(center[i]),
            scale=float(scale[i]),
            curve=curves[i],
            indicator=settings[i].missing == "indicator" and bool(gaps[:, i].any()),
        )
        for i, name in enumerate(names)
    ]


def fit_scaling(
    values: Floats, hows: list[str], *, undone: bool = False
) -> tuple[list[Curve], Floats, Floats]:
    """Of each column of (N, D), scaled in its way: the curve, and what is subtracted and divided by after it.

    `undone`: whether the curves need inverses.
    """
    constant = is_constant(values)
    curves = [
        STRAIGHT if same else Curve.fit(column, how, undone=undone)
        for column, how, same in zip(values.T, hows, constant, strict=True)
    ]
    straight = np.column_stack([curve.apply(column) for curve, column in zip(curves, values.T, strict=True)])
    center, scale = np.zeros(len(hows)), np.ones(len(hows))
    affine = np.array([AFFINE.get(how, how) for how in hows])
    for how in np.unique(affine):
        center[affine == how], scale[affine == how] = center_and_scale(straight[:, affine == how], str(how))
    return curves, center, scale


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
            if column.curve.kind != "none":
                values[:, i] = column.curve.apply(values[:, i])
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


def _fill(values: Floats, missing: str | float) -> float:
    if isinstance(missing, str):
        return float(_FILLS[missing](values))
    return missing


_FILLS: Final[dict[str, Callable[..., np.float64]]] = {
    "median": np.nanmedian,
    "mean": np.nanmean,
    "indicator": np.nanmedian,
}
