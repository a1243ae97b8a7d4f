"""The rules of diagnosis for a whole search: where its best trials lie, whether it goes on paying, what mattered.

Pure functions of a `Table`; objectives are turned so that less is better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.judgment.finding import Change, Finding
from hpsearch.judgment.importance import Importance, importances
from hpsearch.judgment.prospects import prospects
from hpsearch.spec import Choice, Fixed, Parameter, ParameterValue, Range

Array = NDArray[np.float64]

_EDGE: Final = 0.05
_TRIALS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The finished trials of a study, in their order, n of them.

    `losses` is the first objective, less being better. `errors` is the standard error of each, over folds and seeds;
    NaN where it is not known. `trials` counts those too that did not finish. `flattery` is by how much being the best
    of so many flatters the best one, 0 where that is not known. `space` is what they were drawn from.
    """

    losses: Array
    errors: Array
    params: Sequence[Mapping[str, ParameterValue]]
    space: Mapping[str, Parameter]
    trials: int = 0
    flattery: float = 0.0

    @property
    def n(self) -> int:
        """Finished trials."""
        return len(self.losses)

    @property
    def order(self) -> NDArray[np.intp]:
        """Best first; of equals the earlier."""
        return np.argsort(self.losses, kind="stable")

    @property
    def importances(self) -> dict[str, Importance]:
        """How much each searched parameter decides their order."""
        searched = [name for name, parameter in self.space.items() if not isinstance(parameter, Fixed)]
        return importances(self.losses, self.params, searched)

    @property
    def scale(self) -> float:
        """How far a middling trial lies above the best one."""
        return float(np.median(self.losses) - self.losses.min())


def judge_search(table: Table) -> tuple[Finding, ...]:
    """All that the trials say together; nothing for fewer than five finished ones."""
    if table.n < 5:
        return ()
    single = (validation_noise, search_progress)
    found = [finding for rule in single if (finding := rule(table)) is not None]
    return (*best_at_edge(table), *found, *parameters_without_effect(table))


def best_at_edge(table: Table) -> tuple[Finding, ...]:
    """The best trials crowd at one end of a range: what is beyond it may be better still."""
    top = table.order[: max(3, table.n // 10)]
    found = []
    for name, parameter in table.space.items():
        places = [place for t in top if (place := _place(parameter, table.params[t].get(name))) is not None]
        if len(places) < len(top):
            continue
        for end, distances in (("min", np.array(places)), ("max", 1 - np.array(places))):
            if distances[0] <= _EDGE and np.median(distances) <= 3 * _EDGE:
                found.append(_at_edge(name, parameter, end, distances))
    return tuple(finding for finding in found if finding is not None)


def _place(parameter: Parameter, value: ParameterValue) -> float | None:
    """Where in its range a number lies, 0 to 1 on the range's own scale; None where there is no range."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(parameter, Range):
        low, high, own = float(parameter.min), float(parameter.max), float(value)
        if parameter.log:
            low, high, own = np.log(low), np.log(high), np.log(own)
        return (own - low) / (high - low) if high > low else None
    if (
        isinstance(parameter, Choice)
        and len(parameter.values) >= 3
        and all(map(_is_number, parameter.values))
    ):
        ordered = sorted(v for v in parameter.values if isinstance(v, int | float))
        return ordered.index(value) / (len(ordered) - 1)
    return None


def _is_number(value: ParameterValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _near(distance: float) -> str:
    return "on it" if distance == 0 else f"within {distance:.0%} of the range from it"


def _at_edge(name: str, parameter: Parameter, end: str, distances: Array) -> Finding | None:
    low, high = _bounds(parameter)
    if (end == "min" and low <= 0) or (name.endswith("dropout") and end == "max" and high >= 0.8):
        return None  # there is nothing beyond
    further = _beyond(parameter, end)
    best, middling = float(distances[0]), float(np.median(distances))
    edge, way = (low, "lower") if end == "min" else (high, "higher")
    return Finding(
        name="best_at_edge",
        severity="hint",
        sentence=f"The best trials crowd at the {end} of {name} ({edge:g}): the best one is {_near(best)}, "
        f"half of the first {len(distances)} are {_near(middling)}.",
        advice=f"Add {further:g} to the values of {name}."
        if isinstance(parameter, Choice)
        else f"Widen the range: {name} with {end}: {further:.2g}.",
        evidence={
            "edge": float(edge),
            "distance": best,
            "median_distance": middling,
        },
        changes=(
            Change(parameter=name, way=way, low=min(edge, further), high=max(edge, further)),  # type: ignore[arg-type]
        ),
    )


def _beyond(parameter: Parameter, end: str) -> float:
    """Where to look beyond one end: a tenth or tenfold on a logarithmic range, half a range more on another.

    Beyond listed values lies the next one by the ratio of the last two, or their difference.
    """
    low, high = _bounds(parameter)
    if isinstance(parameter, Choice):
        values = sorted(map(float, parameter.values))  # type: ignore[arg-type]
        last, before = (low, values[1]) if end == "min" else (high, values[-2])
        further = last * last / before if before > 0 else 2 * last - before
    elif isinstance(parameter, Range) and parameter.log:
        further = low / 10 if end == "min" else high * 10
    elif end == "min":
        further = max(low - 0.5 * (high - low), low / 2)
    else:
        further = high + 0.5 * (high - low)
    return round(further) if _whole(parameter) else further


def _bounds(parameter: Parameter) -> tuple[float, float]:
    if isinstance(parameter, Range):
        return float(parameter.min), float(parameter.max)
    values = [float(value) for value in parameter.values]  # type: ignore[union-attr, arg-type]
    return min(values), max(values)


def _whole(parameter: Parameter) -> bool:
    if isinstance(parameter, Range):
        return parameter.integer
    return all(isinstance(value, int) for value in parameter.values)  # type: ignore[union-attr]


def search_progress(table: Table) -> Finding | None:
    """Whether as many trials again are expected to gain what counts; never more: then there is more to see."""
    if table.n < _TRIALS or table.scale <= 0:
        return None
    found = prospects(table.losses)
    worth = max(0.02 * table.scale, _noise(table), table.flattery)
    evidence = {
        "expected": found.expected,
        "at_most": found.at_most,
        "worth": worth,
        "trials": float(table.n),
    }
    gain = f"better the best by about {found.expected:.2g}, at most {found.at_most:.2g} (9 times in 10)"
    if found.expected <= worth:
        return Finding(
            name="search_exhausted",
            severity="good",
            sentence=f"As many trials again as the {table.n} that finished are expected to {gain}, where {worth:.2g} "
            "would count: more are hardly worth their time.",
            advice="Change the space (other networks, more data) rather than go on.",
            evidence=evidence,
        )
    total = 2 * max(table.trials, table.n)
    return Finding(
        name="search_improving",
        severity="hint",
        sentence=f"As many trials again as the {table.n} that finished are expected to {gain}.",
        advice=f"Go on, but with no more than as many again before looking anew: budget.trials: {total}.",
        evidence={**evidence, "more_trials": float(total // 2)},
        changes=(Change(parameter="budget.trials", way="higher", low=total // 2, high=total),),
    )


def _noise(table: Table) -> float:
    known = table.errors[np.isfinite(table.errors)]
    return float(np.median(known)) if len(known) else 0.0


def validation_noise(table: Table) -> Finding | None:
    """The scores of the better half differ by little more than they would by folds and seeds alone."""
    top = table.order[: max(3, table.n // 2)]
    errors = table.errors[top]
    if not np.isfinite(errors).all() or len(top) < 5:
        return None
    noise, spread = float(np.sqrt(np.mean(errors**2))), float(np.std(table.losses[top], ddof=1))
    reliability = max(0.0, 1 - (noise / spread) ** 2) if spread > 0 else 0.0
    if reliability >= 0.5:
        return None
    close = int((table.losses <= table.losses.min() + 2 * np.sqrt(2) * noise).sum())
    return Finding(
        name="validation_noise",
        severity="warning",
        sentence=f"The standard error of a trial's score ({noise:.3g}) is {noise / spread if spread else 1:.0%} of the "
        f"spread of the better half ({spread:.3g}): the first {close} of {table.n} cannot be told apart.",
        advice="Try more data.split.seeds or data.split.folds, a larger validation part or select: one_standard_error.",
        evidence={
            "noise": noise,
            "spread": spread,
            "reliability": reliability,
            "indistinguishable": float(close),
        },
        changes=(Change(parameter="data.split.seeds", way="higher"),),
    )


def parameters_without_effect(table: Table) -> tuple[Finding, ...]:
    """Parameters whose whole effect on the order of trials is next to nothing, with some certainty."""
    if table.n < 2 * _TRIALS:
        return ()
    found = []
    for name, importance in table.importances.items():
        if importance.high < 0.06:
            found.append(
                Finding(
                    name="parameter_without_effect",
                    severity="hint",
                    sentence=f"{name} explains {max(importance.share, 0):.0%} of the order of {table.n} trials by "
                    f"itself (at most {importance.high:.0%}, with 95% certainty): it did not matter.",
                    advice=f"Fix {name}, at the best trial's value or the default, and search what matters closer.",
                    evidence={"importance": importance.share, "low": importance.low, "high": importance.high},
                    changes=(Change(parameter=name, way="set"),),
                )
            )
    return tuple(found)
