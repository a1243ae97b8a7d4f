"""From the values of a trial's parameters to its complete recipe."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from hpsearch.spec.hyperparameters import Hyperparameters, ParameterValue
from hpsearch.spec.layer_table import LAYERS
from hpsearch.spec.layers import LayerSettings
from hpsearch.spec.model import ModelSpec
from hpsearch.spec.parameters import Fixed, Parameter, is_active
from hpsearch.spec.references import is_reference
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
    _check_known(space, params)
    values = with_fixed(space, params)
    referred = {name for _, name, _ in model.references()}
    direct = {name: value for name, value in values.items() if name in REGISTRY and name not in referred}
    recipe: dict[str, Any] = {name: row.default for name, row in REGISTRY.items()}
    recipe |= {name: _read(name, value) for name, value in direct.items()}
    for key in ("kind", "activation", "initializer", "loss"):
        if key not in direct:
            recipe[key] = _of_model(key, getattr(model, key), values)
    recipe["hidden"] = _hidden(model, space.keys() - referred, recipe, values)
    if recipe["loss"] == "auto":
        recipe["loss"] = default_loss
    recipe["layers"] = _layers(model, space.keys() - referred, recipe, values)
    if recipe["layers"] is not None:
        recipe["hidden"] = ()
    names = {field.name for field in fields(Hyperparameters)} - {"augment", "embedding", "own"}
    return Hyperparameters(**{name: recipe[name] for name in names})


def resolve_own(
    space: Mapping[str, Parameter], params: Mapping[str, ParameterValue], *, default_loss: str
) -> Hyperparameters:
    """The recipe of a trial of a trainer of one's own: its parameters, and for how many epochs at most.

    Raises:
        ValueError: `params` holds a name that the space lacks.
    """
    _check_known(space, params)
    values = with_fixed(space, params)
    epochs: dict[str, Parameter] = {"epochs": Fixed(value=values.get("epochs", REGISTRY["epochs"].default))}
    recipe = resolve(ModelSpec(), epochs, {}, default_loss=default_loss)
    return replace(recipe, own=tuple((name, value) for name, value in values.items() if name != "epochs"))


def _check_known(space: Mapping[str, Parameter], params: Mapping[str, ParameterValue]) -> None:
    unknown = sorted(params.keys() - space.keys())
    if unknown:
        raise ValueError(f"the space has no parameter {', '.join(unknown)}")


def with_fixed(
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
        depth, width = (_sized(key, model, recipe, values) for key in ("depth", "width"))
        return (width,) * depth
    if model.hidden is None:
        return decode_layers(recipe["hidden"])
    if is_reference(model.hidden):
        return decode_layers(_of_model("hidden", model.hidden, values))
    return tuple(_of_model("width", width, values) for width in model.hidden)


def _sized(
    key: str, model: ModelSpec, recipe: Mapping[str, Any], values: Mapping[str, ParameterValue]
) -> int:
    """Depth or width, from the model or the space."""
    written = getattr(model, key)
    return int(recipe[key] if written is None else _of_model(key, written, values))


def _layers(
    model: ModelSpec, given: set[str], recipe: Mapping[str, Any], values: Mapping[str, ParameterValue]
) -> tuple[LayerSettings, ...] | None:
    """The layers of a network that is more than `hidden` says; None of another."""
    if model.layers is not None:
        listed = tuple(_resolved(layer, recipe, values) for layer in model.layers)
        return _with_dropout(listed, recipe["dropout"])
    if recipe["kind"] == "dense":
        return None
    width = _sized("width", model, recipe, values)
    if model.width is None and "width" not in given:
        width = _WIDTHS[recipe["kind"]]
    return (
        LayerSettings.of(
            recipe["kind"],
            depth=_sized("depth", model, recipe, values),
            width=width,
            activation=recipe["activation"],
            initializer=recipe["initializer"],
            rate=recipe["dropout"],
        ),
    )


_WIDTHS = {"convolutional": 16, "recurrent": 32}
"""The width of a network of another kind than a dense one, where nobody gives it."""


def _resolved(
    layer: LayerSettings, recipe: Mapping[str, Any], values: Mapping[str, ParameterValue]
) -> LayerSettings:
    """A layer with all its settings: as written, else the model's, else the table's."""
    settings = {}
    for name, setting in LAYERS[layer.kind].settings.items():
        otherwise = recipe[setting.of_model] if setting.of_model else setting.default
        written = layer.get(name, otherwise)
        several = written if isinstance(written, tuple) else (written,)
        each = tuple(values.get(item[1:], otherwise) if is_reference(item) else item for item in several)
        if setting.rule.kind in ("integer", "number"):
            number = int if setting.rule.kind == "integer" else float
            each = tuple(None if item is None else number(item) for item in each)
        settings[name] = each if isinstance(written, tuple) else each[0]
    inner = (_resolved(each, recipe, values) for each in layer.layers)
    return LayerSettings.of(layer.kind, *inner, **settings)


def _with_dropout(layers: tuple[LayerSettings, ...], rate: float) -> tuple[LayerSettings, ...]:
    """With the recipe's dropout, where no layer is one, on what comes into dense layers, but for the first."""
    if not layers or any(inner.kind == "dropout" for layer in layers for inner in layer.within()):
        return layers
    dropout = LayerSettings.of("dropout", rate=rate, spatial=False)
    result = list(layers[:1])
    for layer in layers[1:]:
        result += [dropout, layer] if layer.kind == "dense" else [layer]
    return (*result, dropout)


def _read(key: str, value: ParameterValue) -> ParameterValue:
    """A value in the type of its place; integers that JSON made floats are integers again."""
    kind = REGISTRY[key].rule.kind
    if value is None or isinstance(value, str):
        return value
    return int(value) if kind == "integer" else float(value)
