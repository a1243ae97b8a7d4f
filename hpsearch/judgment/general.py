"""Findings on models that hpsearch did not build: the same symptoms, advice in terms of any model."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from hpsearch.judgment.finding import Finding

_ADVICE: Final[Mapping[str, str]] = {
    "diverged": "Try smaller steps, and look whether inputs and loss can become infinite.",
    "exploding_gradients": "Try smaller steps, or bounded ones.",
    "suspicious_score": "Look for inputs that are known only after the target is.",
    "learning_rate_too_large": "Try smaller steps.",
    "learning_rate_too_small": "Try larger steps.",
    "regularization_too_strong": "Try less regularization.",
    "at_chance": "Check that the inputs can tell the target at all; then try other step sizes.",
    "overfitting": "Try more regularization, a smaller model, or more data.",
    "underfitting": "Try a larger model, or less regularization.",
    "plateau": "The epochs on the plateau were lost: try other step sizes, or another beginning.",
    "oscillation": "Try smaller steps, or smaller ones towards the end.",
    "still_improving": "Try more epochs, or larger steps.",
}
"""What to try where the parameters of the model are not known; of other findings their own advice holds."""

_ALWAYS: Final = ("epochs", "early_stopping.patience")


def of_any_model(finding: Finding, parameters: Collection[str]) -> Finding:
    """The finding with advice that holds for any model; of its changes, those of parameters that the study has."""
    changes = tuple(
        change for change in finding.changes if change.parameter in parameters or change.parameter in _ALWAYS
    )
    return replace(finding, advice=_ADVICE.get(finding.name, finding.advice), changes=changes)
