"""What all finished trials of a study say together: the winner, whether the best differ, what to search next."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import sqrt
from typing import Any

import numpy as np

from hpsearch.errors import TrainingError
from hpsearch.judgment.comparison import LEVEL, leaders, optimism, paired_members
from hpsearch.judgment.finding import Finding
from hpsearch.judgment.importance import Importance
from hpsearch.judgment.search_findings import Table, judge_search
from hpsearch.randomness import Address
from hpsearch.search.fact import TrialFact
from hpsearch.search.ranking import ranked
from hpsearch.spec import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the finished trials stand to one another.

    `same`: how many trials at the top cannot be told apart from the best, of `compared`, and `smallest`, the number of
    the one among them with the fewest weights; None where nothing allows a comparison. `optimism`: by how much the best
    one's mean loss on validation rows flatters it, being the best of many. `importance`: how much each searched
    parameter decides the order of the trials.
    """

    finished: int
    same: int | None = None
    compared: int | None = None
    smallest: int | None = None
    optimism: float | None = None
    importance: Mapping[str, Importance] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def sentence(self) -> str:
        """`The first 4 of 100 are indistinguishable; the smallest of them is trial-0037.`; empty where not known."""
        if self.same is None or self.smallest is None:
            return ""
        if self.same == 1:
            return f"The best of {self.finished} finished trials is better than the next beyond chance."
        return (
            f"The first {self.same} of {self.finished} finished trials are indistinguishable; "
            f"the smallest of them is trial-{self.smallest:04d}."
        )

    def to_json(self) -> dict[str, Any]:
        """For `result.json`."""
        return {**asdict(self), "sentence": self.sentence()}


def choose(facts: Sequence[TrialFact], spec: StudySpec) -> TrialFact:
    """The winner by `select`: the best finished trial, or the smallest one within a standard error of it.

    Best is by the first objective; of equals the better by the next, then the earlier one. Where `select` is
    `one_standard_error` and no error is known, the best.

    Raises:
        TrainingError: no trial finished.
    """
    best = ranked(facts, [objective.direction for objective in spec.objectives])
    if best:
        objective = spec.objectives[0]
        return pick(best, select=spec.select, metric=objective.metric, direction=objective.direction)
    if not facts:
        raise TrainingError("no trial was finished within the budget; raise budget.trials or budget.time")
    gave_up = (
        f", so the search gave up after {len(facts)} (budget.failures)"
        if spec.budget.failures == len(facts)
        else ""
    )
    raise TrainingError(
        f"none of {len(facts)} trials finished{gave_up} ({_ends(facts)}); "
        "give the space values that can be trained with, and begin anew with --fresh"
    )


def _ends(facts: Sequence[TrialFact]) -> str:
    """How trials ended, three different ways at most, each by its first trial."""
    ways: dict[str, list[str]] = {}
    for fact in facts:
        ways.setdefault(f"{fact.state}: {fact.reason}", []).append(fact.name)
    said = [
        f"{names[0]} {way}" + (f", and {len(names) - 1} more like it" if names[1:] else "")
        for way, names in ways.items()
    ]
    return "; ".join([*said[:3], *(("...",) if said[3:] else ())])


def pick(best: Sequence[TrialFact], *, select: str, metric: str, direction: str) -> TrialFact:
    """The winner among finished trials, best first, by the first objective's metric and direction."""
    if select == "best":
        return best[0]
    error, sign = standard_error(best[0], metric), 1.0 if direction == "minimize" else -1.0
    limit = sign * _value(best[0]) + (error if np.isfinite(error) else 0.0)
    close = [fact for fact in best if sign * _value(fact) <= limit]
    return min(close, key=lambda fact: fact.scores.get("weights", np.inf))


def standard_error(fact: TrialFact, metric: str) -> float:
    """Of a finished trial's first objective: over its networks (folds, seeds), else over validation rows.

    NaN where neither is known: a single network, and an objective that is no mean over rows.
    """
    if len(fact.members) > 1 and f"spread_{metric}" in fact.scores:
        return fact.scores[f"spread_{metric}"] / sqrt(len(fact.members))
    if len(fact.sample_losses) > 1 and metric in (
        "validation_loss",
        "validation_accuracy",
        "validation_log_loss",
    ):
        rows = fact.sample_losses
        return float(np.std(rows, ddof=1)) / sqrt(len(rows))
    return float("nan")


def standing(facts: Sequence[TrialFact], spec: StudySpec) -> Standing:
    """How the finished trials stand; pure, the same facts give the same."""
    finished = ranked(facts, [objective.direction for objective in spec.objectives])
    if not finished:
        return Standing(finished=0)
    same, compared = _leading(finished, spec)
    smallest, flattered = None, None
    if same is not None:
        smallest = min(finished[:same], key=lambda fact: fact.scores.get("weights", np.inf)).number
    rows = [fact.sample_losses for fact in finished if fact.sample_losses]
    if len(rows) > 1:
        flattered = optimism(rows, Address(seed=spec.seed).stream("optimism"))
    table = _table(
        sorted(finished, key=lambda fact: fact.number), spec, trials=len(facts), flattery=flattered or 0.0
    )
    return Standing(
        finished=len(finished),
        same=same,
        compared=compared,
        smallest=smallest,
        optimism=flattered,
        importance=table.importances,
        findings=judge_search(table),
    )


def _leading(finished: Sequence[TrialFact], spec: StudySpec) -> tuple[int | None, int | None]:
    """How many at the top cannot be told from the best, and of how many: by rows, or by folds and seeds."""
    if all(fact.sample_losses for fact in finished):
        found = leaders([fact.sample_losses for fact in finished])
        return found.same, found.compared
    metric, sign = spec.objectives[0].metric, spec.objectives[0].sign
    if len(finished[0].members) < 5 or any(metric not in member for member in finished[0].members):
        return None, None
    best = [sign * member[metric] for member in finished[0].members]
    for place, fact in enumerate(finished[1:50], 1):
        if paired_members(best, [sign * member[metric] for member in fact.members]) < LEVEL:
            return place, len(finished[:50])
    return len(finished[:50]), len(finished[:50])


def _table(finished: Sequence[TrialFact], spec: StudySpec, *, trials: int, flattery: float) -> Table:
    objective = spec.objectives[0]
    several = [len(fact.members) > 1 for fact in finished]
    return Table(
        losses=np.array([objective.sign * _value(fact) for fact in finished]),
        errors=np.array(
            [
                standard_error(fact, objective.metric) if more else np.nan
                for fact, more in zip(finished, several, strict=True)
            ]
        ),
        params=[fact.params for fact in finished],
        space=spec.space,
        trials=trials,
        flattery=flattery if _monitors_loss(spec) else 0.0,
    )


def _monitors_loss(spec: StudySpec) -> bool:
    """Whether the objective is in the unit of the rows' losses."""
    return spec.objectives[0].metric == "validation_loss"


def _value(fact: TrialFact) -> float:
    return fact.values[0] if fact.values else float("nan")
