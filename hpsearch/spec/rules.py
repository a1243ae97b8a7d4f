"""Rules of single values: one declaration gives check, message, JSON schema and reference page."""

import math
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from hpsearch.spec.findings import Finding, error, show, suggestion

Kind = Literal["integer", "number", "boolean", "choice", "text"]

_NOUNS: Final = {"integer": "an integer", "number": "a number", "boolean": "true or false", "text": "text"}
_JSON_TYPES: Final = {"integer": "integer", "number": "number", "boolean": "boolean", "text": "string"}
_TYPES: Final[dict[str, Any]] = {"integer": int, "number": int | float, "boolean": bool, "text": str}
_NUMERAL: Final = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one value must be. `minimum` and `maximum` are allowed themselves, `above` and `below` are not.

    As metadata of an annotation (`Annotated[int, Rule(kind="integer", minimum=1)]`) it is the field's whole
    validation. Numbers are finite, and neither numbers nor integers are booleans. Integers given for a
    number become floats.
    """

    kind: Kind
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    nullable: bool = False
    pattern: str = ""
    pattern_words: str = ""
    remedy: str = ""

    def finding(self, value: object) -> Finding | None:
        """What is wrong with a value, if anything (the path is empty)."""
        if value is None and self.nullable:
            return None
        if self.kind == "choice":
            return self._not_a_choice(value)
        allowed = _TYPES[self.kind]
        if not isinstance(value, allowed) or isinstance(value, bool) is not (allowed is bool):
            return self._wrong_kind(value)
        return self._bad_text(value) if isinstance(value, str) else self._out_of_bounds(value)

    def broken(self, value: object, *path: str | int) -> list[Finding]:
        """What is wrong with a value that stands at a path: one finding, or none."""
        found = self.finding(value)
        return [found.below(*path)] if found else []

    def normal(self, value: Any) -> Any:
        """The value as it is stored, after it was found to be right."""
        return float(value) if self.kind == "number" and value is not None else value

    @property
    def words(self) -> str:
        """What is allowed, for the reference page: `a number, at least 0, below 1`."""
        if self.kind == "choice":
            noun = "one of " + ", ".join(f"`{choice}`" for choice in self.choices)
        else:
            noun = self.pattern_words or _NOUNS[self.kind]
        text = ", ".join([noun, *(f"{word} {bound:.12g}" for word, bound in self._bounds())])
        return f"{text}, or null" if self.nullable else text

    @property
    def plain(self) -> str:
        """What kind of value it is, without its bounds: `an integer`, `one of sgd, adam`."""
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        return self.pattern_words or _NOUNS[self.kind]

    def schema(self) -> dict[str, Any]:
        """JSON schema (draft 2020-12) of the values allowed."""
        if self.kind == "choice":
            choices: list[str | None] = list(self.choices)
            return {"enum": [*choices, None] if self.nullable else choices}
        schema: dict[str, Any] = {
            "type": [_JSON_TYPES[self.kind], "null"] if self.nullable else _JSON_TYPES[self.kind]
        }
        keys = {
            "minimum": self.minimum,
            "maximum": self.maximum,
            "exclusiveMinimum": self.above,
            "exclusiveMaximum": self.below,
        }
        schema |= {key: bound for key, bound in keys.items() if bound is not None}
        if self.pattern:
            schema["pattern"] = self.pattern
        return schema

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return self.schema()

    def _validate(self, value: Any) -> Any:
        found = self.finding(value)
        if found is not None:
            raise error(found.rule, found.remedy)
        return self.normal(value)

    def _bounds(self) -> list[tuple[str, float]]:
        named = [
            ("at least", self.minimum),
            ("above", self.above),
            ("at most", self.maximum),
            ("below", self.below),
        ]
        return [(word, bound) for word, bound in named if bound is not None]

    def _wrong_kind(self, value: object) -> Finding:
        or_null = " or null" if self.nullable else ""
        return Finding((), f"must be {self.plain}{or_null}, got {show(value)}", self._advice(value))

    def _advice(self, value: object) -> str:
        """What to write instead of a value of the wrong kind, where that can be told."""
        match self.kind, value:
            case ("integer" | "number", str()) if _NUMERAL.fullmatch(value):
                return f"write {value.replace('_', '')} without quotes or underscores"
            case ("integer", float()) if value.is_integer():
                return f"write {value:.0f}"
            case ("boolean", str()):
                return "only the words true and false are such values"
            case ("text", bool() | int() | float()):
                return self.remedy or "put it in quotes"
        return self.remedy

    def _not_a_choice(self, value: object) -> Finding | None:
        if isinstance(value, str) and value in self.choices:
            return None
        return Finding((), f"must be {self.plain}, got {show(value)}", suggestion(value, self.choices))

    def _bad_text(self, value: str) -> Finding | None:
        if self.pattern and (re.search(self.pattern, value) is None or value.endswith("\n")):
            return Finding((), f"must be {self.pattern_words}, got {show(value)}", self.remedy)
        return None

    def _out_of_bounds(self, value: Any) -> Finding | None:
        if isinstance(value, float) and not math.isfinite(value):
            return Finding((), f"must be finite, got {show(value)}")
        broken = {
            "at least": self.minimum is not None and value < self.minimum,
            "above": self.above is not None and value <= self.above,
            "at most": self.maximum is not None and value > self.maximum,
            "below": self.below is not None and value >= self.below,
        }
        for word, bound in self._bounds():
            if broken[word]:
                return Finding((), f"must be {word} {bound:.12g}, got {show(value)}")
        return None


@dataclass(frozen=True, slots=True)
class Form:
    """What may be written, in words and as JSON schema, where a validator checks more than one rule."""

    words: str
    json: dict[str, Any]

    def schema(self) -> dict[str, Any]:
        """JSON schema (draft 2020-12) of what may be written."""
        return self.json


def any_case(*words: str) -> str:
    """A pattern of any of the words in capitals, small letters or both: (?i) is none of JSON schema's, nor editors'."""
    return f"({'|'.join(''.join(f'[{c}{c.upper()}]' if c.isalpha() else c for c in word) for word in words)})"


IDENTIFIER: Final = "[A-Za-z_][A-Za-z0-9_]{0,63}"
NAME: Final = Rule(
    kind="text",
    pattern=f"^{IDENTIFIER}$",
    pattern_words="a name of letters, digits and '_' that starts with no digit",
)
