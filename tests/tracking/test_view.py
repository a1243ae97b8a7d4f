import json
from dataclasses import replace

import pytest

from hpsearch.tracking.embedded import open_embedded
from hpsearch.tracking.projection import trial_record
from hpsearch.tracking.view import offer_view, study_link, view_key, view_state
from tests.support.facts import fact, facts
from tests.support.tracking import CARD

CURVES = ("train/loss", "validation/loss", "train/accuracy", "validation/accuracy", "training/learning_rate")


def charts(kind, card=CARD):
    return [chart for chart in view_state(card, CURVES)["compareRunCharts"] if chart["type"] == kind]


def test_the_view_finds_the_study_s_trials_and_no_others(store):
    """Not the study's own run, and not the runs of another study in the same experiment."""
    other = replace(CARD, key="wine", identity=replace(CARD.identity, creation="other", experiment="digits"))
    for card in (CARD, other):
        sink = open_embedded(store, card)
        sink.write([trial_record(card, trial, parent="p") for trial in facts(3)])
        sink.client.create_run(sink.experiment, run_name="somebody else's")
    found = sink.client.search_runs([sink.experiment], filter_string=view_state(CARD, CURVES)["searchFilter"])
    assert {run.info.run_id for run in found} == {CARD.identity.run_id(number) for number in range(3)}


@pytest.mark.parametrize(("direction", "ascending"), [("minimize", True), ("maximize", False)])
def test_the_best_trial_is_on_top(direction, ascending):
    assert view_state(replace(CARD, objectives=(("x", direction),)), CURVES)["orderByAsc"] is ascending


def test_every_searched_parameter_is_compared_on_its_own_scale():
    [parallel] = charts("PARALLEL")
    assert parallel["selectedParams"] == ["epochs", "batch_size", "optimizer", "dropout"]
    assert parallel["selectedMetrics"] == ["hp/log10_learning_rate", "hp/log10_l2", "objective"]
    assert [chart["xaxis"]["key"] for chart in charts("SCATTER")][:3] == [
        "hp/log10_learning_rate",
        "hp/log10_l2",
        "epochs",
    ]


def test_conditional_parameters_hide_no_trials():
    """A parallel plot leaves out every trial that lacks an axis."""
    card = replace(CARD, conditional=frozenset({"dropout", "l2"}))
    [parallel] = charts("PARALLEL", card)
    assert "dropout" not in parallel["selectedParams"]
    assert "hp/log10_l2" not in parallel["selectedMetrics"]
    assert {"key": "hp/dropout", "type": "METRIC"} in [chart["xaxis"] for chart in charts("SCATTER", card)]


def test_curves_stand_in_pairs_validation_first():
    assert [chart["metricKey"] for chart in charts("LINE")] == [
        "validation/loss",
        "train/loss",
        "validation/accuracy",
        "train/accuracy",
        "training/learning_rate",
    ]


def test_all_names_in_the_view_are_names_in_the_runs():
    record = trial_record(CARD, fact(0), parent="p")
    metrics, params = {point.key for point in record.points}, set(record.params)
    state = view_state(CARD, CURVES)
    for column in state["selectedColumns"]:
        kind, _, name = column.partition(".")
        assert name.strip("`") in {"metrics": metrics, "params": params, "tags": record.tags}[kind]
    for chart in state["compareRunCharts"]:
        assert set(chart.get("selectedMetrics", [])) <= metrics
        assert set(chart.get("selectedParams", [])) <= params
        assert chart.get("metricKey", "objective") in metrics


def test_the_view_is_kept_with_the_experiment_under_the_link_s_key(store):
    sink = open_embedded(store, CARD)
    offer_view(sink, CARD, CURVES)
    tags = sink.client.get_experiment(sink.experiment).tags
    assert json.loads(tags[f"mlflow.sharedViewState.{view_key(CARD.identity)}"]) == view_state(CARD, CURVES)
    link = study_link(5001, sink.experiment, CARD.identity)
    assert link.startswith(f"http://127.0.0.1:5001/#/experiments/{sink.experiment}/runs?")
    assert f"viewStateShareKey={view_key(CARD.identity)}" in link
    assert "workflowType=machine_learning" in link


def test_a_view_too_large_for_a_tag_is_left_out(store):
    sink = open_embedded(store, CARD)
    offer_view(sink, replace(CARD, searched=tuple(f"{'long' * 50}_{n}" for n in range(200))), CURVES)
    tags = sink.client.get_experiment(sink.experiment).tags
    assert not any(key.startswith("mlflow.sharedViewState") for key in tags)
