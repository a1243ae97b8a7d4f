"""What changed between two canonical forms of a study, in lines that a person can act on."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_ABSENT = "absent"


def differences(stored: Mapping[str, Any], now: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """Every change as `space.learning_rate.max: 0.1 -> 0.01`, in the present file's order.

    A key that the stored form does not have is none where it has its default now: an earlier version did not know it.
    What is searched has no defaults.
    """
    known = {key: value for key, value in defaults.items() if key != "space"}
    lines = list(_below("", _without_order(stored), _without_order(now), known))
    before, after = stored.get("space_order", []), now.get("space_order", [])
    if before != after and sorted(before) == sorted(after):
        lines.append(f"the order of the space: {', '.join(before)} -> {', '.join(after)}")
    return lines


def _without_order(form: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in form.items() if key != "space_order"}


def _below(
    path: str, stored: Mapping[str, Any], now: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[str]:
    for key in [*now, *(key for key in stored if key not in now)]:
        before, after = stored.get(key, _ABSENT), now.get(key, _ABSENT)
        here = f"{path}.{key}" if path else key
        if key not in stored and key in defaults and after == defaults[key]:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            below = defaults.get(key)
            yield from _below(here, before, after, below if isinstance(below, Mapping) else {})
        elif (key in stored) != (key in now) or before != after:
            yield f"{here}: {_text(before, there=key in stored)} -> {_text(after, there=key in now)}"


def _text(value: Any, *, there: bool) -> str:
    if not there:
        return _ABSENT
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
