"""Single numbers: what a trial's curves come to, and how far a test score can be trusted."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from hpsearch.data.prepared import Task
from hpsearch.judgment.metrics import Array, Outputs, Targets, final_scores, resampled_metric

if TYPE_CHECKING:
    from hpsearch.spec import Objective

Interval = tuple[float, float]

_PARTS: Final = ("train_", "validation_")
_BLOCK: Final = 1 << 22  # numbers in memory at once while resampling: 32 MiB


def summary(curves: Mapping[str, Sequence[float]], *, best_epoch: int) -> dict[str, float]:
    """The scores of a trial that are read off its curves; a value that is not finite is left out.

    Args:
        curves: name -> one number an epoch.
        best_epoch: the 1-based epoch at which the monitored metric was best; 0 when it never was finite.

    Returns:
        `epochs` trained, `best_epoch`, `best_<curve>` and `last_<curve>` for the curves of both parts (at the
        best and at the last epoch), and `generalization_gap`: validation loss - training loss at the best
        epoch.
    """
    followed = {name: curve for name, curve in curves.items() if name.startswith(_PARTS) and len(curve)}
    scores = {"epochs": float(max(map(len, curves.values()), default=0))}
    if best_epoch:
        scores["best_epoch"] = float(best_epoch)
        scores |= {f"best_{name}": float(curve[best_epoch - 1]) for name, curve in followed.items()}
    scores |= {f"last_{name}": float(curve[-1]) for name, curve in followed.items()}
    if {"best_train_loss", "best_validation_loss"} <= scores.keys():
        scores["generalization_gap"] = scores["best_validation_loss"] - scores["best_train_loss"]
    return {name: score for name, score in scores.items() if np.isfinite(score)}


def spread(members: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """How far a trial's networks lie apart: `spread_<curve>`, the sample standard deviation over its members.

    Nothing for fewer than two members; a spread that is not finite is left out.
    """
    if len(members) < 2:
        return {}
    with np.errstate(all="ignore"):
        spreads = {
            f"spread_{name}": float(np.std([member[name] for member in members], ddof=1))
            for name in members[0]
        }
    return {name: value for name, value in spreads.items() if np.isfinite(value)}


def objective_value(curves: Mapping[str, Sequence[float]], objective: "Objective") -> float:
    """An objective's value: the best of its own metric's curve in the declared direction, or the last."""
    curve = curves[objective.metric]
    if objective.value == "last":
        return float(curve[-1])
    return float(np.min(curve) if objective.direction == "minimize" else np.max(curve))


def bootstrap_interval(
    metric: Callable[[NDArray[np.intp]], float],
    n: int,
    stream: np.random.Generator,
    *,
    level: float = 0.95,
    repeats: int = 1000,
) -> Interval:
    """The percentile bootstrap interval (Efron 1979) of any metric of n samples.

    Args:
        metric: the score of the rows drawn, (n,) with repetitions; NaN where they leave it undefined.
        n: how many samples there are.
        stream: where the draws come from.
        level: the share of resampled scores within the interval.
        repeats: how many resamples.

    Returns:
        (low, high): NaN when no resample had a score.
    """
    return _interval(np.array([metric(stream.integers(n, size=n)) for _ in range(repeats)]), level)


def bootstrap_scores(
    outputs: Outputs,
    y: Targets,
    *,
    task: Task,
    loss: str,
    stream: np.random.Generator,
    level: float = 0.95,
    repeats: int = 1000,
) -> dict[str, Interval]:
    """`bootstrap_interval` of every metric in `final_scores`, all from the same resamples and many at once.

    Args:
        outputs: (N, O), before softmax or sigmoid.
        y: (N,) class ids, or (N, T) scaled targets.
        task: as for `final_scores`.
        loss: as for `final_scores`.
        stream: where the draws come from.
        level: the share of resampled scores within the interval.
        repeats: how many resamples.
    """
    names, n = list(final_scores(outputs, y, task=task, loss=loss)), len(y)
    drawn: dict[str, list[Array]] = {name: [] for name in names}
    width = max(1, _BLOCK // n)
    for start in range(0, repeats, width):
        counts = _resample(n, min(width, repeats - start), stream)
        for name in names:
            drawn[name].append(resampled_metric(name, outputs, y, counts, task=task, loss=loss))
    return {name: _interval(np.concatenate(scores), level) for name, scores in drawn.items()}


def _resample(n: int, repeats: int, stream: np.random.Generator) -> Array:
    """(repeats, n): how often each of n rows is drawn in n draws with replacement."""
    counts = np.empty((repeats, n))
    for row in counts:
        row[:] = np.bincount(stream.integers(n, size=n), minlength=n)
    return counts


def _interval(scores: Array, level: float) -> Interval:
    defined = scores[~np.isnan(scores)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
