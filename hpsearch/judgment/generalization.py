"""How far a winner's validation scores are from scores on rows that it never saw: one test part, or nested folds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any, Final

_VALIDATION: Final = "best_validation_"


def own_scores(result: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """By metric: the winner's validation score, and that less its test score; empty while a study has no result.

    The difference holds how choosing flatters the winner, what the refit has gained by more rows, and the chance of
    both parts.
    """
    scores = result.get("scores", {})
    return {
        name: (scores[f"{_VALIDATION}{name}"], scores[f"{_VALIDATION}{name}"] - score["value"])
        for name, score in result.get("test", {}).items()
        if f"{_VALIDATION}{name}" in scores
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterFold:
    """One search of nested cross-validation: on all rows but its own `test_rows`, on which its winner is scored.

    `scores` are the winner's as a trial, `test` those of its refit on the fold's rows; `params` what was searched.
    """

    study: str
    trial: int
    trials: int
    params: Mapping[str, Any]
    train_rows: int
    test_rows: int
    scores: Mapping[str, float]
    test: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedScore:
    """A metric over the outer folds.

    `spread` is the standard deviation over folds; `error` the standard error of the mean, wider than `spread / sqrt(k)`
    since the folds' training rows overlap (Nadeau and Bengio 2003). `validation` is the mean of what the winners had on
    their own validation rows; None where they have no such score.
    """

    mean: float
    spread: float
    error: float
    validation: float | None


def nested_scores(folds: Sequence[OuterFold]) -> dict[str, NestedScore]:
    """The scores of nested cross-validation, by metric; of metrics that every fold has."""
    share = fmean(fold.test_rows / fold.train_rows for fold in folds)
    found = {}
    for name in folds[0].test:
        if not all(name in fold.test for fold in folds):
            continue
        values = [fold.test[name] for fold in folds]
        own = [fold.scores.get(f"{_VALIDATION}{name}") for fold in folds]
        known = [value for value in own if value is not None]
        spread = stdev(values)
        found[name] = NestedScore(
            mean=fmean(values),
            spread=spread,
            error=spread * sqrt(1 / len(folds) + share),
            validation=fmean(known) if len(known) == len(folds) else None,
        )
    return found


def nested_json(folds: Sequence[OuterFold]) -> dict[str, Any]:
    """All of it, for `nested.json`."""
    return {
        "folds": [asdict(fold) for fold in folds],
        "scores": {name: asdict(score) for name, score in nested_scores(folds).items()},
    }


def nested_sentences(nested: Mapping[str, Any]) -> list[str]:
    """The first metric of `nested_json` in words; nothing for nothing."""
    if not nested or not nested["scores"]:
        return []
    folds, (name, score) = nested["folds"], next(iter(nested["scores"].items()))
    values = [fold["test"][name] for fold in folds]
    said = (
        f"Nested cross-validation: {len(folds)} searches of {folds[0]['trials']} trials, each scored on rows that it "
        f"never saw, have {name.replace('_', ' ')} {score['mean']:.4g} on average "
        f"(standard error {score['error']:.2g}, {min(values):.4g} to {max(values):.4g})"
    )
    if score["validation"] is not None:
        said += f"; on their own validation rows their winners had {score['validation']:.4g}"
    return [f"{said}."]
