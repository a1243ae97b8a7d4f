"""A search in which trial after trial fails ends after a number of failures that the study file names."""

import re

import pytest

from hpsearch.errors import TrainingError
from hpsearch.search.facts import FactStore
from hpsearch.search.places import place_of
from hpsearch.store import Store
from tests.support.studies import run_quick

HOPELESS = """
study: hopeless
seed: 1
data: {source: sklearn/diabetes}
model: {hidden: [8]}
space: {epochs: 5, batch_size: [16, 32], learning_rate: {min: 500, max: 1000}, optimizer: sgd}
budget: {trials: 12, failures: 5}
"""


def stored(directory):
    home = Store.locate(directory).find("hopeless")
    return FactStore.open(place_of(home), study=home.key).facts()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_search_that_fails_throughout_gives_up_after_the_named_number(tmp_path, workers):
    """Law 2 holds for where it ends: the number of workers is not seen in what is stored."""
    said = re.escape("none of 5 trials finished, so the search gave up after 5 (budget.failures)")
    with pytest.raises(TrainingError, match=said):
        run_quick(tmp_path, HOPELESS, workers=workers)
    assert [(fact.number, fact.state) for fact in stored(tmp_path)] == [(n, "diverged") for n in range(5)]


def test_without_a_number_of_failures_every_trial_is_tried(tmp_path):
    """`budget.failures: null` never gives up."""
    with pytest.raises(TrainingError, match="none of 12 trials finished"):
        run_quick(tmp_path, HOPELESS, budget__failures="null")
    assert len(stored(tmp_path)) == 12


def test_one_success_begins_the_count_anew(tmp_path):
    """Failures count one after another: a space that fails now and then is searched to its end."""
    mixed = HOPELESS.replace("{min: 500, max: 1000}", "[0.01, 900]").replace("epochs: 5", "epochs: [4, 5]")
    result, _ = run_quick(tmp_path, mixed, budget__failures=5)
    states = [fact.state for fact in result.facts]
    assert "diverged" in states
    assert result.ended in ("trials", "exhausted")
