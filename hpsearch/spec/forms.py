"""The forms in which a study file writes a parameter."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hpsearch.spec.findings import Finding, show, suggestion
from hpsearch.spec.parameters import Choice, Conditions, Fixed, Parameter, Range, no_range, write_parameter
from hpsearch.spec.registry import REGISTRY, encode_layers
from hpsearch.spec.rules import NAME, Rule

NUMBER: Final = Rule(kind="number")
LOG: Final = Rule(kind="boolean")
STEP: Final = Rule(kind="number", above=0)

_RANGE_KEYS: Final = ("min", "max", "log", "step")
_KEYS: Final = (*_RANGE_KEYS, "value", "values", "when")
_FORMS: Final = "write a value, a list of values, or {min: ..., max: ...}"


def parse_parameter(name: str, raw: Any, *, own: bool = False) -> tuple[Parameter | None, list[Finding]]:
    """A parameter from its form in the file: the parameter, or None and all that is wrong with it.

    Values of a name that hpsearch knows are checked against the table of hyperparameters; those of the parameters of
    one's `own` trainer are not, but for `epochs`.
    """
    found = NAME.broken(name)
    if isinstance(raw, Fixed | Choice | Range):
        raw = write_parameter(raw)
    form = _form(raw)
    keys, more = _checked_keys(form)
    found += more
    rule = REGISTRY[name].rule if name in (("epochs",) if own else REGISTRY) else None
    when, more = _conditions(form.get("when", {}))
    found += more
    if keys:
        parameter, more = {"value": _fixed, "values": _choice, "min": _range}[keys](form, rule, when)
        found += more
        return (None if found else parameter), found
    return None, found


def _form(raw: Any) -> dict[str, Any]:
    """Any form as the mapping that it stands for."""
    if isinstance(raw, dict):
        return raw
    return {"values": raw} if isinstance(raw, list | tuple) else {"value": raw}


def _checked_keys(form: Mapping[str, Any]) -> tuple[str, list[Finding]]:
    """Which form it is, by the key that stands for it (none: not to be told), and keys that do not belong."""
    found = [
        Finding((key,), "unknown key", suggestion(key, _KEYS, otherwise=f"known keys: {', '.join(_KEYS)}"))
        for key in form
        if key not in _KEYS
    ]
    heads = [head for head in ("value", "values") if head in form]
    heads += ["min"] if any(key in form for key in _RANGE_KEYS) else []
    if len(heads) > 1:
        clash = [key for key in form if key in _KEYS and key != "when"]
        found.append(Finding((), f"{' and '.join(clash)} exclude each other", _FORMS))
        return "", found
    if not heads:
        if not found:
            found.append(Finding((), "says no values", _FORMS))
        return "", found
    return heads[0], found


def _conditions(raw: Any) -> tuple[Conditions, list[Finding]]:
    if not isinstance(raw, dict):
        rule = f"must be a mapping of parameters to the values they must have, got {show(raw)}"
        return {}, [Finding(("when",), rule, "for example {optimizer: momentum}")]
    when: dict[str, tuple[Any, ...]] = {}
    found: list[Finding] = []
    for name, allowed in raw.items():
        values = tuple(map(_encoded, allowed)) if isinstance(allowed, list | tuple) else (allowed,)
        if not values or any(isinstance(value, dict | list) for value in values):
            rule = f"must be a value or a list of values, got {show(allowed)}"
            found.append(Finding(("when", name), rule))
        when[name] = values
    return when, found


def _fixed(form: Mapping[str, Any], rule: Rule | None, when: Conditions) -> tuple[Parameter, list[Finding]]:
    value = _encoded(form["value"])
    found = _broken(rule, value, "value")
    return Fixed(value=_normal(rule, value, found), when=when), found


def _choice(form: Mapping[str, Any], rule: Rule | None, when: Conditions) -> tuple[Parameter, list[Finding]]:
    raw = form["values"]
    if not isinstance(raw, list | tuple) or not raw:
        return Choice(values=(), when=when), [
            Finding(("values",), f"must be a list of values, got {show(raw)}", _FORMS)
        ]
    values = [_encoded(value) for value in raw]
    found = [f for index, value in enumerate(values) for f in _broken(rule, value, "values", index)]
    found += _duplicates(values)
    return Choice(values=tuple(_normal(rule, value, found) for value in values), when=when), found


def _range(form: Mapping[str, Any], rule: Rule | None, when: Conditions) -> tuple[Parameter, list[Finding]]:
    empty = Range(min=0, max=1, when=when)
    if rule is not None and rule.kind not in ("integer", "number"):
        return empty, [no_range(rule)]
    found = [Finding((key,), "is needed", _FORMS) for key in ("min", "max") if key not in form]
    bounded = NUMBER if rule is None else rule
    for key, of_key in (("min", bounded), ("max", bounded), ("log", LOG), ("step", STEP)):
        found += _broken(of_key, form[key], key) if key in form and (key, form[key]) != ("step", None) else []
    if any(NUMBER.finding(form.get(key)) for key in ("min", "max")):
        return empty, found
    low, high, step, log = form["min"], form["max"], form.get("step"), form.get("log", False)
    integer = rule.kind == "integer" if rule else isinstance(low, int) and isinstance(high, int)
    if STEP.finding(step) is not None:
        step = None
    found += _wrong_extent(low, high)
    found += _wrong_steps(low, high, step=step, log=log is True, integer=integer)
    if found:
        return empty, found
    number = int if integer else float
    parameter = Range(
        min=number(low),
        max=number(high),
        log=log,
        step=None if step is None else number(step),
        integer=integer,
        when=when,
    )
    return parameter, found


def _wrong_extent(low: float, high: float) -> list[Finding]:
    if low > high:
        return [
            Finding((), f"the range is upside down: min {show(low)} is above max {show(high)}", "swap them")
        ]
    if low == high:
        return [
            Finding(
                (), f"the range is empty: min and max are both {show(low)}", "write the value alone to fix it"
            )
        ]
    return []


def _wrong_steps(low: float, high: float, *, step: float | None, log: bool, integer: bool) -> list[Finding]:
    found = []
    if log and low <= 0:
        rule = f"must be above 0 where log is true, got {show(low)}"
        found.append(Finding(("min",), rule, "raise it, or leave log out"))
    if step is None:
        return found
    if log:
        found.append(Finding(("step",), "cannot go with log: true", "leave out one of the two"))
    if integer and not isinstance(step, int):
        found.append(Finding(("step",), f"must be an integer as min and max are, got {show(step)}"))
    if low < high and step > high - low:
        found.append(
            Finding(("step",), f"must not be larger than the range ({show(high - low)}), got {show(step)}")
        )
    return found


def _duplicates(values: Sequence[Any]) -> list[Finding]:
    found: list[Finding] = []
    seen: list[Any] = []
    for index, value in enumerate(values):
        if any(isinstance(value, bool) is isinstance(other, bool) and value == other for other in seen):
            found.append(Finding(("values", index), f"{show(value)} is listed twice", "leave one out"))
        seen.append(value)
    return found


def _broken(rule: Rule | None, value: Any, *path: str | int) -> list[Finding]:
    """What a rule, or the lack of one, says against a value."""
    if rule is not None:
        return rule.broken(value, *path)
    single = value is None or isinstance(value, str | int | float)
    return [] if single else [Finding(path, f"must be a single value, got {show(value)}", _FORMS)]


def _normal(rule: Rule | None, value: Any, found: Sequence[Finding]) -> Any:
    return value if rule is None or found else rule.normal(value)


def _encoded(value: Any) -> Any:
    """A list of layer widths as the text that stands for it; anything else as it is."""
    width = REGISTRY["width"].rule
    if isinstance(value, list | tuple) and all(width.finding(item) is None for item in value):
        return encode_layers(list(value))
    return value
