"""The forms in which a study file writes layers, and back."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hpsearch.spec.findings import Finding, KeyPath, raise_all, show, suggestion
from hpsearch.spec.layer_table import LAYERS, NEEDED, LayerKind, Setting
from hpsearch.spec.layers import LayerSettings
from hpsearch.spec.references import REFERENCE, is_reference, wrong_value
from hpsearch.spec.rules import Form, Rule

_MOST: Final = 100
_DEEPEST: Final = 8
_MOST_SIZES: Final = 3
_EXAMPLE: Final = "for example [{convolution: 16}, {max_pool: 2}, flatten, {dense: 64}]"


def read_layers(value: Any) -> tuple[LayerSettings, ...] | None:
    """Layers from their form in the file; null is null.

    Raises:
        ValidationError: with all that is wrong with them.
    """
    if value is None:
        return None
    if isinstance(value, tuple) and all(isinstance(item, LayerSettings) for item in value):
        return value
    layers, found = _layers(value, 0)
    raise_all(found, "layers")
    return layers


def write_layers(layers: tuple[LayerSettings, ...] | None) -> Any:
    """The shortest form that `read_layers` reads back to the same."""
    return None if layers is None else [_written(layer) for layer in layers]


def references(layers: tuple[LayerSettings, ...]) -> Iterator[tuple[KeyPath, str, Rule]]:
    """Every `$name` among layers, as (path below `layers`, parameter's name, rule that it obeys)."""
    for index, layer in enumerate(layers):
        for name, value in layer.settings:
            rule = LAYERS[layer.kind].settings[name].rule
            for path, item in _items(name, value):
                if is_reference(item):
                    yield (index, layer.kind, *path), item[1:], rule
        for path, name, rule in references(layer.layers):
            yield (index, layer.kind, "layers", *path), name, rule


def layers_form() -> Form:
    """What `layers` may be, in words and as JSON schema."""
    return Form(
        "a list of [layers](#layers)", {"type": ["array", "null"], "items": _schema(2), "maxItems": _MOST}
    )


def _schema(depth: int) -> dict[str, Any]:
    """One layer; blocks within blocks are described to some depth."""
    forms: list[dict[str, Any]] = []
    bare = [name for name, kind in LAYERS.items() if _may_stand_alone(kind)]
    forms.append({"enum": bare})
    for name, kind in LAYERS.items():
        properties = {key: _of(setting) for key, setting in kind.settings.items()}
        if name == "residual":
            inner = _schema(depth - 1) if depth else {}
            properties = {"layers": {"type": "array", "items": inner, "minItems": 1}} | properties
        body: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
        body |= {"required": needed} if (needed := _needed(name, kind)) else {}
        allowed = [body]
        allowed += [properties[kind.main]] if kind.main else []
        allowed += [{"type": "null"}] if _may_stand_alone(kind) else []
        forms.append(
            {
                "type": "object",
                "description": kind.description,
                "properties": {name: {"anyOf": allowed}},
                "required": [name],
                "additionalProperties": False,
            }
        )
    return {"anyOf": forms}


def _of(setting: Setting) -> dict[str, Any]:
    single = {"anyOf": [setting.rule.schema(), REFERENCE]}
    several = {"type": "array", "items": single, "minItems": 1, "maxItems": _MOST_SIZES}
    forms = [setting.rule.schema(), REFERENCE, *([several] if setting.sizes else [])]
    return {"anyOf": forms, "description": setting.description}


def _needed(name: str, kind: LayerKind) -> list[str]:
    needed = [
        key for key, setting in kind.settings.items() if setting.default is NEEDED and not setting.of_model
    ]
    return ["layers", *needed] if name == "residual" else needed


def _may_stand_alone(kind: LayerKind) -> bool:
    return kind.main != "layers" and not _needed("", kind)


def _layers(value: Any, depth: int) -> tuple[tuple[LayerSettings, ...], list[Finding]]:
    if not isinstance(value, list | tuple):
        return (), [Finding((), f"must be a list of layers, got {show(value)}", _EXAMPLE)]
    if len(value) > _MOST or depth > _DEEPEST:
        return (), [
            Finding((), f"must be at most {_MOST} layers, in at most {_DEEPEST} blocks within each other")
        ]
    read = [_layer(item, depth) for item in value]
    found = [wrong.below(index) for index, (_, several) in enumerate(read) for wrong in several]
    return tuple(layer for layer, _ in read if layer is not None), found


def _layer(value: Any, depth: int) -> tuple[LayerSettings | None, list[Finding]]:
    if isinstance(value, str):
        value = {value: None}
    if not isinstance(value, Mapping) or len(value) != 1:
        rule = f"must be a layer's name, or one name with its settings, got {show(value)}"
        return None, [Finding((), rule, "write {dense: 64} or {dense: {units: 64, activation: relu}}")]
    [(kind, body)] = value.items()
    if kind not in LAYERS:
        known = f"layers are {', '.join(LAYERS)}"
        return None, [Finding((kind,), "unknown layer", suggestion(kind, list(LAYERS), otherwise=known))]
    row = LAYERS[kind]
    if not isinstance(body, Mapping):
        body = {} if body is None else {row.main: body}
    if "" in body:
        return None, [Finding((kind,), f"takes no settings, got {show(body[''])}", f"write {kind} alone")]
    inner: tuple[LayerSettings, ...] = ()
    found: list[Finding] = []
    if "layers" in body and row.main == "layers":
        inner, wrong = _layers(body["layers"], depth + 1)
        found += [each.below("layers") for each in wrong]
        if not inner and not wrong:
            found.append(Finding(("layers",), "must have at least one layer"))
        body = {key: item for key, item in body.items() if key != "layers"}
    elif row.main == "layers":
        found.append(Finding(("layers",), "is needed", "it lists the layers of the block"))
    found += _settings_findings(row, body)
    settings = tuple((name, _normal(row.settings[name], body[name])) for name in row.settings if name in body)
    return LayerSettings(kind, () if found else settings, inner), [wrong.below(kind) for wrong in found]


def _settings_findings(row: LayerKind, body: Mapping[str, Any]) -> Iterator[Finding]:
    for key, value in body.items():
        if key not in row.settings:
            known = f"known settings: {', '.join(row.settings)}" if row.settings else "it has no settings"
            yield Finding((key,), "unknown setting", suggestion(key, list(row.settings), otherwise=known))
            continue
        setting = row.settings[key]
        if isinstance(value, list | tuple) and setting.sizes and not 1 <= len(value) <= _MOST_SIZES:
            yield Finding((key,), f"must have 1 to {_MOST_SIZES} values, one an axis, got {len(value)}")
        for path, item in _items(key, value) if setting.sizes else [((key,), value)]:
            wrong = wrong_value(item, setting.rule)
            if wrong:
                yield wrong.below(*path)
    for key, setting in row.settings.items():
        if key not in body and setting.default is NEEDED and not setting.of_model:
            yield Finding((key,), "is needed", f"it says {setting.description}")


def _items(name: str, value: Any) -> list[tuple[KeyPath, Any]]:
    """A setting's values, each with its path."""
    if isinstance(value, list | tuple):
        return [((name, index), item) for index, item in enumerate(value)]
    return [((name,), value)]


def _normal(setting: Setting, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(value)
    return value if is_reference(value) or value is None else setting.rule.normal(value)


def _written(layer: LayerSettings) -> Any:
    main = LAYERS[layer.kind].main
    body: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value for name, value in layer.settings
    }
    if layer.layers:
        body = {"layers": write_layers(layer.layers), **body}
    if not body:
        return layer.kind
    return {layer.kind: body[main] if list(body) == [main] else body}
