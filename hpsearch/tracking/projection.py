"""Trial facts to runs of MLflow: pure functions, the same fact gives the same record."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from hpsearch.judgment.sentences import short_number
from hpsearch.judgment.variation import rows_of
from hpsearch.search.fact import State, TrialFact
from hpsearch.tracking.card import StudyCard
from hpsearch.tracking.curves import curve_points, score_key, shown_curves
from hpsearch.tracking.record import (
    Point,
    RunRecord,
    Status,
    finite_or_nan,
    infinite_places,
    safe_key,
    text_params,
    text_tags,
)

COMPLETE_TAG: Final = "hpsearch.projection"
PROJECTION: Final = (
    "2"  # raised when a fact is shown otherwise: runs of older projections are then written anew
)
CREATION_TAG: Final = "hpsearch.creation"
TRIAL_TAG: Final = "hpsearch.trial"
STUDY_TAG: Final = "hpsearch.study"
NOTE_TAG: Final = "mlflow.note.content"
_STATUS: Final[dict[State, Status]] = {
    "complete": "FINISHED",
    "stopped_early": "FINISHED",
    "pruned": "KILLED",
    "diverged": "FAILED",
    "failed": "FAILED",
}


def common_tags(card: StudyCard) -> dict[str, str]:
    """What every run of a study carries."""
    return {
        STUDY_TAG: card.key,
        CREATION_TAG: card.identity.creation,
        "mlflow.user": card.identity.user or "unknown",
        "mlflow.source.name": f"hpsearch run {card.key}",
        "mlflow.source.type": "LOCAL",
    }


def trial_record(card: StudyCard, fact: TrialFact, *, parent: str) -> RunRecord:
    """A trial as a run below the run `parent`.

    The tag `hpsearch.projection` is not part of it: whoever writes the record adds it last, as the mark that
    it is whole.
    """
    start = round(fact.started * 1000)
    end = start + round(fact.seconds * 1000)
    curves = shown_curves(fact)
    scalars = trial_scalars(card, fact)
    infinite = infinite_places(
        [
            *((key, epoch + 1, value) for key, curve in curves.items() for epoch, value in enumerate(curve)),
            *((key, 0, value) for key, value in scalars.items()),
        ]
    )
    return RunRecord(
        number=fact.number,
        name=fact.name,
        status=_STATUS[fact.state],
        start=start,
        end=end,
        params=text_params({**fact.hyperparameters, **fact.params}),
        tags=text_tags(
            {
                **common_tags(card),
                TRIAL_TAG: str(fact.number),
                "hpsearch.state": fact.state,
                "hpsearch.reason": fact.reason,
                **judged_tags(card, fact),
                "mlflow.parentRunId": parent,
                "mlflow.runName": fact.name,
                **({"hpsearch.infinite": infinite} if infinite else {}),
            }
        ),
        points=[
            *curve_points(curves, start, end),
            *(
                Point(key=key, value=finite_or_nan(value), step=0, timestamp=end)
                for key, value in scalars.items()
            ),
        ],
    )


def judged_tags(card: StudyCard, fact: TrialFact) -> dict[str, str]:
    """What a run says of its trial's judgment, which `hpsearch why` may sharpen later."""
    return {
        **({"hpsearch.verdict": fact.verdict, "verdict": fact.verdict} if fact.verdict else {}),
        **({"findings": ", ".join(f.name for f in fact.findings)} if fact.findings else {}),
        **({"examined": "true"} if fact.variations else {}),
        NOTE_TAG: trial_note(fact, card.objectives[0][0]),
    }


def trial_scalars(card: StudyCard, fact: TrialFact) -> dict[str, float]:
    """The single numbers of a trial under MLflow's names; `objective` only where the trial finished."""
    scalars = {
        **objective_scalars(card, fact),
        **{score_key(name): value for name, value in fact.scores.items()},
        **searched_numbers(card, fact.params),
        "epochs": float(fact.epochs),
        "time/seconds": fact.seconds,
    }
    return {key: float(value) for key, value in scalars.items()}


def objective_scalars(card: StudyCard, fact: TrialFact) -> dict[str, float]:
    """`objective`, and where there are several, each as `objective/<metric>` as well."""
    if fact.values is None or not fact.finished:
        return {}
    named = {
        safe_key(f"objective/{metric}"): value
        for (metric, _), value in zip(card.objectives, fact.values, strict=False)
    }
    return {"objective": fact.values[0], **(named if len(named) > 1 else {})}


def searched_numbers(card: StudyCard, params: Mapping[str, object]) -> dict[str, float]:
    """Searched numbers as metrics (MLflow sorts parameters as text), and logarithms (axes are linear)."""
    numbers = {}
    for name in card.searched:
        value = params.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        numbers[safe_key(f"hp/{name}")] = float(value)
        if name in card.log_scaled and value > 0:
            numbers[log_key(name)] = math.log10(value)
    return numbers


def log_key(name: str) -> str:
    """The metric that holds a parameter's logarithm to base 10."""
    return safe_key(f"hp/log10_{name}")


def trial_note(fact: TrialFact, metric: str) -> str:
    """The run's description, in Markdown; `metric` is the first objective's."""
    lines = [f"**{fact.state.replace('_', ' ')}** after {fact.epochs} epochs: {fact.reason}"]
    if fact.verdict:
        lines += ["", f"Verdict: {fact.verdict}"]
    if fact.findings:
        lines += ["", *(_finding_line(f.name, f.sentence, f.advice) for f in fact.findings)]
    return "\n".join([*lines, *_variation_lines(fact, metric), *_layer_lines(fact.samples)])


_STATISTICS: Final = {
    "gradient_norm": "gradient",
    "update_ratio": "step / weights",
    "distance": "way / initial weights",
    "idle": "idle units",
}


def _layer_lines(samples: Mapping[str, Sequence[float]]) -> list[str]:
    """A table of layers: each statistic in the first epoch and in the last one that was looked into."""
    layers = [name.partition("/")[2] for name in samples if name.startswith("gradient_norm/")]
    if not layers:
        return []
    rows = []
    for layer in layers:
        curves = [samples.get(f"{statistic}/{layer}") for statistic in _STATISTICS]
        cells = [f"{curve[0]:.3g} → {curve[-1]:.3g}" if curve else "" for curve in curves]
        rows.append(f"| {layer} | {' | '.join(cells)} |")
    return [
        "",
        f"| layer | {' | '.join(_STATISTICS.values())} |",
        "| --- " * (1 + len(_STATISTICS)) + "|",
        *rows,
    ]


def _variation_lines(fact: TrialFact, metric: str) -> list[str]:
    """A table of what was tried with one thing changed."""
    if not fact.variations:
        return []
    head, *rows = [[short_number(cell) for cell in row] for row in rows_of(fact.variations, metric)]
    lines = [head, ["---"] * len(head), *rows]
    return ["", *(f"| {' | '.join(cells)} |" for cells in lines)]


def _finding_line(name: str, sentence: str, advice: str) -> str:
    return f"- **{name}**: {sentence}" + (f" *{advice}*" if advice else "")


def best_so_far(card: StudyCard, facts: Sequence[TrialFact]) -> list[Point]:
    """`best_objective` of the study's run: step = trial number, one point a finished trial."""
    points: list[Point] = []
    better = min if card.minimize else max
    best: float | None = None
    for fact in facts:
        value = fact.values[0] if fact.finished and fact.values else math.nan
        if not math.isfinite(value):
            continue
        best = value if best is None else better(best, value)
        moment = round((fact.started + fact.seconds) * 1000)
        points.append(Point(key="best_objective", value=best, step=fact.number, timestamp=moment))
    return points
