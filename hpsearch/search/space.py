"""The study's space in Optuna's terms: distributions, conditions and the order of suggestion."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from hpsearch.search.fact import ParameterValue
from hpsearch.spec import Choice, Fixed, Parameter, Range


class Space:
    """A study's parameters, ready to be suggested.

    A parameter is suggested only where its conditions hold on values chosen before it; the order is the
    file's, made topological. A fixed value and a choice of one are part of a trial's parameters but are not
    suggested.

    Raises:
        ValueError: conditions that run in a circle or name no parameter (the reader of the study file reports
        both).
    """

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self._order: Final = _topological(parameters)
        self.distributions: Final[Mapping[str, BaseDistribution]] = {
            name: distribution
            for name in self._order
            if (distribution := _distribution(parameters[name])) is not None
        }
        self.json: Final[Mapping[str, str]] = {
            name: distribution_to_json(distribution) for name, distribution in self.distributions.items()
        }
        self._fixed: Final = {
            name: _only_value(parameters[name]) for name in self._order if name not in self.distributions
        }
        self._conditions: Final = {name: dict(parameters[name].when) for name in self._order}

    @property
    def unconditional(self) -> dict[str, BaseDistribution]:
        """The distributions of the parameters that every trial has, by name."""
        return {
            name: self.distributions[name] for name in sorted(self.distributions) if self._always_holds(name)
        }

    def values(self, choose: Callable[[str, BaseDistribution], ParameterValue]) -> dict[str, ParameterValue]:
        """Walk the space, calling `choose` for every parameter that must be sampled; all values, in order."""
        chosen: dict[str, ParameterValue] = {}
        for name in self._order:
            if self._holds(name, chosen):
                chosen[name] = (
                    choose(name, self.distributions[name])
                    if name in self.distributions
                    else self._fixed[name]
                )
        return chosen

    def groups(self) -> Iterator[tuple[dict[str, BaseDistribution], Callable[[Mapping[str, object]], bool]]]:
        """Parameters that always appear together, with the test for whether they do, conditions first.

        A test takes the values sampled so far; fixed values are known to it.
        """
        together: dict[str, list[str]] = {}
        for name in self.distributions:
            together.setdefault(repr(sorted(self._conditions[name].items())), []).append(name)
        for names in together.values():
            yield {name: self.distributions[name] for name in sorted(names)}, self._test(names[0])

    def _test(self, name: str) -> Callable[[Mapping[str, object]], bool]:
        return lambda sampled: self._holds(name, self._with_fixed(sampled))

    def _with_fixed(self, sampled: Mapping[str, object]) -> dict[str, object]:
        chosen: dict[str, object] = {}
        for name in self._order:
            if name in sampled:
                chosen[name] = sampled[name]
            elif name in self._fixed and self._holds(name, chosen):
                chosen[name] = self._fixed[name]
        return chosen

    def _holds(self, name: str, chosen: Mapping[str, object]) -> bool:
        return all(
            parent in chosen and _among(chosen[parent], accepted)
            for parent, accepted in self._conditions[name].items()
        )

    def _always_holds(self, name: str) -> bool:
        return all(
            parent in self._fixed and self._always_holds(parent) and _among(self._fixed[parent], accepted)
            for parent, accepted in self._conditions[name].items()
        )


def suggest(trial: optuna.Trial, space: Space) -> dict[str, ParameterValue]:
    """The parameters of one Optuna trial, define-by-run, with the fixed ones among them."""

    def choose(name: str, distribution: BaseDistribution) -> ParameterValue:
        match distribution:
            case CategoricalDistribution():
                return trial.suggest_categorical(name, distribution.choices)
            case IntDistribution():
                return trial.suggest_int(
                    name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
                )
            case FloatDistribution():
                return float(
                    trial.suggest_float(
                        name,
                        distribution.low,
                        distribution.high,
                        step=distribution.step,
                        log=distribution.log,
                    )
                )
            case _:
                raise TypeError(f"{name}: no way to suggest from {distribution!r}")

    return space.values(choose)


def _distribution(parameter: Parameter) -> BaseDistribution | None:
    """Optuna's distribution of a parameter; None where there is nothing to choose."""
    match parameter:
        case Fixed():
            return None
        case Choice():
            return CategoricalDistribution(parameter.values) if len(parameter.values) > 1 else None
        case Range() if parameter.min == parameter.max:
            return None
        case Range() if parameter.integer:
            step = 1 if parameter.step is None else int(parameter.step)
            return IntDistribution(int(parameter.min), int(parameter.max), log=parameter.log, step=step)
        case Range():
            with warnings.catch_warnings():
                # Optuna lowers a maximum that no number of steps reaches, and warns.
                warnings.simplefilter("ignore")
                return FloatDistribution(
                    float(parameter.min), float(parameter.max), log=parameter.log, step=parameter.step
                )


def _only_value(parameter: Parameter) -> ParameterValue:
    match parameter:
        case Fixed():
            return parameter.value
        case Choice():
            return parameter.values[0]
        case Range():
            return int(parameter.min) if parameter.integer else float(parameter.min)


def _among(value: object, accepted: tuple[object, ...]) -> bool:
    """Whether a condition accepts a value; True is not 1 here."""
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in accepted)


def _topological(parameters: Mapping[str, Parameter]) -> tuple[str, ...]:
    """The names in the file's order, each after the parameters that its conditions name."""
    order: dict[str, None] = {}

    def place(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"space: conditions run in a circle: {' -> '.join((*path, name))}")
        if name not in parameters:
            raise ValueError(f"space.{path[-1]}.when: the space has no {name!r}")
        for parent in parameters[name].when:
            if parent not in order:
                place(parent, (*path, name))
        order.setdefault(name)

    for name in parameters:
        place(name, ())
    return tuple(order)
