"""What training one trial gave, as workers hand it to the driver."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hpsearch.execution.cohorts import TrialTask
from hpsearch.execution.samples import SampledCurves
from hpsearch.judgment.stopping import Verdict

ROWS_KEPT: Final = 512
"""Rows of the validation part whose losses are kept of each finished trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What training one trial gave.

    Every curve has one number an epoch. `scores` are the validation metrics of the weights kept: those of
    the best epoch, or of the last where `restore_best` is off. `error` names what kept the trial from training at all.
    Of a trial of several networks (folds, seeds), curves and scores are their means, and `members` holds what each
    came to at the trial's best epoch, if it finished: losses and metrics as the curves name them. `samples` are curves
    over the epochs that `is_sampled` names. `sample_losses` are those of at most `ROWS_KEPT` rows of the validation
    part, the same ones for all trials, under the weights kept: for comparing trials row by row. There are none of
    trials that did not finish, or that learn from folds.
    """

    number: int
    verdict: Verdict
    curves: Mapping[str, tuple[float, ...]]
    best_epoch: int
    scores: Mapping[str, float]
    plateau_factors: tuple[float, ...]
    weights: int
    started: float
    seconds: float
    error: str = ""
    members: tuple[Mapping[str, float], ...] = ()
    samples: SampledCurves = field(default_factory=dict)
    sample_losses: tuple[float, ...] = ()


class StoppedError(Exception):
    """The driver asked the worker to stop; the cohort's trials count as never begun."""


def failed(trial: TrialTask, reason: str, *, started: float) -> Outcome:
    """The outcome of a trial that could not be trained."""
    return Outcome(
        number=trial.number,
        verdict=Verdict.FAILED,
        curves={},
        best_epoch=0,
        scores={},
        plateau_factors=(),
        weights=0,
        started=started,
        seconds=0.0,
        error=reason,
    )
