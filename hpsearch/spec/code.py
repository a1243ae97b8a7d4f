"""How a study file names code: the entry point of an installed package, or `module:function`."""

from typing import Any, Final

from hpsearch.spec.findings import Finding, error, raise_all, show
from hpsearch.spec.rules import Form, Rule

_WORD: Final = r"[^\W\d]\w*"
FUNCTION: Final = rf"{_WORD}(\.{_WORD})*:{_WORD}(\.{_WORD})*"
"""`module:function`"""
ENTRY_POINT: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"

CODE: Final = Rule(
    kind="text",
    pattern=rf"^({ENTRY_POINT}|{FUNCTION})$",
    pattern_words="an entry point's name, or `module:function`",
)

CODES: Final = Form("a list of such names", {"type": "array", "items": CODE.schema(), "uniqueItems": True})


def codes(value: Any) -> tuple[str, ...]:
    """The validator of a list of names of code, each once."""
    if not isinstance(value, list | tuple):
        raise error(f"must be a list, got {show(value)}", f"each item {CODE.pattern_words}")
    found = [wrong.below(i) for i, name in enumerate(value) if (wrong := CODE.finding(name))]
    found += [
        Finding((i,), f"{show(name)} is listed twice") for i, name in enumerate(value) if name in value[:i]
    ]
    raise_all(found, "callbacks")
    return tuple(value)


ALLOW_VARIABLE: Final = "HPSEARCH_ALLOW_CODE"
"""The environment's word that code which a study names as `module:function` may be imported."""


def is_path(name: str) -> bool:
    """Whether a name says where the code is (`module:function`), rather than what an installed package calls it."""
    return ":" in name
