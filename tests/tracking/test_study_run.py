import pytest

from hpsearch.errors import StorageError
from hpsearch.store import load_result
from hpsearch.tracking.study_run import result_scalars, study_record
from tests.support.facts import facts
from tests.support.tracking import CARD, RESULT


@pytest.mark.parametrize(
    ("result", "running", "status"),
    [({}, True, "RUNNING"), (RESULT, True, "RUNNING"), (RESULT, False, "FINISHED"), ({}, False, "KILLED")],
)
def test_the_study_is_finished_when_it_has_a_result(result, running, status):
    record = study_record(CARD, facts(5), result, running=running)
    assert record.status == status
    assert (record.end is None) == running


def test_the_result_becomes_metrics_and_a_description():
    record = study_record(CARD, facts(8), RESULT, running=False)
    values = {point.key: point.value for point in record.points if point.key != "best_objective"}
    assert values == {
        "test/accuracy": 0.97,
        "test/accuracy_low": 0.95,
        "test/accuracy_high": 0.98,
        "baseline/majority_class_accuracy": 0.1,
        "baseline/logistic_regression_accuracy": 0.95,
        "winner/trial": 5.0,
        "winner/epochs": 17.0,
    }
    note = record.tags["mlflow.note.content"]
    for text in ("trial-0005", "learning_rate", "0.97", "0.95 to 0.98", "logistic regression", "8 trials"):
        assert text in note


def test_the_study_says_what_it_ran_on():
    tags = study_record(CARD, facts(2), RESULT, running=False).tags
    assert tags["version.python"] == "3.11.0"
    assert (tags["data.fingerprint"], tags["data.rows"]) == ("abc123", "1797")
    assert tags["mlflow.user"] == "ann"


def test_a_study_without_trials_is_a_run_already():
    record = study_record(CARD, [], {}, running=True)
    assert record.points == []
    assert "0 trials" in record.tags["mlflow.note.content"]


def test_missing_scores_are_left_out():
    assert result_scalars({"trial": 1, "test": {"roc_auc": {"value": float("nan")}}}) == {"winner/trial": 1.0}


def test_a_damaged_result_is_named(study):
    study.home.result.write_text("{", encoding="utf-8")
    with pytest.raises(StorageError, match=r"result\.json: cannot be read"):
        load_result(study.home)
