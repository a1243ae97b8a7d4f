"""The run of the study itself: parent of all trials, bearer of the winner's scores, files and model."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from hpsearch.judgment.generalization import own_scores
from hpsearch.judgment.sentences import score_table, search_sentences
from hpsearch.search.fact import TrialFact
from hpsearch.tracking.card import StudyCard
from hpsearch.tracking.projection import NOTE_TAG, best_so_far, common_tags
from hpsearch.tracking.record import Point, RunRecord, Status, safe_key, text_params, text_tags

KIND_TAG = "hpsearch.kind"
_DATA_TAGS = ("fingerprint", "rows", "features", "targets", "train_rows", "validation_rows", "test_rows")


def study_record(
    card: StudyCard,
    facts: Sequence[TrialFact],
    result: Mapping[str, Any],
    *,
    running: bool,
    nested: Mapping[str, Any] | None = None,
) -> RunRecord:
    """The study's run as it stands after these facts (all of them, in trial order); `nested`: of `nested.json`."""
    start = min((round(fact.started * 1000) for fact in facts), default=0)
    end = max(map(_end, facts), default=start)
    # a moment that stays when more trials follow: the same scores again are then the same points
    decided = max((_end(fact) for fact in facts if fact.number == result.get("trial")), default=end)
    return RunRecord(
        number=None,
        name=card.key,
        status=_status(result, running=running),
        start=start,
        end=None if running else end,
        params=text_params(card.settings),
        tags=text_tags(
            {
                **common_tags(card),
                KIND_TAG: "study",
                "mlflow.runName": card.key,
                NOTE_TAG: study_note(card, facts, result, nested or {}),
                **{f"version.{name}": version for name, version in card.identity.versions.items()},
                **_data_tags(result),
            }
        ),
        points=[
            *best_so_far(card, facts),
            *(
                Point(key=key, value=value, step=0, timestamp=decided)
                for key, value in {**result_scalars(result), **nested_scalars(nested or {})}.items()
            ),
        ],
    )


def _end(fact: TrialFact) -> int:
    return round((fact.started + fact.seconds) * 1000)


def _status(result: Mapping[str, Any], *, running: bool) -> Status:
    if running:
        return "RUNNING"
    return "FINISHED" if result else "KILLED"


def result_scalars(result: Mapping[str, Any]) -> dict[str, float]:
    """Test scores, intervals, baselines: `test/accuracy`, `test/accuracy_low`, `baseline/mean_rmse`."""
    scalars: dict[str, Any] = {}
    for metric, score in result.get("test", {}).items():
        scalars[f"test/{metric}"] = score["value"]
        scalars[f"test/{metric}_low"], scalars[f"test/{metric}_high"] = score.get("low"), score.get("high")
    for metric, (_, difference) in own_scores(result).items():
        scalars[f"gap/validation_minus_test_{metric}"] = difference
    for baseline, scores in result.get("baselines", {}).items():
        for metric, value in scores.items():
            scalars[f"baseline/{baseline.replace(' ', '_')}_{metric}"] = value
    for name, importance in result.get("standing", {}).get("importance", {}).items():
        scalars[f"importance/{name}"] = importance["share"]
        scalars |= {f"importance/{name}_{end}": importance[end] for end in ("low", "high")}
    if result:
        scalars |= {"winner/trial": result["trial"], "winner/epochs": result.get("epochs")}
    return _finite(scalars)


def nested_scalars(nested: Mapping[str, Any]) -> dict[str, float]:
    """Scores over the outer folds: `nested/accuracy`, and their `_error`, `_spread` and `_validation`."""
    scalars = {}
    for metric, score in nested.get("scores", {}).items():
        scalars[f"nested/{metric}"] = score["mean"]
        scalars |= {f"nested/{metric}_{key}": score[key] for key in ("error", "spread", "validation")}
    return _finite(scalars)


def _finite(scalars: Mapping[str, Any]) -> dict[str, float]:
    """Those that are numbers, under names that MLflow takes."""
    return {
        safe_key(key): float(value)
        for key, value in scalars.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }


def study_note(
    card: StudyCard,
    facts: Sequence[TrialFact],
    result: Mapping[str, Any],
    nested: Mapping[str, Any],
) -> str:
    """The study run's description, in Markdown."""
    states = sorted({fact.state for fact in facts})
    counts = ", ".join(f"{sum(fact.state == s for fact in facts)} {s.replace('_', ' ')}" for s in states)
    metric, direction = card.objectives[0]
    lines = [
        f"Study **{card.key}**: {direction} {metric}; {len(facts)} trials"
        + (f" ({counts})" if counts else "")
    ]
    if result:
        lines += ["", f"Winner: **trial-{result['trial']:04d}**", "", *_parameter_lines(result)]
        lines += score_table(result) if result.get("test") else []
        lines += ["", *(f"- {sentence}" for sentence in search_sentences(result, nested))]
    return "\n".join(lines)


def _parameter_lines(result: Mapping[str, Any]) -> list[str]:
    params = result.get("params", {})
    return [
        "| parameter | value |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in params.items()),
        "",
    ]


def _data_tags(result: Mapping[str, Any]) -> dict[str, str]:
    data = dict(result.get("data", {}))
    if "fingerprint" in result:
        data.setdefault("fingerprint", result["fingerprint"])
    return {
        f"data.{name}": value if isinstance(value, str) else json.dumps(value)
        for name in _DATA_TAGS
        if (value := data.get(name)) is not None
    }
