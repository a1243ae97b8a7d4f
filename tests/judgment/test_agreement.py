"""The labelled set: what the docs say of precision and recall is what is measured, and the set can be made again."""

import json

import pytest

from tests.support import agreement, labelled
from tests.support.labels import LABELS, label

STORED = labelled.stored()


def test_the_table_in_the_docs_is_what_is_measured():
    """After a change of the rules: `python -m tests.support.agreement`."""
    text = agreement.PAGE.read_text(encoding="utf-8")
    written = text.split(agreement.BEGIN)[1].split(agreement.END)[0].strip().splitlines()
    assert written == agreement.table(STORED)


def test_there_are_enough_real_trials_of_every_kind():
    assert len(STORED) >= 800
    assert {trial["problem"] for trial in STORED} == {"classes", "network", "numbers", "chance", "rare"}
    for name in set(LABELS) - {"plateau"}:
        assert sum(label(name, trial) is True for trial in STORED) >= 10, name


@pytest.mark.slow
@pytest.mark.parametrize("number", [3, 5, 403])
def test_a_trial_is_made_again_to_the_same_numbers(number):
    """Bit for bit on one kind of processor: here to three digits of its curves."""
    again = json.loads(json.dumps(labelled.trial(number)))
    stored = next(trial for trial in STORED if trial["number"] == number)
    assert again["recipe"] == stored["recipe"]
    assert again["curves"]["validation_loss"] == pytest.approx(stored["curves"]["validation_loss"], rel=1e-3)
