"""How a study file names code: the entry point of an installed package, or `module:function`."""

from typing import Final

from hpsearch.spec.rules import Rule

_WORD: Final = r"[^\W\d]\w*"

CODE: Final = Rule(
    kind="text",
    pattern=rf"^([A-Za-z0-9][A-Za-z0-9_.-]{{0,63}}|{_WORD}(\.{_WORD})*:{_WORD}(\.{_WORD})*)$",
    pattern_words="an entry point's name, or `module:function`",
)

ALLOW_VARIABLE: Final = "HPSEARCH_ALLOW_CODE"
"""The environment's word that code which a study names as `module:function` may be imported."""


def is_path(name: str) -> bool:
    """Whether a name says where the code is (`module:function`), rather than what an installed package calls it."""
    return ":" in name
