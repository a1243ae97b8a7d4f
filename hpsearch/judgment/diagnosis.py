"""What a trial's curves say, in plain words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from hpsearch.judgment.breakdowns import BREAKDOWNS
from hpsearch.judgment.effort import budget_wasted, healthy, oscillation, plateau, still_improving, too_short
from hpsearch.judgment.experience import Experience
from hpsearch.judgment.experiments import BY_EXPERIMENT
from hpsearch.judgment.finding import Finding, Severity
from hpsearch.judgment.fitting import at_chance, overfitting, suspicious_score, underfitting
from hpsearch.judgment.inside import class_collapse, dead_units, vanishing_gradients
from hpsearch.judgment.learning_rates import learning_rate_too_large, learning_rate_too_small
from hpsearch.judgment.reading import Reading
from hpsearch.judgment.regularization import regularization_too_strong
from hpsearch.judgment.variation import Variation

__all__ = ["RULES", "Finding", "Severity", "diagnose"]

_ORDER: Final[Sequence[Severity]] = ("failure", "warning", "hint", "good")

RULES: Final[tuple[Callable[[Reading], Finding | None], ...]] = (
    suspicious_score,
    vanishing_gradients,
    dead_units,
    learning_rate_too_large,
    learning_rate_too_small,
    regularization_too_strong,
    class_collapse,
    at_chance,
    overfitting,
    underfitting,
    plateau,
    oscillation,
    still_improving,
    budget_wasted,
)
"""Causes before what they cause: of equally severe findings the first is the verdict."""


_EXPLAINED_BY: Final[Mapping[str, Sequence[str]]] = {
    "underfitting": (
        "learning_rate_too_large",
        "learning_rate_too_small",
        "dead_units",
        "vanishing_gradients",
    ),
    "regularization_too_strong": (
        "vanishing_gradients",
        "learning_rate_too_small",
        "learning_rate_too_large",
    ),
    "learning_rate_too_small": ("vanishing_gradients",),
}
"""What is left out beside a finding that explains it."""


def diagnose(
    curves: Mapping[str, Sequence[float]],
    *,
    state: str,
    epochs_planned: int,
    baseline_loss: float,
    samples: Mapping[str, Sequence[float]] | None = None,
    recipe: Mapping[str, Any] | None = None,
    class_share: float | None = None,
    updates: int | None = None,
    experience: Experience | None = None,
    variations: Sequence[Variation] = (),
) -> tuple[tuple[Finding, ...], str]:
    """Read a trial's curves as an experienced person would.

    Args:
        curves: one number an epoch: `train_loss` and `validation_loss`, and where they are known
            `learning_rate` and `gradient_norm`.
        state: how the trial ended: complete, stopped_early, pruned, diverged or failed.
        epochs_planned: how many epochs it was to train.
        baseline_loss: the loss of a constant guess under the trial's own loss
            (`hpsearch.judgment.metrics.baseline_loss`); what has been learned is measured against it.
        samples: curves over sampled epochs: `gradient_norm/<layer>`, `update_ratio/<layer>`, `idle/<layer>`,
            `largest_share`.
        recipe: the trial's hyperparameters by name.
        class_share: the share of the most frequent class in the validation part.
        updates: how many training steps an epoch has.
        experience: what earlier trials came to: the ranges of the advice follow them where they did better.
        variations: what the recipe came to with one thing changed at a time, where that was tried.

    Returns:
        The findings, most severe first, and the verdict: the first one's name. Where nothing is wrong the one
        finding is `healthy`, or `too_short` when there are too few epochs to tell. A trial without curves has
        no findings; its verdict is its state.
    """
    if not curves.get("train_loss") or not curves.get("validation_loss"):
        return (), state
    reading = Reading.of(
        curves,
        state=state,
        epochs_planned=epochs_planned,
        baseline=baseline_loss,
        samples=samples or {},
        recipe=recipe or {},
        class_share=class_share,
        updates=updates,
        experience=experience or Experience(),
        variations=variations,
    )
    # what follows from a failure of the arithmetic is no symptom of its own
    found = [finding for rule in BREAKDOWNS if (finding := rule(reading))]
    if found and variations and (cause := BY_EXPERIMENT["learning_rate_too_large"](reading)):
        found.append(cause)
    rules = [BY_EXPERIMENT.get(rule.__name__, rule) if variations else rule for rule in RULES]
    found = found or [finding for rule in rules if (finding := rule(reading))]
    names = {finding.name for finding in found}
    found = [finding for finding in found if not names.intersection(_EXPLAINED_BY.get(finding.name, ()))]
    found = found or [too_short(reading) or healthy(reading)]
    found.sort(key=lambda finding: _ORDER.index(finding.severity))
    return tuple(found), found[0].name
