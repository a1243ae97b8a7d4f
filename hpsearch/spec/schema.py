"""The JSON schema of the study file (draft 2020-12), from the reader's own declarations.

It accepts what sections and parameters accept by themselves, short forms included. What only several values
together show (a `$name` that the space lacks, a range upside down) is left to the reader.
"""

from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo

from hpsearch.spec.conduct import Sampler
from hpsearch.spec.forms import LOG, STEP
from hpsearch.spec.metrics import MetricSpec
from hpsearch.spec.model import Objective
from hpsearch.spec.registry import REGISTRY, Hyperparameter
from hpsearch.spec.rules import IDENTIFIER, Form, Rule
from hpsearch.spec.samplers import METHODS
from hpsearch.spec.section import Section
from hpsearch.spec.study import StudySpec

Schema = dict[str, Any]

SCHEMA_FILE: Final = Path(__file__).with_name("study.schema.json")
"""The schema as the package publishes it, for editors; a test holds it equal to `json_schema()`."""

_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean", "null"]}
_WIDTHS: Final[Schema] = {
    "type": "array",
    "items": REGISTRY["width"].rule.schema(),
    "maxItems": REGISTRY["depth"].rule.maximum,
}
_WHEN: Final[Schema] = {
    "type": "object",
    "description": "the values of other parameters under which this one is there",
    "additionalProperties": {
        "anyOf": [_SCALAR, {"type": "array", "items": {"anyOf": [_SCALAR, _WIDTHS]}, "minItems": 1}]
    },
}


def json_schema() -> Schema:
    """The schema of a whole study file."""
    schema = _section(StudySpec)
    objective = _section(Objective)
    properties = schema["properties"]
    properties["space"] |= _space(["epochs"])
    own = {"additionalProperties": _section(MetricSpec), "propertyNames": {"pattern": f"^{IDENTIFIER}$"}}
    properties["metrics"] |= {"type": "object", **own}
    properties["objectives"] |= {"type": "array", "items": objective, "minItems": 1}
    properties["objective"] = objective | {"description": "what makes a trial good"}
    schema["not"] = {"required": ["objective", "objectives"]}
    schema["if"] = {"required": ["trainer"], "properties": {"trainer": {"type": "string"}}}
    schema["else"] = {"properties": {"space": _space(list(REGISTRY))}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hpsearch study file",
        **schema,
    }


def modeline() -> str:
    """The first line of a study file by which editors find its schema, as the YAML language server reads it."""
    return f"# yaml-language-server: $schema={SCHEMA_FILE.as_uri()}"


def form_of(field: FieldInfo) -> Rule | Form | None:
    """The declaration of what a key may be; None for a section and for the space."""
    return next((item for item in field.metadata if isinstance(item, Rule | Form)), None)


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section that a key holds, if it does."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def _section(section: type[Section]) -> Schema:
    if section is Sampler:
        return _sampler()
    fields = section.model_fields
    schema = _mapping(
        {key: _field(field) for key, field in fields.items()},
        required=[key for key, field in fields.items() if field.is_required()],
    )
    return _or_short(schema, section)


def _field(field: FieldInfo) -> Schema:
    section, form = section_of(field), form_of(field)
    schema = _section(section) if section else form.schema() if form else {}
    return {"description": field.description, **schema}


def _or_short(schema: Schema, section: type[Section]) -> Schema:
    short = section.short_form
    return {"anyOf": [schema, short.schema()]} if short else schema


def _mapping(properties: Schema, *, required: list[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})


def _sampler() -> Schema:
    """One form for each method, with its own options."""
    forms = []
    for name, method in METHODS.items():
        options = {
            key: {"description": option.description, **option.rule.schema()}
            for key, option in method.options.items()
        }
        required = [] if name == Sampler.model_fields["name"].default else ["name"]
        named = {"name": {"const": name, "description": method.description}}
        forms.append(_mapping({**named, **options}, required=required))
    return {"anyOf": [*forms, {"enum": list(METHODS)}]}


def _space(known: list[str]) -> Schema:
    """A space in which hpsearch knows what these parameters may be."""
    return {
        "type": "object",
        "properties": {name: _known(REGISTRY[name]) for name in known},
        "additionalProperties": _parameter({"anyOf": [_SCALAR, _WIDTHS]}, {"type": "number"}, bare=_SCALAR),
        "propertyNames": {"pattern": f"^{IDENTIFIER}$"},
    }


def _known(row: Hyperparameter) -> Schema:
    own = row.rule.schema()
    value = {"anyOf": [own, _WIDTHS]} if row.name == "hidden" else own
    number = own if row.rule.kind in ("integer", "number") else None
    return {"description": row.description, **_parameter(value, number, bare=own)}


def _parameter(value: Schema, number: Schema | None, *, bare: Schema) -> Schema:
    """All forms of a parameter whose values are `value`; `number` where ranges are possible."""
    several = {"type": "array", "items": value, "minItems": 1, "uniqueItems": True}
    forms = [
        bare,
        several,
        _mapping({"value": value, "when": _WHEN}, required=["value"]),
        _mapping({"values": several, "when": _WHEN}, required=["values"]),
    ]
    if number is not None:
        step = {"anyOf": [STEP.schema(), {"type": "null"}]}
        ends = {"min": number, "max": number, "log": LOG.schema(), "step": step, "when": _WHEN}
        forms.append(_mapping(ends, required=["min", "max"]))
    return {"anyOf": forms}
