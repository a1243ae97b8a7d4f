"""`$name` in place of a value of the model: it refers to a parameter of the space."""

from typing import Any, Final

from hpsearch.spec.findings import Finding
from hpsearch.spec.rules import IDENTIFIER, NAME, Rule

REFERENCE: Final[dict[str, Any]] = {"type": "string", "pattern": rf"^\${IDENTIFIER}$"}
"""The JSON schema of a reference."""


def is_reference(value: object) -> bool:
    """Whether a value of the model refers to a parameter of the space: `$name`."""
    return isinstance(value, str) and value.startswith("$")


def wrong_value(value: Any, rule: Rule) -> Finding | None:
    """What is wrong with a value that a rule allows, or a reference in its place."""
    if not is_reference(value):
        return rule.finding(value)
    wrong = NAME.finding(value[1:])
    return Finding((), f"after `$`, {wrong.rule}") if wrong else None
