"""A script as a user types it, for `mypy --strict`: every public name in use. It is never run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpsearch import (
    BestParams,
    Event,
    HpsearchError,
    StudySpec,
    TrainerData,
    best_params,
    curves,
    leaderboard,
    load_model,
    run_study,
)
from hpsearch.sklearn import HPSearchClassifier, NetworkRegressor


def train(parameters: dict[str, Any], data: TrainerData) -> Iterator[dict[str, Any]]:
    """A trainer of one's own."""
    weights = np.zeros(data.train.x.shape[1])
    for epoch in range(data.epochs):
        yield {"validation_loss": parameters["step"] / (epoch + 1), "model": weights}


def tell(event: Event) -> None:
    """A callback."""
    if event.fact is not None:
        Path("told.txt").write_text(f"{event.fact.number} {event.fact.state}")


def cost(targets: NDArray[Any], predictions: NDArray[Any]) -> float:
    """A metric."""
    return float((targets != predictions).mean())


def search(frame: pd.DataFrame) -> str:
    """Runs of all kinds."""
    spec = StudySpec.load("study.yaml", overrides=["budget.trials=3"])
    settings = {"study": "x", "space": {"learning_rate": {"min": 1e-3, "max": 1e-1, "log": True}, "l2": [0]}}
    try:
        study = run_study(
            settings,
            data=frame,
            store=Path("runs"),
            workers=2,
            progress=lambda fact: tell(Event(kind="trial_ends", study="x", fact=fact)),
            metrics={"cost": cost},
            callbacks=[tell],
        )
        run_study(spec, trainer=train, allow_code=True, progress=False)
        run_study({"study": "x", "budget": {"trials": 3}}, data=(frame, frame["a"]))
    except HpsearchError as error:
        return f"{error} {error.exit_code}"
    best: BestParams = study.best
    again = best_params("x")["learning_rate"]
    value: float = best.test["accuracy"]["value"]
    labels: NDArray[Any] = load_model("x").predict(frame)
    table: pd.DataFrame = leaderboard("x").join(curves("x", 3))
    HPSearchClassifier(trials=3).fit(frame, labels).predict(frame)
    NetworkRegressor((3, 4), epochs=3, parameters=best).fit(frame, labels)
    text: str = best.to_torch() + best.to_keras() + study.name + study.result.ended
    return f"{best.learning_rate} {again} {value} {table} {text} {study.result.facts[0].curves['train_loss']}"
