"""What a finding is, and what it says to try."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["good", "hint", "warning", "failure"]
Way = Literal["lower", "higher", "set"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A parameter to change: lower or higher, into a range where one is known, or set to `value`."""

    parameter: str
    way: Way
    low: float | None = None
    high: float | None = None
    value: str | float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the curves show: its name, the numbers behind it, one plain sentence and what to try.

    `advice` is a sentence, `changes` the same for programs: each is worth trying by itself, the first one first.
    """

    name: str
    severity: Severity
    sentence: str
    advice: str
    evidence: Mapping[str, float]
    changes: tuple[Change, ...] = ()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Finding":
        """The finding that `dataclasses.asdict` described; those of older versions name no changes."""
        changes = tuple(Change(**change) for change in stored.get("changes", ()))
        return cls(**{**stored, "changes": changes})
