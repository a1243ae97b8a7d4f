"""The labelled set: what the docs say of precision and recall is what is measured, and the set can be made again."""

import json
from collections import Counter

import pytest

from tests.support import agreement, labelled
from tests.support.labels import LABELS, labels
from tests.support.problems import KINDS

STORED = labelled.stored()


def test_the_table_in_the_docs_is_what_is_measured():
    """After a change of the rules: `python -m tests.support.agreement`."""
    text = agreement.PAGE.read_text(encoding="utf-8")
    written = text.split(agreement.BEGIN)[1].split(agreement.END)[0].strip().splitlines()
    assert written == agreement.table(STORED)


def test_there_are_enough_real_trials_of_every_kind():
    assert len(STORED) >= 2000
    assert {trial["problem"] for trial in STORED} == set(KINDS)
    deserved = Counter(name for trial in STORED for name, label in labels(trial).items() if label)
    for name in LABELS:
        assert deserved[name] >= 20, name


def test_what_is_said_by_experiment_can_be_relied_on():
    """Nine times in ten, and nine of ten that deserve it: what the documentation says in words."""
    for name, agreed in agreement.agreements(STORED, examined=True).items():
        assert min(agreed.precision, agreed.recall) >= 0.9, name


@pytest.mark.slow
@pytest.mark.parametrize("number", [8004, 9002])
def test_a_study_is_made_again_to_the_same_numbers(number):
    """Bit for bit on one kind of processor: here to three digits of its curves."""
    again = json.loads(json.dumps(labelled.study(number)))["trials"]
    for trial, stored in zip(again, [each for each in STORED if each["study"] == number], strict=True):
        assert stored["recipe"] == {**stored["recipe"], **trial["recipe"]}
        curves = trial["curves"], stored["curves"]
        assert curves[0]["validation_loss"] == pytest.approx(
            curves[1]["validation_loss"], rel=1e-3, nan_ok=True
        )
        for made, kept in zip(trial["variations"], stored["variations"], strict=True):
            assert (made["name"], made["state"]) == (kept["name"], kept["state"])
            assert made["curves"] == {
                part: pytest.approx(curve, rel=2e-3, abs=1e-3, nan_ok=True)
                for part, curve in kept["curves"].items()
            }
