"""Facts as a search would have left them, without training: for the rows on what happens around the training."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hpsearch.search.fact import TrialFact

_CURVES = (
    "train_loss",
    "validation_loss",
    "train_accuracy",
    "validation_accuracy",
    "learning_rate",
    "gradient_norm",
)


def fact(number: int, params: Mapping[str, Any], *, epochs: int, distributions: Mapping[str, str]) -> TrialFact:
    """A trial with falling curves; every third was pruned."""
    rng = np.random.default_rng(number)
    curve = tuple((rng.uniform(0.05, 1) + np.exp(-np.arange(epochs) / 10)).tolist())
    pruned = number % 3 == 2
    return TrialFact(
        number=number,
        params=params,
        hyperparameters=params,
        state="pruned" if pruned else "complete",
        reason="made for a benchmark",
        values=None if pruned else (min(curve),),
        curves=dict.fromkeys(_CURVES, curve),
        scores={"best_epoch": float(epochs), "best_validation_loss": min(curve), "last_validation_loss": curve[-1]},
        verdict="made for a benchmark",
        started=1.7e9 + number,
        seconds=0.1,
        distributions=distributions,
    )


def facts(first: int, count: int, *, params: int = 12, epochs: int = 50) -> Iterator[TrialFact]:
    """Trials with so many parameters and six curves of so many epochs."""
    for number in range(first, first + count):
        rng = np.random.default_rng(number)
        yield fact(
            number, {f"parameter_{i}": float(rng.uniform()) for i in range(params)}, epochs=epochs, distributions={}
        )
