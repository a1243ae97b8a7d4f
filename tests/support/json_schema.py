"""A checker of the part of JSON schema (draft 2020-12) that the study file's schema uses, and of no more."""

import re

_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
_ABOUT = {"$schema", "title", "description"}


def accepts(schema, value):
    """Whether a value is valid; schemas are mappings."""
    return all(_CHECKS[key](schema, schema[key], value) for key in schema if key not in _ABOUT)


def _is(kind, value):
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _number(compare):
    return lambda _, bound, value: not _is("number", value) or compare(value, bound)


def _inside(schema, properties, value):
    return not isinstance(value, dict) or all(
        accepts(properties[key], item) for key, item in value.items() if key in properties
    )


def _additional(schema, allowed, value):
    if not isinstance(value, dict):
        return True
    rest = [item for key, item in value.items() if key not in schema.get("properties", {})]
    return not rest if allowed is False else all(accepts(allowed, item) for item in rest)


def _unique(_, wanted, value):
    return (
        not isinstance(value, list)
        or not wanted
        or all(item not in value[:i] for i, item in enumerate(value))
    )


_CHECKS = {
    "type": lambda _, kinds, v: any(_is(kind, v) for kind in ([kinds] if isinstance(kinds, str) else kinds)),
    "enum": lambda _, values, v: any(v == item and type(v) is type(item) for item in values),
    "const": lambda _, constant, v: v == constant and type(v) is type(constant),
    "anyOf": lambda _, schemas, v: any(accepts(schema, v) for schema in schemas),
    "not": lambda _, schema, v: not accepts(schema, v),
    "if": lambda schema, condition, v: accepts(condition, v) or accepts(schema["else"], v),
    "else": lambda *_: True,
    "minimum": _number(lambda value, bound: value >= bound),
    "maximum": _number(lambda value, bound: value <= bound),
    "exclusiveMinimum": _number(lambda value, bound: value > bound),
    "exclusiveMaximum": _number(lambda value, bound: value < bound),
    "pattern": lambda _, pattern, v: not isinstance(v, str) or re.search(pattern, v) is not None,
    "properties": _inside,
    "additionalProperties": _additional,
    "propertyNames": lambda _, schema, v: not isinstance(v, dict) or all(accepts(schema, key) for key in v),
    "required": lambda _, keys, v: not isinstance(v, dict) or all(key in v for key in keys),
    "items": lambda _, schema, v: not isinstance(v, list) or all(accepts(schema, item) for item in v),
    "minItems": lambda _, least, v: not isinstance(v, list) or len(v) >= least,
    "maxItems": lambda _, most, v: not isinstance(v, list) or len(v) <= most,
    "uniqueItems": _unique,
}
