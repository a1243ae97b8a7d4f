"""Curves that straighten a distribution before it is scaled, and their inverses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_QUANTILES: Final = 1000
_FARTHEST: Final = 1e-7  # the share of a normal distribution beyond which inputs are cut off
_LOGARITHMIC: Final = float(np.spacing(1.0))  # exponents of no more than this are the logarithm's


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A function of one number that never falls.

    `kind`: "none"; "log", sign(v) ln(1 + |v|); "sqrt", sign(v) sqrt(|v|); "power", that of Yeo and Johnson with
    exponent `power`; "quantile", where a value stands among `quantiles` (ascending), as a quantile of the normal
    distribution. Where a curve must be undone, `scores` are those quantiles' places: between them it is straight, and
    beyond it goes on with the slope from end to end, so that every number has its own.
    """

    kind: str = "none"
    power: float = 1.0
    quantiles: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()

    def apply(self, values: Floats) -> Floats:
        """(N,) values, none of them missing, on the curve."""
        match self.kind:
            case "log":
                return np.asarray(np.sign(values) * np.log1p(np.abs(values)))
            case "sqrt":
                return np.asarray(np.sign(values) * np.sqrt(np.abs(values)))
            case "power":
                return _yeo_johnson(values, self.power)
            case "quantile" if self.scores:
                return _through(values, self.quantiles, self.scores)
            case "quantile":
                return _normal_scores(values, np.array(self.quantiles))
        return values

    def undo(self, values: Floats) -> Floats:
        """The inverse of `apply`, of curves that were fitted to be undone; infinite where it leaves float64."""
        with np.errstate(over="ignore"):
            match self.kind:
                case "log":
                    return np.asarray(np.sign(values) * np.expm1(np.abs(values)))
                case "sqrt":
                    return np.asarray(np.sign(values) * np.square(values))
                case "power":
                    return _yeo_johnson_undone(values, self.power)
                case "quantile":
                    return _through(values, self.scores, self.quantiles)
        return values

    @classmethod
    def fit(cls, values: Floats, scale: str, *, undone: bool = False) -> Self:
        """The curve that a way of scaling has, fitted to (N,) values that are not all the same.

        Exponents and quantiles are scikit-learn's. `undone`: whether the curve needs an inverse; exponents then stay
        between 0 and 2, outside of which a curve ends before it has reached every number.
        """
        if scale == "power":
            from sklearn.preprocessing import PowerTransformer  # noqa: PLC0415 - heavy

            with np.errstate(all="ignore"):  # of values that hardly differ; any exponent does for them
                power = float(PowerTransformer(standardize=False).fit(values[:, None]).lambdas_[0])
            return cls(kind="power", power=min(max(power, 0.0), 2.0) if undone else power)
        if scale == "quantile":
            from sklearn.preprocessing import QuantileTransformer  # noqa: PLC0415 - heavy

            count = min(_QUANTILES, len(values))
            fitted = QuantileTransformer(n_quantiles=count, subsample=None).fit(values[:, None])
            quantiles = fitted.quantiles_[:, 0]
            return (
                cls.through(quantiles)
                if undone
                else cls(kind="quantile", quantiles=tuple(quantiles.tolist()))
            )
        return cls(kind=scale) if scale in {"log", "sqrt"} else cls()

    @classmethod
    def through(cls, quantiles: Floats) -> Self:
        """Normal scores with an inverse: of n quantiles those of (i + 1/2) / n, of equal ones their mean."""
        from scipy.special import ndtri  # noqa: PLC0415 - heavy

        scores = ndtri((np.arange(len(quantiles)) + 0.5) / len(quantiles))
        distinct, places = np.unique(quantiles, return_inverse=True)
        means = np.bincount(places, scores) / np.bincount(places)
        return cls(kind="quantile", quantiles=tuple(distinct.tolist()), scores=tuple(means.tolist()))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The curve of which `dataclasses.asdict` went through JSON."""
        lists = {name: tuple(stored[name]) for name in ("quantiles", "scores")}
        return cls(kind=stored["kind"], power=stored["power"], **lists)


STRAIGHT: Final = Curve()
"""No curve."""

AFFINE: Final = {"log": "standardize", "sqrt": "standardize", "power": "standardize", "quantile": "none"}
"""How values are scaled after they were bent to the curve of a way of scaling; others have no curve."""


def _yeo_johnson(values: Floats, power: float) -> Floats:
    """The power transformation of Yeo and Johnson (2000)."""
    result = np.empty_like(values)
    above = values >= 0
    result[above] = _power(values[above], power)
    result[~above] = -_power(-values[~above], 2 - power)
    return result


def _yeo_johnson_undone(values: Floats, power: float) -> Floats:
    """Its inverse, for exponents from 0 to 2."""
    result = np.empty_like(values)
    above = values >= 0
    result[above] = _root(values[above], power)
    result[~above] = -_root(-values[~above], 2 - power)
    return result


def _power(values: Floats, power: float) -> Floats:
    """((v + 1)^p - 1) / p of values from 0 on, ln(v + 1) for p = 0."""
    logs = np.log1p(values)
    if abs(power) < _LOGARITHMIC:
        return logs
    result: Floats = np.expm1(power * logs) / power
    return result


def _root(values: Floats, power: float) -> Floats:
    """(p v + 1)^(1 / p) - 1 of values from 0 on, e^v - 1 for p = 0."""
    logs = values if abs(power) < _LOGARITHMIC else np.log1p(power * values) / power
    result: Floats = np.expm1(logs)
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


def _through(values: Floats, xs: tuple[float, ...], ys: tuple[float, ...]) -> Floats:
    """Straight from point to point (both coordinates ascending), and beyond with the slope from end to end."""
    inside = np.interp(values, xs, ys)
    outside = values - np.clip(values, xs[0], xs[-1])
    return np.asarray(inside + outside * ((ys[-1] - ys[0]) / (xs[-1] - xs[0])))
