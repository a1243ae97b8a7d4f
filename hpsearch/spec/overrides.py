"""Overrides from the command line: `-S key.path=value`, laid over the values of a study file."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Final

from hpsearch.errors import Problem, SpecError
from hpsearch.spec.document import Document, read_value
from hpsearch.spec.findings import KeyPath, show
from hpsearch.spec.study import DEFAULT_SPACE

_HEADS: Final = {"sampler": "name", "pruning": "rule"}


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
    place = f"-S {override}"
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
    key, path = into
    if isinstance(node, list):
        index = _index(node, key, path, place)
        return node[index], (*path, index)
    if not isinstance(node, dict):
        raise SpecError(
            Problem(place=place, key=".".join(map(str, path)), rule=f"{show(node)} has no keys inside")
        )
    inner = node.get(key)
    if not isinstance(inner, dict | list):
        head = _HEADS.get(key) if not path else None
        node[key] = {head: inner} if head and isinstance(inner, str) else {}
        document.places.setdefault((*path, key), place)
    return node[key], (*path, key)


def _set(document: Document, node: Any, item: tuple[str, Any], path: KeyPath, place: str) -> None:
    key: str | int = item[0]
    if isinstance(node, list):
        key = _index(node, item[0], path, place)
    node[key] = item[1]
    here = (*path, key)
    for stale in [known for known in document.places if known[: len(here)] == here]:
        del document.places[stale]
    document.places[here] = place


def _index(node: list[Any], key: str, path: KeyPath, place: str) -> int:
    if key.isascii() and key.isdigit() and int(key) < len(node):
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
