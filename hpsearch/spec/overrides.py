"""Overrides from the command line: `-S key.path=value`, laid over the values of a study file."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Final

from hpsearch.addresses import redacted
from hpsearch.errors import Problem, SpecError
from hpsearch.spec.document import OPTION, Document, read_value
from hpsearch.spec.findings import KeyPath
from hpsearch.spec.study import DEFAULT_SPACE

_HEADS: Final = {"sampler": "name", "pruning": "rule", "cluster": "address"}


def apply_overrides(document: Document, overrides: Sequence[str]) -> list[Problem]:
    """Set what the overrides say, each at its own place; what is wrong with an override itself.

    They may create keys or replace values. Where the file leaves the space out, an override of one of its
    parameters starts from the default space.
    """
    problems: list[Problem] = []
    for override in overrides:
        try:
            _apply(document, override)
        except SpecError as error:
            problems += error.problems
    return problems


def _apply(document: Document, override: str) -> None:
    place = OPTION + redacted(override)
    written, sign, text = override.partition("=")
    keys = [key.strip() for key in written.split(".")]
    if not sign or not all(keys):
        raise SpecError(
            Problem(place=place, rule="must be key.path=value", remedy="for example -S budget.trials=20")
        )
    value = read_value(text, place)
    if keys[0] == "space" and len(keys) > 1 and "space" not in document.values:
        document.values["space"] = deepcopy(dict(DEFAULT_SPACE))
    if keys[0] == "objective" and "objectives" not in document.values:
        document.values.setdefault("objective", {})
    node = document.values
    path: KeyPath = ()
    for key in keys[:-1]:
        node, path = _descend(document, node, (key, path), place)
    _set(document, node, (keys[-1], value), path, place)


def _descend(document: Document, node: Any, into: tuple[str, KeyPath], place: str) -> tuple[Any, KeyPath]:
    """Into a key, which becomes a mapping where it is none yet; a short form becomes the long one."""
    key = _key(node, into[0], into[1], place)
    path = (*into[1], key)
    inner = node.get(key) if isinstance(node, dict) else node[int(key)]
    if not isinstance(inner, dict | list):
        head = _HEADS.get(str(key)) if len(path) == 1 and isinstance(inner, str) else None
        node[key] = {head: inner} if head else {}
        if not head:
            document.forget(path)
            document.places[path] = place
    return node[key], path


def _set(document: Document, node: Any, item: tuple[str, Any], path: KeyPath, place: str) -> None:
    key = _key(node, item[0], path, place)
    node[key] = item[1]
    document.forget((*path, key))
    document.places[(*path, key)] = place


def _key(node: dict[str, Any] | list[Any], key: str, path: KeyPath, place: str) -> str | int:
    """A key of a mapping, or the index of an item that a list has."""
    if isinstance(node, dict):
        return key
    if key.isascii() and key.isdigit() and int(key[:9]) < len(node):
        return int(key)
    where = ".".join(map(str, path))
    raise SpecError(
        Problem(
            place=place,
            key=where,
            rule=f"is a list of {len(node)}, got {key!r}",
            remedy=f"count from 0, or replace all: {where}=[...]",
        )
    )
