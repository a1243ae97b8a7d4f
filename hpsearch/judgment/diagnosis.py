"""What a trial's curves say, in plain words."""

from collections.abc import Mapping, Sequence
from typing import Final

from hpsearch.judgment.breakdowns import BREAKDOWNS, vanishing_gradients
from hpsearch.judgment.finding import Finding, Severity
from hpsearch.judgment.reading import Reading
from hpsearch.judgment.symptoms import SYMPTOMS, healthy, too_short

__all__ = ["Finding", "Severity", "diagnose"]

_ORDER: Final[Sequence[Severity]] = ("failure", "warning", "hint", "good")


def diagnose(
    curves: Mapping[str, Sequence[float]],
    *,
    state: str,
    epochs_planned: int,
    baseline_loss: float,
) -> tuple[tuple[Finding, ...], str]:
    """Read a trial's curves as an experienced person would.

    Args:
        curves: one number an epoch: `train_loss` and `validation_loss`, and where they are known
            `learning_rate` and `gradient_norm`.
        state: how the trial ended: complete, stopped_early, pruned, diverged or failed.
        epochs_planned: how many epochs it was to train.
        baseline_loss: the loss of a constant guess under the trial's own loss
            (`hpsearch.judgment.metrics.baseline_loss`); what has been learned is measured against it.

    Returns:
        The findings, most severe first, and the verdict: the first one's name. Where nothing is wrong the one
        finding is `healthy`, or `too_short` when there are too few epochs to tell. A trial without curves has
        no findings; its verdict is its state.
    """
    if not curves.get("train_loss") or not curves.get("validation_loss"):
        return (), state
    reading = Reading.of(curves, state=state, epochs_planned=epochs_planned, baseline=baseline_loss)
    # what follows from a failure of the arithmetic is no symptom of its own
    found = [finding for rule in BREAKDOWNS if (finding := rule(reading))]
    found = found or [finding for rule in (vanishing_gradients, *SYMPTOMS) if (finding := rule(reading))]
    found = found or [too_short(reading) or healthy(reading)]
    found.sort(key=lambda finding: _ORDER.index(finding.severity))
    return tuple(found), found[0].name
