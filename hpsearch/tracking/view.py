"""The prebuilt view: all of a study's trials compared at once, without any set-up in MLflow's UI.

The UI reads a shared view from the experiment tag `mlflow.sharedViewState.<key>`. Its form is MLflow's own (seen at 3.17) and not
documented: best effort, nothing depends on it.
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
_KEPT: Final = {"deleted": False, "isGenerated": False}

Json = dict[str, Any]


def view_key(identity: Identity) -> str:
    """The view's name in its link: one for each study, for studies may share an experiment."""
    return f"hpsearch-{identity.creation[:8]}"


def study_link(port: int, experiment: str, identity: Identity) -> str:
    """The page of a local MLflow UI that compares the study's trials."""
    query = urlencode(
        {
            "workflowType": "machine_learning",
            "viewStateShareKey": view_key(identity),
            "compareRunsMode": "CHART",
        }
    )
    return f"http://127.0.0.1:{port}/#/experiments/{experiment}/runs?{query}"


def offer_view(sink: Sink, card: StudyCard) -> None:
    """Keep the view with the experiment; a view too large for a tag is left out."""
    state = json.dumps(view_state(card), separators=(",", ":"))
    if len(state) <= _TAG_LIMIT:
        sink.client.set_experiment_tag(sink.experiment, _TAG + view_key(card.identity), state)
    sink.client.set_experiment_tag(sink.experiment, "mlflow.experimentKind", "custom_model_development")


def view_state(card: StudyCard) -> Json:
    """The view: the study's trials, best first, their parameters against the objective, their curves."""
    return {
        "searchFilter": f"tags.`{CREATION_TAG}` = '{card.identity.creation}' and tags.`{TRIAL_TAG}` != ''",
        "orderByKey": "metrics.`objective`",
        "orderByAsc": card.minimize,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": _columns(card),
        "compareRunCharts": [*_search_charts(card), *_curve_charts()],
        "compareRunSections": [_section("search", "Search"), _section("curves", "Curves")],
        "runsHiddenMode": "SHOWALL",
        "hideEmptyCharts": True,
        "isAccordionReordered": True,
        "groupBy": None,
        "viewMaximized": False,
        "runListHidden": False,
    }


def _columns(card: StudyCard) -> list[str]:
    metrics = ["objective", "validation/loss", "gap/loss", "epochs"]
    params = [safe_key(name) for name in card.searched]
    return [
        *(f"metrics.`{name}`" for name in metrics),
        *(f"params.`{name}`" for name in params),
        "tags.`hpsearch.state`",
        "tags.`verdict`",
    ]


def _section(uuid: str, name: str) -> Json:
    return {
        "uuid": uuid,
        "name": name,
        "display": True,
        "isReordered": False,
        "deleted": False,
        "isGenerated": False,
    }


def _search_charts(card: StudyCard) -> list[Json]:
    axes = card.searched[:_AXES]
    logs = [log_key(name) for name in axes if name in card.log_scaled]
    plain = [safe_key(name) for name in axes if name not in card.log_scaled]
    scatter = [
        _chart(
            "SCATTER",
            f"scatter-{name}",
            "search",
            xaxis={
                "key": log_key(name) if name in card.log_scaled else safe_key(f"hp/{name}"),
                "type": "METRIC",
            },
            yaxis={"key": "objective", "type": "METRIC"},
        )
        for name in card.searched
        if name in card.log_scaled
    ]
    return [
        _chart(
            "PARALLEL",
            "parallel",
            "search",
            selectedParams=plain,
            selectedMetrics=[*logs, "objective"],
            showAllRuns=False,
            displayName="Parameters against the objective",
        ),
        *scatter[:3],
        _chart("BAR", "bar", "search", metricKey="objective"),
    ]


def _curve_charts() -> list[Json]:
    charts = (
        ("validation/loss", ("validation/loss",), "log"),
        ("train/loss", ("train/loss",), "log"),
        ("validation/accuracy", ("validation/accuracy",), "linear"),
    )
    return [_line(key, keys, scale) for key, keys, scale in charts]


def _line(key: str, keys: Sequence[str], scale: str) -> Json:
    return _chart(
        "LINE",
        f"line-{key}",
        "curves",
        metricKey=key,
        selectedMetricKeys=list(keys),
        lineSmoothness=0,
        xAxisScaleType="linear",
        scaleType=scale,
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
    return {
        "type": kind,
        "uuid": uuid,
        "runsCountToCompare": 100,
        "metricSectionId": section,
        **settings,
        **_KEPT,
    }
