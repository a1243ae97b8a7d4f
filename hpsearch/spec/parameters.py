"""The parameters of a study's space."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hpsearch.spec.findings import Finding
from hpsearch.spec.hyperparameters import ParameterValue
from hpsearch.spec.rules import Rule

Conditions = Mapping[str, tuple[ParameterValue, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """One value for all trials. `when`: the values of other parameters under which it is there."""

    value: ParameterValue
    when: Conditions = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several values, without order. Lists of layer widths are held as text: `64-64`."""

    values: tuple[ParameterValue, ...]
    when: Conditions = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The numbers from `min` to `max`, both included; integers have a step of 1 where none is given."""

    min: float
    max: float
    log: bool = False
    step: float | None = None
    integer: bool = False
    when: Conditions = field(default_factory=dict)


Parameter = Fixed | Choice | Range


def is_active(parameter: Parameter, params: Mapping[str, ParameterValue]) -> bool:
    """Whether a parameter's conditions hold; a condition on a parameter that is not there itself does not."""
    return all(name in params and params[name] in allowed for name, allowed in parameter.when.items())


def write_parameter(parameter: Parameter) -> Any:
    """The shortest form of a parameter that `parse_parameter` reads back to the same."""
    when = {
        name: list(allowed) if len(allowed) > 1 else allowed[0] for name, allowed in parameter.when.items()
    }
    match parameter:
        case Fixed():
            return {"value": parameter.value, "when": when} if when else parameter.value
        case Choice():
            return {"values": list(parameter.values), "when": when} if when else list(parameter.values)
        case Range():
            form: dict[str, Any] = {"min": parameter.min, "max": parameter.max}
            if parameter.log:
                form["log"] = True
            if parameter.step is not None:
                form["step"] = parameter.step
            return form | ({"when": when} if when else {})


def value_findings(parameter: Parameter, rule: Rule) -> list[Finding]:
    """What a rule has against the values of a parameter."""
    match parameter:
        case Fixed():
            return rule.broken(parameter.value, "value")
        case Choice():
            return [
                f for index, value in enumerate(parameter.values) for f in rule.broken(value, "values", index)
            ]
        case Range():
            if rule.kind not in ("integer", "number"):
                return [no_range(rule)]
            return [*rule.broken(parameter.min, "min"), *rule.broken(parameter.max, "max")]


def no_range(rule: Rule) -> Finding:
    """What to say of a range where words are chosen among."""
    return Finding((), f"must be {rule.plain}, not a range", "list the values to choose from: [..., ...]")
