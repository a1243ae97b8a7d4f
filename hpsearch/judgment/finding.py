"""What a finding is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["good", "hint", "warning", "failure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the curves show: its name, the numbers behind it, one plain sentence and what to try."""

    name: str
    severity: Severity
    sentence: str
    advice: str
    evidence: Mapping[str, float]
