"""Made-up trial facts that look like a real search's, for tests of what is done with facts."""

import json
import math
import random
from collections.abc import Sequence
from typing import Any

from hpsearch.judgment.diagnosis import Finding
from hpsearch.search.fact import State, TrialFact


def _distribution(kind: str, **attributes: Any) -> str:
    return json.dumps({"name": f"{kind}Distribution", "attributes": attributes})


STARTED = 1_700_000_000.0
DISTRIBUTIONS = {
    "learning_rate": _distribution("Float", low=1e-4, high=0.1, log=True, step=None),
    "batch_size": _distribution("Categorical", choices=[16, 32, 64, 128]),
    "optimizer": _distribution("Categorical", choices=["sgd", "momentum", "adam", "rmsprop"]),
    "dropout": _distribution("Float", low=0.0, high=0.5, log=False, step=None),
    "l2": _distribution("Float", low=1e-6, high=0.1, log=True, step=None),
    "epochs": _distribution("Int", low=5, high=50, log=False, step=1),
}
RECIPE: dict[str, Any] = {
    "hidden": [64, 64],
    "activation": "relu",
    "loss": "cross_entropy",
    "schedule": "constant",
    "initializer": "he",
    "max_norm": None,
    "label_smoothing": 0.0,
}
FINDING = Finding(
    name="overfitting",
    severity="warning",
    sentence="validation loss rises from epoch 9 on while train loss still falls",
    advice="more dropout, a larger l2, fewer epochs",
    evidence={"gap": 0.3},
)


def fact(number: int = 0, *, state: State = "complete", epochs: int = 12, **changes: Any) -> TrialFact:
    """One trial; the same number gives the same trial."""
    draw = random.Random(number)
    rate = 10 ** draw.uniform(-4, -1)
    params = {
        "learning_rate": rate,
        "batch_size": draw.choice([16, 32, 64, 128]),
        "optimizer": draw.choice(["sgd", "momentum", "adam", "rmsprop"]),
        "dropout": draw.uniform(0.0, 0.5),
        "l2": 10 ** draw.uniform(-6, -1),
        "epochs": draw.randint(5, 50),
    }
    curves = _curves(draw, rate, epochs, diverging=state == "diverged")
    best = min(range(epochs), key=lambda epoch: _sortable(curves["validation_loss"][epoch]), default=0)
    values = {
        "number": number,
        "params": params,
        "hyperparameters": {**RECIPE, **params},
        "state": state,
        "reason": {"pruned": "worse than the median of retired trials at epoch 4"}.get(
            state, f"{epochs} epochs trained"
        ),
        "values": (curves["validation_loss"][best],) if state in ("complete", "stopped_early") else None,
        "curves": curves,
        "scores": _scores(curves, best) if epochs else {},
        "findings": (FINDING,) if number % 3 == 0 else (),
        "verdict": "overfits" if number % 3 == 0 else "learns well",
        "started": STARTED + 2.0 * number,
        "seconds": 0.25 + 0.05 * epochs,
        "distributions": DISTRIBUTIONS,
    }
    return TrialFact(**(values | changes))


def facts(count: int) -> list[TrialFact]:
    """A table of trials: most finish, some are pruned, one in thirteen diverges."""
    return [_nth(number) for number in range(count)]


def _nth(number: int) -> TrialFact:
    if number % 13 == 7:
        return fact(number, state="diverged", epochs=3, reason="the loss was not finite at epoch 3")
    if number % 3 == 1:
        return fact(number, state="pruned", epochs=4)
    if number % 5 == 2:
        return fact(number, state="stopped_early", epochs=15, reason="no better for 5 epochs")
    return fact(number, epochs=10 + number % 20)


def _curves(
    draw: random.Random, rate: float, epochs: int, *, diverging: bool
) -> dict[str, tuple[float, ...]]:
    floor = 0.05 + 0.12 * abs(math.log10(rate) + 2.3) + 0.05 * draw.random()
    train = [floor * 0.5 + 2.2 * math.exp(-0.4 * e) + 0.01 * draw.random() for e in range(epochs)]
    validation = [floor + 2.2 * math.exp(-0.35 * e) + 0.003 * e + 0.02 * draw.random() for e in range(epochs)]
    if diverging:
        train[-1], validation[-1] = math.inf, math.nan
    return {
        "train_loss": tuple(train),
        "validation_loss": tuple(validation),
        "train_accuracy": tuple(1 - 0.8 * math.exp(-0.5 * e) for e in range(epochs)),
        "validation_accuracy": tuple(0.98 - floor / 4 - 0.8 * math.exp(-0.45 * e) for e in range(epochs)),
        "learning_rate": (rate,) * epochs,
        "gradient_norm": tuple(3 * math.exp(-0.2 * e) + 0.2 * draw.random() for e in range(epochs)),
        "weight_norm": tuple(10 + 0.2 * e for e in range(epochs)),
    }


def _scores(curves: dict[str, Sequence[float]], best: int) -> dict[str, float]:
    return {
        "best_epoch": best + 1,
        "best_validation_loss": curves["validation_loss"][best],
        "best_validation_accuracy": curves["validation_accuracy"][best],
        "last_validation_loss": curves["validation_loss"][-1],
        "generalization_gap": curves["validation_loss"][best] - curves["train_loss"][best],
        "weights": 9482.0,
    }


def _sortable(value: float) -> float:
    return value if math.isfinite(value) else math.inf
