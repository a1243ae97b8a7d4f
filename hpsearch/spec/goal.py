"""What trials are trained for, and until when, as plain values: a worker loads no model of the study file for them."""

from dataclasses import dataclass
from typing import Literal

Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """An objective: see `hpsearch.spec.Objective`."""

    metric: str
    direction: Direction

    @property
    def sign(self) -> float:
        """What its values are multiplied by so that less is better."""
        return 1.0 if self.direction == "minimize" else -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """When a trial has learned what it can: see `hpsearch.spec.EarlyStopping`."""

    patience: int | None
    min_delta: float
    restore_best: bool
