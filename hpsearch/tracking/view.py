"""The prebuilt view: all of a study's trials compared at once, without any set-up in MLflow's UI.

The UI reads a shared view from the experiment tag `mlflow.sharedViewState.<key>`. Its form is MLflow's own
(seen at 3.17) and not documented: best effort, nothing depends on it.
"""

import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from hpsearch.tracking.card import StudyCard
from hpsearch.tracking.identity import Identity
from hpsearch.tracking.projection import CREATION_TAG, TRIAL_TAG, log_key
from hpsearch.tracking.record import safe_key
from hpsearch.tracking.sink import Sink

_TAG: Final = "mlflow.sharedViewState."
_TAG_LIMIT: Final = 20_000
_AXES: Final = 8
_FOLDED: Final = (
    "best",
    "last",
    "gap",
    "spread",
    "score",
    "hp",
    "time",
)  # single numbers: there, but out of the way
_KEPT: Final = {"deleted": False, "isGenerated": False}

_WORKFLOW: Final = {"workflowType": "machine_learning"}  # else the UI shows its pages for language models

Json = dict[str, Any]


def view_key(identity: Identity) -> str:
    """The view's name in its link: one for each study, for studies may share an experiment."""
    return f"hpsearch-{identity.creation[:8]}"


def study_link(port: int, experiment: str, identity: Identity) -> str:
    """The page of a local MLflow UI that compares the study's trials."""
    return f"http://127.0.0.1:{port}/{_compared(experiment, identity)}"


def _compared(experiment: str, identity: Identity) -> str:
    shown = {"viewStateShareKey": view_key(identity), "compareRunsMode": "CHART"}
    return f"#/experiments/{experiment}/runs?{urlencode({**_WORKFLOW, **shown})}"


def links(
    experiment: str, identity: Identity, *, study: str, winner: str | None, model: str | None, report: bool
) -> str:
    """Where to go from a study's description, in Markdown: addresses within the UI, whatever server shows it.

    `study` and `winner` are ids of runs, `model` is the name of the registered model; None where there is none.
    """
    runs, query = f"#/experiments/{experiment}/runs", urlencode(_WORKFLOW)
    places = {"compare all trials": _compared(experiment, identity)}
    if winner is not None:
        places["best trial"] = f"{runs}/{winner}?{query}"
    places["study"] = f"{runs}/{study}?{query}"
    if report:
        places["report"] = f"{runs}/{study}/artifacts/report.html?{query}"
    places["files"] = f"{runs}/{study}/artifacts?{query}"
    if model is not None:
        places["model"] = f"#/models/{model}?{query}"
    return " · ".join(f"[{name}]({address})" for name, address in places.items())


def offer_view(sink: Sink, card: StudyCard, curves: Sequence[str]) -> None:
    """Keep the view with the experiment; a view too large for a tag is left out."""
    state = json.dumps(view_state(card, curves), separators=(",", ":"))
    if len(state) <= _TAG_LIMIT:
        sink.tag_experiment(_TAG + view_key(card.identity), state)
    sink.tag_experiment("mlflow.experimentKind", "custom_model_development")


def view_state(card: StudyCard, curves: Sequence[str]) -> Json:
    """The view: the study's trials, best first, their parameters against the objective, their curves.

    `curves` are the metrics that have one number an epoch, such as `validation/loss`.
    """
    return {
        "searchFilter": f"tags.`{CREATION_TAG}` = '{card.identity.creation}' and tags.`{TRIAL_TAG}` != ''",
        "orderByKey": "metrics.`objective`",
        "orderByAsc": card.minimize,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": _columns(card, curves),
        "compareRunCharts": [_parallel(card), *_single_parameters(card), *map(_line, _curve_order(curves))],
        "compareRunSections": [
            _section("all", "Parameters against the objective", columns=1, cardHeight=420),
            _section("single", "One parameter at a time"),
            _section("curves", "Curves", columns=2),
            _section("training", "Training"),
            *(_section(f"fold-{name}", name, display=False) for name in _FOLDED),
        ],
        "runsHiddenMode": "SHOWALL",
        "hideEmptyCharts": True,
        "isAccordionReordered": True,
        "groupBy": None,
        "viewMaximized": False,
        "runListHidden": False,
    }


def _columns(card: StudyCard, curves: Sequence[str]) -> list[str]:
    measures = [key for key in curves if key.startswith("validation/") and key != "validation/loss"]
    metrics = ["objective", "validation/loss", *measures, "gap/loss", "best/epoch"]
    params = [safe_key(name) for name in card.searched]
    return [
        *(f"metrics.`{name}`" for name in metrics),
        *(f"params.`{name}`" for name in params),
        "tags.`hpsearch.state`",
        "tags.`verdict`",
    ]


def _section(uuid: str, name: str, *, display: bool = True, **settings: int) -> Json:
    return {"uuid": uuid, "name": name, "display": display, "isReordered": False, **settings, **_KEPT}


def _parallel(card: StudyCard) -> Json:
    """Axes are linear, so that what is sampled on a logarithmic scale is shown by its logarithm.

    A trial that lacks one of the axes is not drawn at all, hence no conditional parameters here.
    """
    axes = [name for name in card.searched if name not in card.conditional][:_AXES]
    return _chart(
        "PARALLEL",
        "parallel",
        "all",
        selectedParams=[safe_key(name) for name in axes if name not in card.log_scaled],
        selectedMetrics=[*(log_key(name) for name in axes if name in card.log_scaled), "objective"],
        showAllRuns=False,
    )


def _single_parameters(card: StudyCard) -> list[Json]:
    """The objective by each parameter, those on a logarithmic scale first: they tend to matter most."""
    by_scale = sorted(card.searched, key=lambda name: name not in card.log_scaled)
    return [
        _chart(
            "SCATTER",
            f"scatter-{name}",
            "single",
            xaxis=_axis(card, name),
            yaxis={"key": "objective", "type": "METRIC"},
        )
        for name in by_scale[:_AXES]
    ] + [_chart("BAR", "bar", "single", metricKey="objective")]


def _axis(card: StudyCard, name: str) -> Json:
    if name in card.log_scaled:
        return {"key": log_key(name), "type": "METRIC"}
    if name in card.conditional:  # as a parameter, trials without it would stand at the default
        return {"key": safe_key(f"hp/{name}"), "type": "METRIC"}
    return {"key": safe_key(name), "type": "PARAM"}


def _curve_order(curves: Sequence[str]) -> list[str]:
    """Validation beside train, loss before other measures, the optimizer's own last."""
    groups = ("validation", "train", "training")
    known = [key for key in curves if key.partition("/")[0] in groups]
    return sorted(
        known,
        key=lambda key: (
            key.startswith("training/"),
            not key.endswith("/loss"),
            key.partition("/")[2],
            -len(key),
        ),
    )


def _line(key: str) -> Json:
    loss = key.endswith("/loss") or key in ("training/learning_rate", "training/gradient_norm")
    return _chart(
        "LINE",
        f"line-{key}",
        "training" if key.startswith("training/") else "curves",
        metricKey=key,
        selectedMetricKeys=[key],
        lineSmoothness=0,
        xAxisScaleType="linear",
        scaleType="log" if loss else "linear",
        range={},
        xAxisKey="step",
        selectedXAxisMetricKey="",
        yAxisKey="metric",
        yAxisExpressions=[],
        ignoreOutliers=False,
        useGlobalXaxisKey=True,
        useGlobalLineSmoothing=True,
    )


def _chart(kind: str, uuid: str, section: str, **settings: Any) -> Json:
    common = {"type": kind, "uuid": uuid, "metricSectionId": section, "runsCountToCompare": 100}
    return {**common, **settings, **_KEPT}
