"""From the values of a trial's parameters to its complete recipe."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from hpsearch.spec.hyperparameters import Hyperparameters, ParameterValue
from hpsearch.spec.model import ModelSpec, is_reference
from hpsearch.spec.parameters import Fixed, Parameter, is_active
from hpsearch.spec.registry import REGISTRY, decode_layers


def resolve(
    model: ModelSpec,
    space: Mapping[str, Parameter],
    params: Mapping[str, ParameterValue],
    *,
    default_loss: str,
) -> Hyperparameters:
    """All hyperparameters of a trial.

    A value comes from `params`, else from a fixed parameter of the space, else from the model, else from the
    table's default. A `$name` whose parameter's condition does not hold stands for the default of its place.
    `auto` becomes `default_loss`; depth and width become `hidden`.

    Raises:
        ValueError: `params` holds a name that the space lacks.
    """
    unknown = sorted(params.keys() - space.keys())
    if unknown:
        raise ValueError(f"the space has no parameter {', '.join(unknown)}")
    values = _with_fixed(space, params)
    referred = {name for _, name, _ in model.references()}
    direct = {name: value for name, value in values.items() if name in REGISTRY and name not in referred}
    recipe: dict[str, Any] = {name: row.default for name, row in REGISTRY.items()}
    recipe |= {name: _read(name, value) for name, value in direct.items()}
    for key in ("activation", "initializer", "loss"):
        if key not in direct:
            recipe[key] = _of_model(key, getattr(model, key), values)
    recipe["hidden"] = _hidden(model, space.keys() - referred, recipe, values)
    if recipe["loss"] == "auto":
        recipe["loss"] = default_loss
    names = {field.name for field in fields(Hyperparameters)} - {"layers"}
    return Hyperparameters(**{name: recipe[name] for name in names})


def _with_fixed(
    space: Mapping[str, Parameter], params: Mapping[str, ParameterValue]
) -> dict[str, ParameterValue]:
    """The trial's values, with those of active fixed parameters, which a caller may leave out."""
    values = dict(params)
    fixed = {
        name: parameter
        for name, parameter in space.items()
        if isinstance(parameter, Fixed) and name not in params
    }
    while ready := [name for name, parameter in fixed.items() if is_active(parameter, values)]:
        for name in ready:
            values[name] = fixed.pop(name).value
    return values


def _of_model(key: str, written: Any, values: Mapping[str, ParameterValue]) -> Any:
    """A value that the model writes, itself or as a reference."""
    if not is_reference(written):
        return written
    name = written[1:]
    return _read(key, values[name]) if name in values else REGISTRY[key].default


def _hidden(
    model: ModelSpec, given: set[str], recipe: Mapping[str, Any], values: Mapping[str, ParameterValue]
) -> tuple[int, ...]:
    """The widths of the layers, however they are written."""
    if {"depth", "width"} & given or model.depth is not None or model.width is not None:
        depth, width = (
            recipe[key] if getattr(model, key) is None else _of_model(key, getattr(model, key), values)
            for key in ("depth", "width")
        )
        return (int(width),) * int(depth)
    if model.hidden is None:
        return decode_layers(recipe["hidden"])
    if is_reference(model.hidden):
        return decode_layers(_of_model("hidden", model.hidden, values))
    return tuple(_of_model("width", width, values) for width in model.hidden)


def _read(key: str, value: ParameterValue) -> ParameterValue:
    """A value in the type of its place; integers that JSON made floats are integers again."""
    kind = REGISTRY[key].rule.kind
    if value is None or isinstance(value, str):
        return value
    return int(value) if kind == "integer" else float(value)
