import math
from dataclasses import replace

import pytest

from hpsearch.tracking.projection import best_so_far, trial_note, trial_record
from tests.support.facts import FINDING, STARTED, fact
from tests.support.tracking import CARD


def record(trial, card=CARD):
    return trial_record(card, trial, parent="p" * 32)


def values(trial, card=CARD):
    return {point.key: point.value for point in record(trial, card).points if point.step == 0}


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("complete", "FINISHED"),
        ("stopped_early", "FINISHED"),
        ("pruned", "KILLED"),
        ("diverged", "FAILED"),
        ("failed", "FAILED"),
    ],
)
def test_every_state_has_its_status(state, status):
    shown = record(fact(7, state=state))
    assert (shown.name, shown.status, shown.tags["hpsearch.state"]) == ("trial-0007", status, state)


@pytest.mark.parametrize("state", ["pruned", "diverged", "failed"])
def test_a_trial_that_did_not_finish_has_no_objective(state):
    assert "objective" not in values(fact(state=state))


def test_several_objectives_are_told_apart_and_the_first_decides():
    card = replace(CARD, objectives=(("validation_loss", "minimize"), ("weights", "minimize")))
    shown = values(fact(values=(0.5, 9482.0)), card)
    assert shown["objective"] == shown["objective/validation_loss"] == 0.5
    assert shown["objective/weights"] == 9482.0
    assert "objective/validation_loss" not in values(fact(values=(0.5,)))


def test_searched_numbers_are_metrics_and_logarithms_where_the_scale_is_logarithmic():
    shown = values(
        fact(params={"learning_rate": 0.01, "optimizer": "adam", "dropout": 0.0, "batch_size": 32, "x": 1})
    )
    assert {key: value for key, value in shown.items() if key.startswith("hp/")} == {
        "hp/learning_rate": 0.01,
        "hp/log10_learning_rate": -2.0,
        "hp/dropout": 0.0,
        "hp/batch_size": 32.0,
    }


def test_parameters_are_the_whole_recipe():
    params = record(
        fact(params={"width": 64, "learning_rate": 0.01}, hyperparameters={"hidden": [64], "l1": 0.0})
    ).params
    assert params == {"width": "64", "learning_rate": "0.01", "hidden": "[64]", "l1": "0.0"}


def test_times_are_those_of_the_trial():
    shown = record(fact(3, epochs=10, started=STARTED, seconds=2.0))
    assert (shown.start, shown.end) == (STARTED * 1000, STARTED * 1000 + 2000)
    steps = {p.step: p.timestamp - shown.start for p in shown.points if p.key == "validation/loss"}
    assert steps == {epoch: 200 * epoch for epoch in range(1, 11)}


def test_infinities_are_shown_as_nan_and_named_in_a_tag():
    shown = record(fact(state="diverged", epochs=3))
    last = {p.key: p.value for p in shown.points if p.step == 3}
    assert math.isnan(last["train/loss"])
    assert math.isnan(last["validation/loss"])
    assert shown.tags["hpsearch.infinite"] == "train/loss@3"
    assert all(not math.isinf(point.value) for point in shown.points)


def test_a_trial_that_never_trained_is_a_run_all_the_same():
    shown = record(fact(state="failed", epochs=0, reason="out of memory", curves={}))
    assert shown.status == "FAILED"
    assert "out of memory" in shown.tags["mlflow.note.content"]


def test_the_description_holds_the_findings_with_their_advice():
    note = record(fact(findings=(FINDING,), reason="50 epochs trained")).tags["mlflow.note.content"]
    for text in ("50 epochs trained", "overfitting", FINDING.sentence, FINDING.advice):
        assert text in note


def test_long_reasons_fit_into_a_tag():
    assert len(record(fact(reason="x" * 9000)).tags["hpsearch.reason"]) == 8000


def test_no_point_is_given_twice():
    points = record(fact(epochs=30)).points
    assert len({(point.key, point.step) for point in points}) == len(points)


@pytest.mark.parametrize(
    ("direction", "best"), [("minimize", [3.0, 1.0, 1.0]), ("maximize", [3.0, 3.0, 5.0])]
)
def test_the_best_so_far_follows_the_declared_direction(direction, best):
    card = replace(CARD, objectives=(("validation_loss", direction),))
    trials = [
        fact(0, values=(3.0,)),
        fact(1, values=(1.0,)),
        fact(2, state="pruned", values=None),
        fact(3, values=(math.nan,)),
        fact(4, values=(5.0,)),
    ]
    points = best_so_far(card, trials)
    assert [(p.step, p.value) for p in points] == list(zip([0, 1, 4], best, strict=True))


def test_findings_are_a_tag_and_layers_a_table_in_the_description():
    samples = {
        "gradient_norm/1 dense": (0.5, 0.25),
        "update_ratio/1 dense": (0.1, 0.01),
        "distance/1 dense": (0.2, 0.7),
        "idle/1 dense": (0.0, 0.5),
    }
    given = fact(3, samples=samples)
    assert trial_record(CARD, given, parent="p").tags["findings"] == FINDING.name
    assert "findings" not in trial_record(CARD, fact(3, findings=()), parent="p").tags
    assert "| 1 dense | 0.5 → 0.25 | 0.1 → 0.01 | 0.2 → 0.7 | 0 → 0.5 |" in trial_note(
        given, "validation_loss"
    )
    assert "| layer |" not in trial_note(fact(3), "validation_loss")
