"""A row of the table: a claim as a ratio, and how it is measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Result:
    """What measuring a row gave.

    `ratio` is the row's number, how many times better hpsearch is unless the row says otherwise; `spread` its
    quartiles over the repetitions. `ours` and `peer` are medians in `unit`. `peer_variant` is the best of the peer's
    variants, `variants` all of them. `peak` is the fraction of the machine's measured sgemm rate that our step
    reaches. `memory` is each side's peak in bytes.
    """

    ratio: float
    ours: float
    peer: float
    unit: str
    spread: tuple[float, float] | None = None
    peer_variant: str = ""
    variants: Mapping[str, float] = field(default_factory=dict)
    peak: float | None = None
    memory: Mapping[str, int] = field(default_factory=dict)
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Row:
    """`name` is for `make bench ONLY=name`. The ratio must be at least `target`, or at most where `at_most`.

    `measure` raises `MissingPeerError` where the peer is not installed.
    """

    name: str
    title: str
    against: str
    target: float
    measure: Callable[[], Result]
    at_most: bool = False

    def holds(self, ratio: float) -> bool:
        """Whether the claim holds."""
        return ratio <= self.target if self.at_most else ratio >= self.target
