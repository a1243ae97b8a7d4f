"""What a check finds wrong, and how it travels through pydantic: our words in, our words out."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

KeyPath = tuple[str | int, ...]

_OURS = "rule"
_SHOWN = 60
_BEGUN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, by the path of keys that leads to it; the place in the file is found later."""

    path: KeyPath
    rule: str
    remedy: str = ""

    def below(self, *path: str | int) -> "Finding":
        """The same finding, seen from further up."""
        return Finding((*path, *self.path), self.rule, self.remedy)


def error(rule: str, remedy: str = "") -> PydanticCustomError:
    """The error that a validator raises to say one thing of the value it was given."""
    return PydanticCustomError(_OURS, "{rule}", {"rule": rule, "remedy": remedy})


def raise_all(findings: Iterable[Finding], title: str) -> None:
    """Raise all findings as one ValidationError, which pydantic merges into an outer one; none: return.

    Raises:
        ValidationError: there are findings.
    """
    found = list(findings)
    if found:
        _raise(title, found)


def _raise(title: str, findings: Iterable[Finding]) -> NoReturn:
    details: list[InitErrorDetails] = [
        InitErrorDetails(type=error(finding.rule, finding.remedy), loc=finding.path, input=None)
        for finding in findings
    ]
    raise ValidationError.from_exception_data(title, details)


def findings_of(caught: ValidationError) -> list[tuple[Finding, str, Any]]:
    """What pydantic caught, as (finding, pydantic's type of error, input).

    The finding of a rule of ours is complete and its type is empty; for what pydantic checked itself (a
    missing key, an unknown one, a section that is no mapping) the rule is empty and its reader words it.
    """
    found = []
    for item in caught.errors(include_url=False):
        context = item.get("ctx", {})
        if item["type"] == _OURS:
            found.append((Finding(item["loc"], context["rule"], context["remedy"]), "", item["input"]))
        else:
            found.append((Finding(item["loc"], ""), item["type"], item["input"]))
    return found


def nearest(word: object, known: Iterable[str]) -> str:
    """The known word that was probably meant, or nothing."""
    written, candidates = str(word).lower(), list(known)
    close = difflib.get_close_matches(written, candidates, n=1, cutoff=0.6)
    begun = [
        candidate for candidate in candidates if len(written) >= _BEGUN and candidate.startswith(written)
    ]
    return next(iter([*close, *begun]), "")


def suggestion(word: object, known: Sequence[str], *, otherwise: str = "") -> str:
    """`did you mean 'optimizer'?`, or the alternative where nothing known is near."""
    meant = nearest(word, known)
    return f"did you mean '{meant}'?" if meant else otherwise


def show(value: object) -> str:
    """A value in the words of a study file: `true`, `'text'`, `1.2`, `[1, 2]`."""
    match value:
        case None:
            text = "nothing (null)"
        case bool():
            text = "true" if value else "false"
        case str():
            text = repr(value if len(value) <= _SHOWN else value[: _SHOWN - 3] + "...")
        case float():
            text = repr(value)
        case list() | tuple():
            text = f"[{', '.join(map(show, value[:_SHOWN]))}]"
            text = text if len(text) <= _SHOWN else "a list"
        case dict():
            text = "a mapping"
        case _:
            text = str(value)
    return text
