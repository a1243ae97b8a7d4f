"""A study that begins from another's weights says so, and is the same study only as long as they are."""

import pytest

from hpsearch.errors import SpecError, StudyChangedError
from hpsearch.store import Store
from hpsearch.study import run_study
from tests.support.studies import Watcher, spec_of

FIRST = """
study: first
data: {source: sklearn/iris}
model: {hidden: [6]}
space: {epochs: 2, learning_rate: 0.01, batch_size: 64}
budget: {trials: 1}
"""
SECOND = FIRST.replace("first", "second").replace("hidden: [6]", "hidden: [6], initialize_from: first")


@pytest.mark.slow
def test_a_study_begins_from_the_winner_of_another(tmp_path):
    store, listener = Store(tmp_path), Watcher()
    run_study(spec_of(FIRST), store=store, observer=Watcher())
    result = run_study(spec_of(SECOND), store=store, observer=listener)
    assert "networks begin from trained weights: all 2 arrays from first" in listener.steps
    assert result.facts[0].hyperparameters["initialize_from"] == "all 2 arrays from first"
    plain = run_study(spec_of(FIRST.replace("first", "plain")), store=store, observer=Watcher())
    began, at_random = (r.facts[0].curves["train_loss"][0] for r in (result, plain))
    assert began < at_random
    run_study(spec_of(FIRST + "seed: 1\n"), store=store, observer=Watcher(), fresh=True)
    with pytest.raises(StudyChangedError, match="the weights of first: fingerprint"):
        run_study(spec_of(SECOND), store=store, observer=Watcher())


def test_a_missing_study_is_named_at_its_line(tmp_path):
    with pytest.raises(
        SpecError, match=r"model\.initialize_from: no study 'first' in .*; name a study of the store"
    ):
        run_study(spec_of(SECOND), store=Store(tmp_path), observer=Watcher())
