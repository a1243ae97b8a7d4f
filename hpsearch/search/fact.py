"""A finished trial as one value: what is stored, replayed, projected to MLflow and read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from hpsearch.judgment.diagnosis import Finding

State = Literal["complete", "stopped_early", "pruned", "diverged", "failed"]
ParameterValue = str | int | float | bool | None

FINISHED: Final[tuple[State, ...]] = ("complete", "stopped_early")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFact:
    """Everything known of one finished trial; immutable, JSON all through.

    `params` are the sampled (and fixed) values of the study's space, `hyperparameters` the full recipe. `values` are
    the objectives' values, None unless the trial finished. Every curve has one number an epoch. `scores` holds single numbers
    ("best_epoch", "best_validation_loss", "last_validation_loss", "generalization_gap", ...).
    """

    number: int
    params: Mapping[str, ParameterValue]
    hyperparameters: Mapping[str, ParameterValue | list[int]]
    state: State
    reason: str
    values: tuple[float, ...] | None
    curves: Mapping[str, tuple[float, ...]]
    scores: Mapping[str, float]
    findings: tuple[Finding, ...] = ()
    verdict: str = ""
    started: float = 0.0
    seconds: float = 0.0
    distributions: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The trial's name in MLflow and in tables: `trial-0007`."""
        return f"trial-{self.number:04d}"

    @property
    def epochs(self) -> int:
        """How many epochs were trained."""
        return max(map(len, self.curves.values()), default=0)

    @property
    def finished(self) -> bool:
        """Whether the trial has objective values."""
        return self.state in FINISHED
